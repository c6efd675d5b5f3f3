"""A Host of ssh_config as a tunnel's settings: who and where, jump hosts, keys, and what is not supported."""

import re
from collections.abc import Iterator

from tunneldoctor.config.durations import LONGEST
from tunneldoctor.config.settings import SSH_CONFIG, Entry, Place, SshHost, Surroundings
from tunneldoctor.config.ssh_config import SshConfigText
from tunneldoctor.config.ssh_files import SshFiles
from tunneldoctor.config.ssh_lookup import LookupFailed, Options, lookup, user_config, value
from tunneldoctor.config.text import port_number, split_port
from tunneldoctor.model import Hop, Problem, Severity, visible

#: Longest chain of jump hosts that is followed.
_MOST_JUMPS = 8
# ssh -W as the older way of saying ProxyJump.
_PROXY_W = re.compile(
    r"(?:exec\s+)?(?:\S*/)?ssh\s+(?:-[qxTaA]+\s+)*(?:-W\s*\[?%h\]?:%p\s+(?P<a>[\w.@:-]+)|(?P<b>[\w.@:-]+)\s+-W\s*\[?%h\]?:%p)"
)


def find(host: str, surroundings: Surroundings) -> SshHost | None:
    """What the user's ssh_config says of *host*, or None where no Host line names it."""
    if host.startswith("-") or not SshConfigText(user_config(surroundings), surroundings.home).names(host):
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
        jumps = tuple(self._named(self._jumps(options, 0)))
        hop = self._hop("bastion", host, options)
        forwards = list(filter(None, map(_forward, options.get("localforward", ()))))
        target = forwards[0] if len(forwards) == len(options.get("localforward", ())) == 1 else None
        return SshHost(
            self._place(options, hop, target),
            hop.private_keys,
            hop.agent,
            hop.certificate,
            hop.known_hosts,
            hop.host_key_alias,
            jumps,
            tuple(self._problems),
            bool(options.get("localforward")) and target is None,
            target[0] if target else "127.0.0.1",
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

    def _jumps(self, options: Options, depth: int) -> list[tuple[str, Options]]:
        """The hosts of ProxyJump, each by its own entry; the first may have a ProxyJump of its own."""
        found: list[tuple[str, Options]] = []
        for written in _proxy_jump(options):
            user, _, place = written.rpartition("@")
            host, port = _split(place)
            found.append((host, lookup(host, self._surroundings, user or None, port_number(port or ""))))
        if found and depth < _MOST_JUMPS:
            return self._jumps(found[0][1], depth + 1) + found
        return found

    def _hop(self, name: str, host: str, options: Options) -> Hop:
        files = SshFiles(host, options, self._surroundings)
        keys, agent = files.identities()
        self._note_unsupported(name, options, bool(keys) or agent is not None)
        self._note_agent(name, files)
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
        )

    def _note_agent(self, hop: str, files: SshFiles) -> None:
        socket = files.agent_socket()
        if socket and socket != self._surroundings.environ.get("SSH_AUTH_SOCK"):
            reason = "only the agent of $SSH_AUTH_SOCK is asked here: set that variable to the same socket"
            self._problems.append(_problem(hop, "IdentityAgent", reason, Severity.WARNING))

    def _note_unsupported(self, hop: str, options: Options, has_identity: bool) -> None:
        command = value(options, "proxycommand")
        if command and not _PROXY_W.fullmatch(command):
            program = visible(command.split()[0], 60)
            reason = f"the way to this host is a program ({program}), which is not run here; a ProxyJump is followed"
            self._problems.append(_problem(hop, "ProxyCommand", reason, None))
        milder = Severity.WARNING if has_identity else None
        if value(options, "pkcs11provider"):
            reason = "a key on a smart card or token is not used here; give private_key"
            self._problems.append(_problem(hop, "PKCS11Provider", reason, milder))
        if value(options, "knownhostscommand"):
            reason = "its program is not run here: pin the host's key in known_hosts or with host_key"
            self._problems.append(_problem(hop, "KnownHostsCommand", reason, Severity.WARNING))
        self._note_methods(hop, options)

    def _note_methods(self, hop: str, options: Options) -> None:
        methods = set(filter(None, (value(options, "preferredauthentications") or "").split(",")))
        offered = methods or {"publickey", "password"}
        if value(options, "pubkeyauthentication") in {"no", "false"}:
            offered -= {"publickey"}
        if value(options, "passwordauthentication") in {"no", "false"}:
            offered -= {"password"}
        if not offered & {"publickey", "password", "keyboard-interactive"}:
            option = "PreferredAuthentications" if methods else "PubkeyAuthentication"
            reason = "only logins by key and by password are tried here, and the entry allows neither"
            self._problems.append(_problem(hop, option, reason, None))


def _seconds(options: Options, keyword: str) -> float | None:
    text = value(options, keyword)
    return min(float(text), LONGEST) if text and text.isascii() and text.isdigit() and int(text) > 0 else None


def _proxy_jump(options: Options) -> list[str]:
    if jump := value(options, "proxyjump"):
        return [each.strip().removeprefix("ssh://") for each in jump.split(",")][:_MOST_JUMPS]
    match = _PROXY_W.fullmatch(value(options, "proxycommand") or "")
    return [match["a"] or match["b"]] if match else []


def _split(place: str) -> tuple[str, str | None]:
    try:
        return split_port(place)
    except ValueError:
        return place, None


def _forward(written: str) -> tuple[str, int, str] | None:
    """``[127.0.0.2]:5433 [db]:5432``: the address and the port to listen on, and the target; None for a socket."""
    listen, _, target = written.partition(" ")
    address, colon, port = listen.rpartition(":")
    number = port_number(port)
    match = re.fullmatch(r"\[?([^\[\]]+?)\]?[:/]([0-9]+)", target.strip())
    if number is None or match is None or target.startswith("/") or listen.startswith("/"):
        return None
    bare = address.strip("[]")
    listening = {"": "0.0.0.0" if colon else "127.0.0.1", "*": "0.0.0.0", "localhost": "127.0.0.1"}.get(bare, bare)  # noqa: S104
    host = f"[{match[1]}]" if ":" in match[1] else match[1]
    return listening, number, f"{host}:{match[2]}"
