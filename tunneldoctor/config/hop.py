"""From settings to hops: server, credentials and pins of the bastion, the jump hosts and the helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunneldoctor.config.fingerprints import read_fingerprint
from tunneldoctor.config.references import holds_private_key, key_reference, key_text, note_plain_text, read_password
from tunneldoctor.config.server import Server, read_server
from tunneldoctor.config.settings import SSH_CONFIG, Draft, Entry, Find, Place, Settings, Surroundings
from tunneldoctor.model import Hop, Origin, Problem, Reference, Severity


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are on a hop; nothing in it: nothing was given."""

    private_keys: tuple[Reference, ...] = ()
    passphrase: Reference | None = None
    certificate: Reference | None = None
    agent: str | None = None

    @property
    def given(self) -> bool:
        """True where there is something to log in with."""
        return bool(self.private_keys) or self.agent is not None


def bastion(settings: Settings, draft: Draft) -> Hop:
    """The bastion, with a problem for each field that it lacks."""
    server = read_server(settings.places, "bastion", "ssh_url", draft)
    credentials = _bastion_credentials(settings, draft)
    password = (
        read_password(settings.find, "bastion_password", "bastion", settings.surroundings, draft) or server.password
    )
    for key, value in (("bastion_host", server.host), ("bastion_username", server.username)):
        if value is None and key not in server.unreadable:
            _note_missing(draft, "bastion", key, settings)
    if not credentials.given and password is None:
        _note_missing(draft, "bastion", "private_key", settings)
    ssh = settings.ssh
    known_hosts, host_keys = _pins(settings.find, "bastion", settings.surroundings, draft)
    if known_hosts is None and ssh:
        known_hosts = ssh.known_hosts
    hop = _hop("bastion", server, credentials, password, known_hosts, host_keys, ssh.host_key_alias if ssh else None)
    return replace(hop, agent_socket=ssh.agent_socket, address_family=ssh.address_family) if ssh else hop


def jumps(settings: Settings, own: Hop, draft: Draft) -> tuple[Hop, ...]:
    """The jump hosts in front of *own*, the bastion. What a hop has not got of its own is the tunnel's."""
    entry = settings.find("via")
    if entry is None:
        return tuple(_complete(jump, own, draft) for jump in settings.ssh.jumps) if settings.ssh else ()
    return tuple(_jump(f"via-{at}", each, entry, settings, own, draft) for at, each in enumerate(entry.value, start=1))


def _complete(jump: Hop, own: Hop, draft: Draft) -> Hop:
    """A jump host of ssh_config; one for which ssh_config has no key takes the tunnel's own."""
    if jump.private_keys or jump.agent is not None:
        return jump
    if not own.private_keys and own.agent is None:
        _note(draft, jump.name, "private_key", SSH_CONFIG, "private_key")
    return replace(
        jump,
        private_keys=own.private_keys,
        passphrase=own.passphrase,
        certificate=jump.certificate or own.certificate,
        agent=own.agent,
        agent_socket=own.agent_socket,
    )


def _jump(name: str, written: str | Mapping[str, Any], entry: Entry, settings: Settings, own: Hop, draft: Draft) -> Hop:
    table: Mapping[str, Any] = {"ssh_url": written} if isinstance(written, str) else written
    place: Place = {key: Entry(value, entry.origin, entry.base, entry.exposed) for key, value in table.items()}
    server = read_server([place], name, "via", draft)
    credentials = _credentials(place.get, name, "via", settings.surroundings, draft)
    if not credentials.private_keys and credentials.agent is None:
        credentials = Credentials(
            own.private_keys, own.passphrase, credentials.certificate or own.certificate, own.agent
        )
    password = read_password(place.get, "bastion_password", name, settings.surroundings, draft, told="via")
    known_hosts, host_keys = _pins(place.get, name, settings.surroundings, draft, told="via")
    if known_hosts is None and not host_keys:
        known_hosts, host_keys = own.known_hosts, own.host_keys
    for key, value in (("bastion_host", server.host), ("bastion_username", server.username)):
        if value is None and key not in server.unreadable:
            _note(draft, name, "via", entry.origin, key)
    hop = _hop(name, server, credentials, password or server.password, known_hosts, host_keys, None)
    return replace(hop, agent_socket=own.agent_socket)


def helper(key: str, settings: Settings, own: Hop, draft: Draft) -> Hop | None:
    """The account of ``admin`` or ``run_from``, or None. What is wrong with it breaks nothing: a warning."""
    entry = settings.find(key)
    if entry is None or not entry.value.strip():
        return None
    noted = Draft()
    server = read_server([{"ssh_url": entry}], key, key, noted)
    credentials = Credentials(own.private_keys, own.passphrase, own.certificate, own.agent)
    if own_key := settings.find(f"{key}_private_key"):
        place = {"private_key": own_key}
        credentials = _credentials(place.get, key, f"{key}_private_key", settings.surroundings, noted)
    for name, value in (("bastion_host", server.host), ("bastion_username", server.username)):
        if value is None and name not in server.unreadable:
            _note(noted, key, key, entry.origin, name)
    draft.problems += [_milder(problem) for problem in noted.problems]
    same = (server.host, server.port) == (own.host, own.port)  # one host key for all accounts of a server
    host_keys, alias = (own.host_keys, own.host_key_alias) if same else ((), None)
    hop = _hop(key, server, credentials, server.password, own.known_hosts, host_keys, alias)
    return replace(hop, agent_socket=own.agent_socket)


def _milder(problem: Problem) -> Problem:
    return Problem(problem.code, "here", problem.key, problem.origin, problem.params, Severity.WARNING)


def _hop(
    name: str,
    server: Server,
    credentials: Credentials,
    password: Reference | None,
    known_hosts: tuple[Reference, ...] | None,
    host_keys: tuple[str, ...],
    alias: str | None,
) -> Hop:
    return Hop(
        name,
        server.host,
        server.port,
        server.username,
        credentials.private_keys,
        credentials.passphrase,
        credentials.certificate,
        password,
        credentials.agent,
        known_hosts,
        host_keys,
        alias,
    )


def _bastion_credentials(settings: Settings, draft: Draft) -> Credentials:
    own = _credentials(settings.find, "bastion", "", settings.surroundings, draft)
    if settings.ssh is None or own.given:
        return own
    ssh = settings.ssh
    return Credentials(ssh.private_keys, own.passphrase, own.certificate or ssh.certificate, ssh.agent)


def _credentials(find: Find, hop: str, told: str, surroundings: Surroundings, draft: Draft) -> Credentials:
    """Read key, passphrase and certificate; *told* is the key to name in problems where it is not the field's own."""
    keys: tuple[Reference, ...] = ()
    agent = None
    if (entry := find("private_key")) and entry.value.strip():
        reference = key_reference(entry, surroundings)
        if reference.scheme == "agent":
            agent = reference.name.strip()
        else:
            keys = (reference,)
        if holds_private_key(reference):
            note_plain_text(draft, hop, told or "private_key", entry)
    certificate = find("certificate")
    return Credentials(
        keys,
        read_password(find, "private_key_passphrase", hop, surroundings, draft, told=told),
        key_reference(certificate, surroundings) if certificate and certificate.value.strip() else None,
        agent,
    )


def _pins(
    find: Find, hop: str, surroundings: Surroundings, draft: Draft, told: str = "host_key"
) -> tuple[tuple[Reference, ...] | None, tuple[str, ...]]:
    entry, pinned = find("known_hosts"), find("host_key")
    files = [key_text(each, entry.base, surroundings) for each in entry.value if each.strip()] if entry else []
    return tuple(files) or None, tuple(_fingerprints(pinned, hop, draft, told)) if pinned else ()


def _fingerprints(pinned: Entry, hop: str, draft: Draft, told: str) -> Iterator[str]:
    for written in filter(str.strip, pinned.value):
        try:
            yield read_fingerprint(written)
        except ValueError as error:
            draft.problem("config.bad-host-key", hop, told, pinned.origin, reason=str(error))


def _note_missing(draft: Draft, hop: str, key: str, settings: Settings) -> None:
    entry = settings.find(key)
    _note(draft, hop, key, entry.origin if entry else Origin("nowhere"), key)


_EXAMPLES = {
    "bastion_host": ("the SSH server to log in to", 'ssh_url = "ssh://tunnel@bastion.example.com"'),
    "bastion_username": ("the user to log in as", 'bastion_username = "tunnel"'),
    "private_key": ("a key, or bastion_password, to log in with", 'private_key = "~/.ssh/id_ed25519"'),
}


def _note(draft: Draft, hop: str, key: str, origin: Origin, field: str) -> None:
    what, example = _EXAMPLES[field]
    draft.problem("config.missing-field", hop, key, origin, field=field, what=what, example=example)
