"""What could not be read when the tunnel was built, shared out so that each problem is reported exactly once."""

from collections.abc import Callable, Iterable

from tunneldoctor.model import Evidence, Finding, Problem, Tunnel

PLAIN_TEXT = "config.secret-in-plain-text"
DATABASE_PORT = "config.database-port-on-bastion"
_TARGET_CODES = {"config.loopback-target", "config.remote-bind-mismatch", "config.bad-remote-bind"}
_HELPERS = {"admin", "admin_private_key", "run_from"}

Claim = Callable[[Problem], bool]


def of_secrets(problem: Problem) -> bool:
    """Secrets that are written down, whichever hop they are for."""
    return problem.code == PLAIN_TEXT


def of_helpers(problem: Problem) -> bool:
    """The accounts that only look around."""
    return problem.key in _HELPERS and not of_secrets(problem)


def of_database(problem: Problem) -> bool:
    """The connection string itself."""
    return problem.hop == "database" and not of_secrets(problem)


def of_target(problem: Problem) -> bool:
    """Where the tunnel leads."""
    target = problem.key == "remote_bind" or problem.code in _TARGET_CODES
    return target and not (of_secrets(problem) or of_database(problem))


def of_hop(tunnel: Tunnel, hop: str) -> Claim:
    """The server *hop*; the bastion takes what nobody else does, so that no problem is lost."""
    others = {each.name for each in tunnel.hops} - {hop}
    claimed = (of_secrets, of_helpers, of_database, of_target)

    def of_this_hop(problem: Problem) -> bool:
        mine = problem.hop == hop or (hop == tunnel.bastion.name and problem.hop not in others)
        return mine and not any(claim(problem) for claim in claimed)

    return of_this_hop


def findings(problems: Iterable[Problem], claim: Claim) -> tuple[Finding, ...]:
    """A finding for each problem that *claim* takes, with the key that it is about and where that stands."""
    return tuple(_finding(problem) for problem in problems if claim(problem))


def _finding(problem: Problem) -> Finding:
    params = {"key": problem.key, "origin": str(problem.origin), **problem.params}
    seen = Evidence("file", f"{problem.key}, from {problem.origin}")
    return Finding(problem.code, params, (seen,), problem.severity)
