"""Where there is more to look at than an open port."""

from tunneldoctor.model import Policy, Tunnel


def login_wanted(tunnel: Tunnel, policy: Policy) -> str | None:
    """Nothing to do where only reachability was asked for."""
    if tunnel.database and tunnel.database.engine == "tcp":
        return "tcp:// asks for reachability alone"
    return None
