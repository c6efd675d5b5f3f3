"""Examine a private key's bytes, offline: what is wrong with them, and the key itself where it can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import paramiko

from tunneldoctor.model import Severity
from tunneldoctor.ssh import openssh_key, putty
from tunneldoctor.ssh.blobs import Malformed, fingerprint
from tunneldoctor.ssh.damage import Damage, Refused
from tunneldoctor.ssh.key_kinds import classify
from tunneldoctor.ssh.key_loading import Loaded, load, load_putty, public_blob
from tunneldoctor.ssh.key_text import PADDING, Envelope, binary, decoded, envelope

__all__ = ["LARGEST", "PATIENCE", "Damage", "Examination", "examine"]

#: OpenSSH reads no larger key file (MAX_KEY_FILE_SIZE in authfile.c), in bytes.
LARGEST = 1024 * 1024
#: How long opening an encrypted key may take where nobody says otherwise, in seconds.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, repr=False)
class Examination:
    """What came of it.

    ``key`` is loaded from the repaired bytes where damage can be undone; ``clear`` is the same key as a file of
    OpenSSH's own form, without encryption. ``public`` is the fingerprint of the public half, which is known for some
    keys that can't be opened. ``text`` is the key freed of what was around it, where it is PEM.
    """

    damages: tuple[Damage, ...]
    key: paramiko.PKey | None = None
    public: str | None = None
    clear: bytes | None = None
    text: Envelope | None = None

    def __repr__(self) -> str:
        return f"Examination({[damage.code for damage in self.damages]}, {self.public})"


def examine(data: bytes, passphrase: bytes | None = None, patience: float = PATIENCE) -> Examination:
    """Examine *data*, taking no more than *patience* (seconds) for opening it.

    Nothing leaves the machine, no file is touched, and nothing is raised for any input.
    """
    if len(data) > LARGEST:
        params = {"what": f"{len(data)} bytes, far more than any key has"}
        return Examination((Damage("key.not-a-key", params, seen=params["what"]),))
    text, around = decoded(data)
    found = envelope(text, data, around) or binary(data)
    if found is not None:
        return _opened(found, passphrase, patience)
    what = classify(text, data)
    if what.code == "key.putty-format":
        return _putty(data, (*around, what), passphrase, patience)
    return Examination((*around, what))


def _putty(data: bytes, damages: tuple[Damage, ...], passphrase: bytes | None, patience: float) -> Examination:
    try:
        file = putty.parse(data)
    except (Malformed, openssh_key.Inconsistent, openssh_key.UnknownCipher):
        return Examination(damages)
    public = fingerprint(file.public)
    try:
        loaded = _load_patiently(lambda word: load_putty(file, word, patience), passphrase)
    except Refused as refusal:
        return Examination((*damages, refusal.damage), public=public)
    return Examination((*damages, *loaded.damages), loaded.key, public, loaded.clear)


def _opened(found: Envelope, passphrase: bytes | None, patience: float) -> Examination:
    try:
        loaded = _load_patiently(lambda word: load(found, word, patience), passphrase)
    except Refused as refusal:
        blob = public_blob(found)
        damages = _merged(found.damages, refusal.damage)
        return Examination(damages, public=fingerprint(blob) if blob else None, text=found)
    damages = _explained((*found.damages, *loaded.damages))
    return Examination(damages, loaded.key, loaded.key.fingerprint, loaded.clear, found)


def _load_patiently(attempt: Callable[[bytes | None], Loaded], passphrase: bytes | None) -> Loaded:
    """A passphrase that came with a line break of its file is tried without it, too."""
    try:
        return attempt(passphrase)
    except Refused as refusal:
        bare = (passphrase or b"").rstrip(b"\r\n")
        if refusal.damage.code != "key.passphrase-wrong" or not bare or bare == passphrase:
            raise
        loaded = attempt(bare)
    hint = Damage("key.passphrase-wrong", {"hint": "it has a line break at its end; without that it is right"})
    return replace(loaded, damages=(hint, *loaded.damages))


def _merged(around: tuple[Damage, ...], inside: Damage) -> tuple[Damage, ...]:
    """Damage around a key explains what is missing inside it; foreign characters inside are the corruption itself."""
    if inside.code not in ("key.corrupt", "key.truncated"):
        return (*around, inside)
    around = tuple(each for each in around if not _only_shows(each))
    named = {each.code for each in around}
    if inside.code in named or "key.not-a-key" in named:  # bytes that only began like a key
        return around
    return (*around, inside)


def _only_shows(damage: Damage) -> bool:
    """What a body that is damaged inside looks like from the outside."""
    return "between BEGIN and END" in str(damage.params.get("what")) or damage.params.get("missing") == PADDING


def _explained(damages: tuple[Damage, ...]) -> tuple[Damage, ...]:
    """That an OpenSSH can't load the file is worth a word only where no damage explains it."""
    if any(each.severity is Severity.ERROR for each in damages):
        return tuple(each for each in damages if each.code != "key.openssh-cannot-load")
    return damages
