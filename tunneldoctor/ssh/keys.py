"""Examine a private key's bytes, offline: what is wrong with them, and the key itself where it can be had."""

from __future__ import annotations

from dataclasses import dataclass

import paramiko

from tunneldoctor.model import Severity
from tunneldoctor.ssh.blobs import fingerprint
from tunneldoctor.ssh.damage import Damage, Refused
from tunneldoctor.ssh.key_kinds import classify
from tunneldoctor.ssh.key_loading import Loaded, load, public_blob
from tunneldoctor.ssh.key_text import Envelope, decoded, envelope

__all__ = ["LARGEST", "Damage", "Examination", "examine"]

#: OpenSSH reads no larger key file (MAX_KEY_FILE_SIZE in authfile.c), in bytes.
LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Examination:
    """What came of it.

    ``key`` is loaded from the repaired bytes where damage can be undone. ``public`` is the fingerprint of the public
    half, which is known for some keys that can't be opened.
    """

    damages: tuple[Damage, ...]
    key: paramiko.PKey | None = None
    public: str | None = None

    def __repr__(self) -> str:
        return f"Examination({[damage.code for damage in self.damages]}, {self.public})"


def examine(data: bytes, passphrase: bytes | None = None) -> Examination:
    """Examine *data*. Nothing leaves the machine, no file is touched, and nothing is raised for any input."""
    if len(data) > LARGEST:
        params = {"what": f"{len(data)} bytes, far more than any key has"}
        return Examination((Damage("key.not-a-key", params, seen=params["what"]),))
    text, around = decoded(data)
    found = envelope(text, data, around)
    if found is None:
        return Examination((*around, classify(text, data)))
    return _opened(found, passphrase)


def _opened(found: Envelope, passphrase: bytes | None) -> Examination:
    try:
        loaded = _load_patiently(found, passphrase)
    except Refused as refusal:
        blob = public_blob(found)
        damages = _merged(found.damages, refusal.damage)
        return Examination(damages, public=fingerprint(blob) if blob else None)
    damages = _explained((*found.damages, *loaded.damages))
    return Examination(damages, loaded.key, loaded.key.fingerprint)


def _load_patiently(found: Envelope, passphrase: bytes | None) -> Loaded:
    """A passphrase that came with a line break of its file is tried without it, too."""
    try:
        return load(found, passphrase)
    except Refused as refusal:
        bare = (passphrase or b"").rstrip(b"\r\n")
        if refusal.damage.code != "key.passphrase-wrong" or not bare or bare == passphrase:
            raise
        loaded = load(found, bare)
    hint = Damage("key.passphrase-wrong", {"hint": "it has a line break at its end; without that it is right"})
    return Loaded(loaded.key, (hint, *loaded.damages))


def _merged(around: tuple[Damage, ...], inside: Damage) -> tuple[Damage, ...]:
    """Damage around a key explains what is missing inside it; foreign characters inside are the corruption itself."""
    if inside.code == "key.truncated" and any(each.code == "key.truncated" for each in around):
        return around
    if inside.code in ("key.corrupt", "key.truncated"):
        around = tuple(each for each in around if "between BEGIN and END" not in str(each.params.get("what")))
    if inside.code in ("key.corrupt", "key.truncated") and any(each.code == inside.code for each in around):
        return around
    return (*around, inside)


def _explained(damages: tuple[Damage, ...]) -> tuple[Damage, ...]:
    """That an OpenSSH can't load the file is worth a word only where no damage explains it."""
    if any(each.severity is Severity.ERROR for each in damages):
        return tuple(each for each in damages if each.code != "key.openssh-cannot-load")
    return damages
