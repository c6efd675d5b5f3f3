"""Passphrases and passwords that were typed: they serve the runs of this session, and are written down nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tunneldoctor.model import FindingReport, Hop, Reference, Report, Secret, Tunnel

#: The prefix of a reference to what was typed.
_TYPED = "typed"
_PASSPHRASE, _PASSWORD = "passphrase", "password"
#: Findings that a typed secret would mend, and which secret that is.
_MISSING = {"key.passphrase-missing": _PASSPHRASE, "db.password-missing": _PASSWORD}
#: The same for one that was typed already: another try.
_WRONG = {"key.passphrase-wrong": _PASSPHRASE, "db.password-wrong": _PASSWORD}
#: Keys whose reference points at nothing (``config.secret-not-found``), with hop and secret.
_KEYS = {
    "private_key_passphrase": ("bastion", _PASSPHRASE),
    "bastion_password": ("bastion", _PASSWORD),
    "database_password": ("database", _PASSWORD),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A secret that is missing: ``name`` says which one, ``why`` what can't be done without it."""

    name: str
    why: str


class Asked:
    """Reads secrets, those that were typed as well. Call it as the engine's ``read_secret``."""

    def __init__(self, read: Callable[[Reference], Secret]) -> None:
        self._read = read
        self._typed: dict[str, Secret] = {}

    def __call__(self, reference: Reference) -> Secret:
        """What *reference* means. Raises SecretUnavailable."""
        return self._typed[reference.name] if reference.scheme == _TYPED else self._read(reference)

    def questions(self, report: Report) -> tuple[Question, ...]:
        """What *report* says is missing, or was typed wrong; each once, in the order of the path."""
        return tuple({each.name: each for each in self._all(report)}.values())

    def give(self, question: Question, secret: Secret) -> None:
        """Keep the answer to *question* until the program ends."""
        self._typed[question.name] = secret

    def tunnel(self, tunnel: Tunnel) -> Tunnel:
        """*tunnel* with what was typed in place of what its configuration lacks."""
        hops = tuple(self._hop(tunnel, hop) for hop in tunnel.hops)
        typed = self._reference(_name(tunnel, "database", _PASSWORD))
        database = replace(tunnel.database, password=typed) if tunnel.database and typed else tunnel.database
        return replace(tunnel, hops=hops, database=database)

    def _all(self, report: Report) -> Iterator[Question]:
        for check in report.checks:
            for finding in check.findings:
                place = self._place(report.tunnel, check.hop, finding)
                if place:
                    yield Question(place, finding.summary)

    def _place(self, tunnel: Tunnel, hop: str, finding: FindingReport) -> str | None:
        if what := _MISSING.get(finding.code):
            return _name(tunnel, hop, what)
        if what := _WRONG.get(finding.code):
            name = _name(tunnel, hop, what)
            return name if name in self._typed else None
        key = finding.params.get("key") if finding.code == "config.secret-not-found" else None
        return _name(tunnel, *_KEYS[str(key)]) if key in _KEYS else None

    def _hop(self, tunnel: Tunnel, hop: Hop) -> Hop:
        passphrase, password = (self._reference(_name(tunnel, hop.name, what)) for what in (_PASSPHRASE, _PASSWORD))
        return replace(hop, passphrase=passphrase or hop.passphrase, password=password or hop.password)

    def _reference(self, name: str) -> Reference | None:
        return Reference(_TYPED, name) if name in self._typed else None


def _name(tunnel: Tunnel, hop: str, what: str) -> str:
    """A passphrase belongs to a key, which several hops may use; a password to one server."""
    keys = next((each.private_keys for each in tunnel.hops if each.name == hop), ())
    if what == _PASSPHRASE and keys:
        return f"{what} for {keys[0]}"
    return f"{what} for the {hop} of {tunnel.name}"
