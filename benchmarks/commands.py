"""The commands that a person types who has the tunnel's configuration before them.

They get what tunneldoctor gets, read from the same file: key, certificate, known_hosts, passwords, time. Where a person
would be asked (passphrase, password, the fingerprint of a host key), a program answers (ssh(1), ``SSH_ASKPASS``).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import database_clients
from fixtures.lab import client
from fixtures.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fixtures.lab.stage import Stage

#: What ``ssh`` prints on standard output once the forward stands (ssh_config(5), LocalCommand).
STANDS = "stands"

_SSH_URL = re.compile(r"ssh://(?:([^@/]+)@)?(\[[^]]+\]|[^@:/]+)(?::(\d+))?/?")
_LOCAL_FORWARD = re.compile(r"LocalForward\s+(?:\S+:)?(\d+)\s")
_AUTHORITY = re.compile(r"//(?:[^@/?]*@)?(\[[^]]*\]|[^:/?@]+)(?::(\d+))?")
_ASKED = """#!/bin/sh
case "$1" in
    *passphrase*) printf '%s\\n' "$BY_HAND_PASSPHRASE" ;;
    *fingerprint*continue*) printf '%s\\n' "$BY_HAND_FINGERPRINT" ;;
    *"type 'yes'"*) echo no ;;
    *) printf '%s\\n' "$BY_HAND_PASSWORD" ;;
esac
"""


class Commands:
    """``ssh -N -L`` for a staged tunnel, and the database's client through it. ``seconds`` is the tunnel's time-out,
    ``idle`` how long the connection is to be left unused, ``env`` what both need in their environment."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        file = tomllib.loads(stage.config.read_text())
        self.settings: dict[str, Any] = file.get("defaults", {}) | file.get("tunnels", {}).get(client.TUNNEL, {})
        self._entry = Path(stage.env["HOME"], ".ssh/config")
        self._port = int(self.settings.get("local_port") or 0) or self._port_of_entry() or free_port()
        wishes = dict(zip(stage.scenario.options, stage.scenario.options[1:], strict=False))
        self.seconds = _seconds(wishes.get("--timeout") or self.settings.get("connect_timeout") or "10s")
        self.idle = _seconds(wishes.get("--idle", "0s"))
        self.env = {**stage.env, **self._answers()}

    def ssh(self) -> list[str]:
        """``-J`` hands on no options to the jump hosts: they read the same ones from a file."""
        said = ["-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {STANDS}", "-o", "ExitOnForwardFailure=yes"]
        if self._entry.is_file():
            strictly = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
            return ["ssh", "-F", str(self._entry), "-N", *strictly, *said, client.TUNNEL]
        options = [word for name, value in self._options() for word in ("-o", f"{name}={value}")]
        keys = [word for path in self._files(self.settings, "private_key") for word in ("-i", path)]
        target = _target(self.settings)
        forward = ["-L", f"127.0.0.1:{self._port}:{target}"] if target else []
        return ["ssh", "-F", *self._jumps(), "-N", *options, *said, *keys, *forward, *_destination(self.settings)]

    def database(self) -> list[str]:
        """The client of the database that the configuration names."""
        return database_clients.command(str(self.settings.get("database", "")), self._port, self.seconds, self.idle)

    def _port_of_entry(self) -> int:
        """The local port of a Host of ssh_config; 0 where there is none."""
        match = _LOCAL_FORWARD.search(self._entry.read_text()) if self._entry.is_file() else None
        return int(match[1]) if match else 0

    def _options(self) -> list[tuple[str, str]]:
        settings = self.settings
        asks = bool(settings.keys() & {"private_key_passphrase", "bastion_password", "host_key"})
        options = [
            ("BatchMode", "no" if asks else "yes"),
            ("StrictHostKeyChecking", "ask" if settings.get("host_key") else "yes"),
            ("GlobalKnownHostsFile", "/dev/null"),
            ("UpdateHostKeys", "no"),
            ("NumberOfPasswordPrompts", "1"),
            ("ConnectTimeout", str(max(1, round(self.seconds)))),
            ("IdentityAgent", "SSH_AUTH_SOCK" if str(settings.get("private_key")).startswith("agent:") else "none"),
            ("UserKnownHostsFile", self._known_hosts()),
            *self._own(settings),
        ]
        if not self._files(settings, "private_key"):
            options.append(("IdentityFile", "none"))
        if keepalive := settings.get("keepalive"):
            options.append(("ServerAliveInterval", f"{_seconds(keepalive):g}"))
        return options

    def _known_hosts(self) -> str:
        if self.settings.get("host_key"):
            return "/dev/null"
        return " ".join(self._files(self.settings, "known_hosts")) or f"{self._stage.env['HOME']}/.ssh/known_hosts"

    def _own(self, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What comes with the key of the tunnel, or of a jump host that has its own."""
        only = [("IdentitiesOnly", "yes")] if self._files(settings, "private_key") else []
        return [*only, *(("CertificateFile", path) for path in self._files(settings, "certificate"))]

    def _jumps(self) -> list[str]:
        """The words after ``-F``."""
        via = self.settings.get("via")
        if not via:
            return ["none"]
        names = [hop if isinstance(hop, str) else f"via-{at}" for at, hop in enumerate(via, 1)]
        own = {name: hop for name, hop in zip(names, via, strict=True) if not isinstance(hop, str)}
        keys = [("IdentityFile", path) for path in self._files(self.settings, "private_key")]
        blocks = [*(self._block(name, hop, keys) for name, hop in own.items())]
        blocks += [_block(" ".join(["*", *(f"!{name}" for name in own)]), keys), _block("*", self._options())]
        file = self._stage.folder / "by-hand.config"
        file.write_text("".join(blocks))
        return [str(file), "-J", ",".join(names)]

    def _block(self, name: str, hop: Mapping[str, Any], keys: list[tuple[str, str]]) -> str:
        """A jump host that is a table, with what it has of its own; *keys* are the tunnel's."""
        match = _SSH_URL.fullmatch(str(hop.get("ssh_url")))
        user, host, port = match.groups() if match else (None, str(hop.get("ssh_url")), None)
        options = [("HostName", host.strip("[]")), ("Port", port or "22"), ("User", user or "root")]
        options += [("IdentityFile", path) for path in self._files(hop, "private_key")] or keys
        options += [("UserKnownHostsFile", " ".join(known))] if (known := self._files(hop, "known_hosts")) else []
        return _block(name, [*options, *self._own(hop)])

    def _files(self, settings: Mapping[str, Any], key: str) -> list[str]:
        """What *key* refers to, each as a file."""
        given = settings.get(key) or []
        return list(self._each_file(given if isinstance(given, list) else [given], key))

    def _each_file(self, references: list[str], key: str) -> Iterator[str]:
        for at, reference in enumerate(references):
            store, _, name = reference.partition(":")
            if store == "agent" and name:  # that one of its keys alone: named by the public half
                yield str(self._stage.folder / "id.pub")
            elif "\n" in reference or store == "env":
                path = self._stage.folder / f"by-hand-{key}-{at}"
                path.touch(mode=0o600)
                path.write_text(self._stage.env.get(name, "") if store == "env" else reference)
                yield str(path)
            elif store not in {"agent", "keyring"}:
                name = name if store == "file" else reference
                yield str(self._stage.folder / Path(name.replace("~", self._stage.env["HOME"], 1)))

    def _answers(self) -> dict[str, str]:
        """What psql and ssh would ask for."""
        program = self._stage.folder / "by-hand-asked"
        program.write_text(_ASKED)
        program.chmod(0o700)
        pins = self.settings.get("host_key", "")
        known = {
            **dict.fromkeys(("PGPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH"), self._secret("database_password")),
            "BY_HAND_PASSPHRASE": self._secret("private_key_passphrase"),
            "BY_HAND_PASSWORD": self._secret("bastion_password"),
            "BY_HAND_FINGERPRINT": pins if isinstance(pins, str) else pins[0],
            "SSH_ASKPASS": str(program),
            "SSH_ASKPASS_REQUIRE": "force",
        }
        return {name: value for name, value in known.items() if value}

    def _secret(self, key: str) -> str:
        reference = str(self.settings.get(key, ""))
        store, _, name = reference.partition(":")
        if store == "file":
            path = self._stage.folder / name
            return path.read_text().rstrip("\n") if path.is_file() else ""
        return self._stage.env.get(name, "") if store == "env" else reference


def _block(name: str, options: list[tuple[str, str]]) -> str:
    return "".join([f"Host {name}\n", *(f"{option} {value}\n" for option, value in options)])


def _destination(settings: Mapping[str, Any]) -> list[str]:
    """As ssh takes it; OpenSSH 9.2 reads no IPv6 address in an ``ssh://``. A damaged URL is passed on as it is."""
    url = settings.get("ssh_url")
    if url is None:
        user, host, port = (settings.get(f"bastion_{part}") for part in ("username", "host", "port"))
    elif match := _SSH_URL.fullmatch(url):
        user, host, port = match.groups()
    else:
        return ["--", url]
    words = [*(["-p", str(port)] if port else []), *(["-l", str(user)] if user else [])]
    return [*words, "--", str(host or "").strip("[]")]


def _target(settings: Mapping[str, Any]) -> str | None:
    """``host:port`` as a person reads it off the configuration."""
    if bind := settings.get("remote_bind"):
        return str(bind)
    match = _AUTHORITY.search(str(settings.get("database", "")))
    return f"{match[1]}:{match[2] or 5432}" if match else None


def _seconds(text: str) -> float:
    """A duration of the configuration, such as ``500ms``."""
    match = re.fullmatch(r"([\d.]+)(ms|s|m|h)", text)
    if match is None:
        raise ValueError(f"{text} is no duration")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]
