"""What repairing a private key's file would do, and the file as it should be. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from tunneldoctor.model import Severity
from tunneldoctor.ssh.damage import Damage
from tunneldoctor.ssh.keys import PATIENCE, Examination, examine
from tunneldoctor.ssh.ssh_keygen import converted

#: What is done about each damage that only the text around the key has.
_TEXT = {
    "key.crlf-line-endings": "end each line with a line feed alone",
    "key.escaped-newlines": "turn each backslash-n into a line break",
    "key.newlines-lost": "put the line breaks back",
    "key.missing-final-newline": "add the newline after the last line",
    "key.stray-text": "keep the key's own lines and nothing around or between them",
    "key.encoded-twice": "decode the base64 around the key file",
    "key.wrong-encoding": "save it as plain ASCII text",
    "key.truncated": "put back {missing}: nothing of the key itself is lost",
    "key.not-a-key": "write it as text, between BEGIN and END lines",
}
#: What is done where the key has to be written anew in another form.
_FORM = {
    "key.putty-format": "convert it from PuTTY's format to OpenSSH's",
    "key.sshcom-format": "convert it from ssh.com's format to OpenSSH's, with ssh-keygen -i",
    "key.openssh-cannot-load": "convert it to OpenSSH's own format",
    "key.cipher-unsupported": "encrypt it anew, with aes256-ctr in OpenSSH's own format",
}
#: What is no fault of the file.
NO_FAULT = ("key.passphrase-missing", "key.security-key")


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """What is wrong with a key, what is done about it in words, and what stays wrong after that.

    ``content`` is the repaired file, None where the file stays as it is. ``public`` is the fingerprint of the public
    half, None where it is not known without the passphrase. ``locked``: the file needs a passphrase.
    """

    damages: tuple[Damage, ...]
    steps: tuple[str, ...]
    left: tuple[Damage, ...]
    content: bytes | None
    public: str | None
    locked: bool

    @property
    def sound(self) -> bool:
        """True where OpenSSH can read the file after this."""
        return not any(each.severity is Severity.ERROR and each.code not in NO_FAULT for each in self.left)


def plan(data: bytes, passphrase: bytes | None = None, patience: float = PATIENCE) -> Plan:
    """Examine *data*, and undo first what is wrong with the text, then what is wrong with the form."""
    found = examine(data, passphrase, patience)
    locked = examine(data).key is None
    made = Plan(found.damages, (), found.damages, None, found.public, locked)
    for mend in (_mended_text, _mended_form):
        content, steps = mend(data, found, passphrase if locked else None)
        if content is None:
            continue
        after = examine(content, passphrase, patience)
        if not _same(found, after):
            break
        news = tuple(each for each in after.damages if each.code not in {old.code for old in made.damages})
        made = Plan((*made.damages, *news), (*made.steps, *steps), after.damages, content, after.public, locked)
        data, found = content, after
    return made


def _same(before: Examination, after: Examination) -> bool:
    """The public half is what it was, as far as it was known."""
    return before.public is None or before.public == after.public


def _mended_text(data: bytes, found: Examination, passphrase: bytes | None) -> tuple[bytes | None, list[str]]:
    damages = [each for each in found.damages if each.code in _TEXT]
    if found.text is None or not damages or not _whole(found):
        return None, []
    return found.text.rebuilt(), [_TEXT[each.code].format_map(dict(each.params)) for each in damages]


def _whole(found: Examination) -> bool:
    """Nothing of the key itself is lost, as far as that can be known without opening it."""
    codes = {each.code for each in found.damages}
    if found.key is not None:
        return True
    if "key.truncated" not in codes:
        return "key.corrupt" not in codes
    locked = codes & {"key.passphrase-missing", "key.passphrase-wrong"}
    return bool(locked) and found.text is not None and found.text.dek is None  # which shows no lengths inside


def _mended_form(data: bytes, found: Examination, passphrase: bytes | None) -> tuple[bytes | None, list[str]]:
    codes = {each.code for each in found.damages}
    steps = [step for code, step in _FORM.items() if code in codes]
    if not steps or "key.passphrase-wrong" in codes:
        return None, []
    clear = _from_sshcom(data) if "key.sshcom-format" in codes else found.clear
    return (None, []) if clear is None else (_written(clear, passphrase), steps)


def _from_sshcom(data: bytes) -> bytes | None:
    """ssh-keygen writes it as PEM; only keys without passphrase can be converted (ssh-keygen(1), -i)."""
    inner = converted(data)
    return examine(inner).clear if inner else None


def _written(clear: bytes, passphrase: bytes | None) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return load_ssh_private_key(clear, None).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption)
