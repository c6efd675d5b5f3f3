"""A Host of ssh_config as a tunnel's settings: who and where, jump hosts, keys, and what is not supported."""

import re
from collections.abc import Iterator

from tunneldoctor.config.durations import LONGEST
from tunneldoctor.config.settings import SSH_CONFIG, Entry, Place, SshHost, Surroundings
from tunneldoctor.config.ssh_config import Asked, read
from tunneldoctor.config.ssh_files import SshFiles
from tunneldoctor.config.ssh_lookup import LookupFailed, Options, lookup, user_config, value
from tunneldoctor.config.ssh_unsupported import jump_of, unsupported
from tunneldoctor.config.text import port_number, split_port
from tunneldoctor.model import Hop, Problem, Severity

#: Longest chain of jump hosts that is followed.
_MOST_JUMPS = 8
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - what the user's own entry asks for


def find(host: str, surroundings: Surroundings) -> SshHost | None:
    """What the user's ssh_config says of *host*, or None where no Host line names it."""
    if host.startswith("-") or not read(user_config(surroundings), surroundings.home, Asked(host)).named:
        return None
    try:
        return _Reading(surroundings).bastion(host)
    except LookupFailed as failure:
        return SshHost({}, problems=(_problem("bastion", "the whole entry", str(failure).rstrip(".\n "), None),))


def _problem(hop: str, option: str, reason: str, severity: Severity | None) -> Problem:
    params = {"option": option, "reason": reason}
    return Problem("config.ssh-config-unsupported", hop, "ssh_config", SSH_CONFIG, params, severity)


class _Reading:
    """Reads one host and the jump hosts in front of it."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._problems: list[Problem] = []

    def bastion(self, host: str) -> SshHost:
        """The host itself."""
        options = lookup(host, self._surroundings)
        jumps = tuple(self._named(self._jumps(options, (host,))))
        hop = self._hop("bastion", host, options)
        written = () if value(options, "clearallforwardings") == "yes" else options.get("localforward", ())
        open_to_all = value(options, "gatewayports") == "yes"
        target = _forward(written[0], open_to_all) if len(written) == 1 else None
        return SshHost(
            self._place(options, hop, target),
            hop.private_keys,
            hop.agent,
            hop.certificate,
            hop.known_hosts,
            hop.host_key_alias,
            jumps,
            tuple(self._problems),
            bool(written) and target is None,
            target[0] if target else "127.0.0.1",
            hop.agent_socket,
            hop.address_family,
        )

    def _place(self, options: Options, hop: Hop, target: tuple[str, int, str] | None) -> Place:
        values: dict[str, object] = {
            "bastion_host": hop.host,
            "bastion_port": hop.port,
            "bastion_username": hop.username,
            "keepalive": _seconds(options, "serveraliveinterval"),
            "connect_timeout": _seconds(options, "connecttimeout"),
        }
        if target:
            values |= {"local_port": target[1], "remote_bind": target[2]}
        base = self._surroundings.cwd
        return {key: Entry(value, SSH_CONFIG, base) for key, value in values.items() if value is not None}

    def _named(self, hops: list[tuple[str, Options]]) -> Iterator[Hop]:
        for at, (host, options) in enumerate(hops, start=1):
            yield self._hop(f"via-{at}", host, options)

    def _jumps(self, options: Options, behind: tuple[str, ...]) -> list[tuple[str, Options]]:
        """The hosts of ProxyJump, each by its own entry; the first may have a ProxyJump of its own.

        *behind*: the hosts that these lead to. Raises LookupFailed where one of those is asked for again.
        """
        found: list[tuple[str, Options]] = []
        for written in _proxy_jump(options):
            user, _, place = written.rpartition("@")
            host, port = _split(place)
            if host in behind:
                raise LookupFailed(f"jumphost loop via {host}")
            number = port_number(port or "")
            found.append((host, lookup(host, self._surroundings, user or None, number, jumped=bool(found))))
        return self._jumps(found[0][1], (*behind, found[0][0])) + found if found else []

    def _hop(self, name: str, host: str, options: Options) -> Hop:
        files = SshFiles(host, options, self._surroundings)
        keys, agent = files.identities()
        for told in unsupported(options, has_identity=bool(keys) or agent is not None):
            self._problems.append(_problem(name, told.option, told.reason, told.severity))
        return Hop(
            name,
            value(options, "hostname") or host,
            port_number(value(options, "port") or "") or 22,
            value(options, "user"),
            keys,
            certificate=files.certificate(),
            agent=agent,
            known_hosts=files.known_hosts(),
            host_key_alias=value(options, "hostkeyalias"),
            agent_socket=files.agent_socket(),
            address_family=value(options, "addressfamily") or "any",
        )


def _seconds(options: Options, keyword: str) -> float | None:
    text = value(options, keyword)
    return min(float(text), LONGEST) if text and text.isascii() and text.isdigit() and int(text) > 0 else None


def _proxy_jump(options: Options) -> list[str]:
    if jump := value(options, "proxyjump"):
        return [each.strip().removeprefix("ssh://") for each in jump.split(",")][:_MOST_JUMPS]
    jump = jump_of(value(options, "proxycommand") or "")
    return [jump] if jump else []


def _split(place: str) -> tuple[str, str | None]:
    try:
        return split_port(place)
    except ValueError:
        return place, None


def _forward(written: str, open_to_all: bool) -> tuple[str, int, str] | None:
    """``[127.0.0.2]:5433 [db]:5432``: the address and the port to listen on, and the target; None for a socket.

    *open_to_all*: GatewayPorts, by which a forward without an address listens on every one (ssh_config(5)).
    """
    listen, _, target = written.partition(" ")
    match = re.fullmatch(r"\[?([^\[\]]+?)\]?:([0-9]+)", target.strip())
    address, colon, port = listen.rpartition(":")
    number = port_number(port)
    if number is None or match is None or listen.startswith("/"):
        return None
    bare = address.strip("[]")
    unnamed = _EVERYWHERE if colon or open_to_all else "127.0.0.1"
    listening = {"": unnamed, "*": _EVERYWHERE, "localhost": "127.0.0.1"}.get(bare, bare)
    host = f"[{match[1]}]" if ":" in match[1] else match[1]
    return listening, number, f"{host}:{match[2]}"
