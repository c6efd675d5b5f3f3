"""From what stands in the configuration to a reference to a secret."""

import re
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.config.settings import Draft, Entry, Find, Surroundings
from tunneldoctor.model import Reference, Secret

#: Prefixes that name a store; each needs its reader in :mod:`tunneldoctor.config.secrets`.
SCHEMES = ("file", "env", "keyring")

# Text of a key instead of a path to one: a PEM or PuTTY header, either of them in base64, or a bare OpenSSH body.
_PRIVATE = re.compile(r"-----BEGIN|PRIVATE KEY|PuTTY-User-Key-File|LS0tLS1CRUdJT|b3BlbnNzaC1rZXktdjE")
# A public key or certificate, alone or behind a host pattern or a marker as in known_hosts (sshd(8)).
_PUBLIC = re.compile(r"(?:^|\s)(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]+\s+AAAA")


@dataclass(frozen=True, slots=True)
class TextReference(Reference):
    """A reference to one line of text, a password or a passphrase: the line's end is not part of it.

    Keys are read byte for byte instead, because how a key ends may be what is wrong with it.
    """


def literal(text: str) -> TextReference:
    """A password that was written where a reference belongs."""
    return TextReference("literal", "", Secret.of(text))


def key_reference(entry: Entry, surroundings: Surroundings) -> Reference:
    """What *entry* refers to where a key, a certificate or a list of hosts belongs: a bare value is a path."""
    return key_text(entry.value, entry.base, surroundings)


def key_text(value: str, base: Path, surroundings: Surroundings) -> Reference:
    """The same for one *value*; a relative path in it starts at *base*."""
    if _PRIVATE.search(value) or _PUBLIC.search(value) or "\n" in value.strip():
        return Reference("literal", "", Secret.of(value))
    scheme, colon, name = value.strip().partition(":")
    if not colon or scheme not in (*SCHEMES, "agent"):
        scheme, name = "file", value.strip()
    return Reference(scheme, _path(name, base, surroundings) if scheme == "file" else name)


def password_reference(entry: Entry, surroundings: Surroundings) -> Reference:
    """What *entry* refers to where a password belongs: without a known prefix it is the password itself."""
    scheme, colon, name = entry.value.partition(":")
    if not colon or scheme not in SCHEMES:
        return literal(entry.value)
    return TextReference(scheme, _path(name, entry.base, surroundings) if scheme == "file" else name.strip())


def read_password(
    find: Find, key: str, hop: str, surroundings: Surroundings, draft: Draft, told: str = ""
) -> Reference | None:
    """What *key* refers to, or None where nothing was given; a password in plain text is noted.

    *told* is the key to name then, where it is not *key* itself.
    """
    entry = find(key)
    if entry is None or not entry.value:
        return None
    reference = password_reference(entry, surroundings)
    if reference.is_literal:
        note_plain_text(draft, hop, told or key, entry)
    return reference


def holds_private_key(reference: Reference) -> bool:
    """True for a key that was pasted in, unless it is a public one."""
    if reference.secret is None:
        return False
    text = reference.secret.reveal().decode(errors="replace")
    return bool(_PRIVATE.search(text)) or not _PUBLIC.search(text)


def note_plain_text(draft: Draft, hop: str, key: str, entry: Entry) -> None:
    """Note that a secret itself was given; on the command line others can see it."""
    where = "on the command line" if entry.exposed else "in the configuration"
    seen_by = (
        "every user of this machine can read it in the list of processes, and the shell keeps it in its history"
        if entry.exposed
        else "whoever reads the file, its backups or its repository has the secret"
    )
    draft.problem("config.secret-in-plain-text", hop, key, entry.origin, where=where, seen_by=seen_by)


def _path(name: str, base: Path, surroundings: Surroundings) -> str:
    if name.startswith("///"):  # file:///home/…: an empty host, then the path (RFC 8089)
        name = name[2:]
    return str(expand(name.strip(), base, surroundings)) if name.strip() else ""


def expand(name: str, base: Path, surroundings: Surroundings) -> Path:
    """The path that *name* means: ``~`` is the user's home, a relative one starts at *base*."""
    if name == "~" or name.startswith("~/"):
        return surroundings.home / name[2:]
    try:
        return base / Path(name).expanduser()
    except RuntimeError:  # ~name, and no such user
        return base / name
