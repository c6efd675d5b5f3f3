"""How much the damage around a private key matters: an error where OpenSSH can't read the file, else a warning.

What OpenSSH takes and what it refuses is modelled on sshkey.c (``private2_uudecode``) and on OpenSSL's PEM reader
(pem_lib.c), and held against the real ``ssh-keygen`` in the tests.
"""

from __future__ import annotations

import re

from tunneldoctor.model import Severity
from tunneldoctor.ssh.damage import Damage
from tunneldoctor.ssh.openssh_key import BEGIN, END, OPENSSH

# Damage beside which a missing last newline is still worth a word.
_APART = {"key.missing-final-newline"}
# OpenSSL takes these off the end of a line: blanks, controls, and (its char being signed) everything above ASCII.
_STRIPPED = bytes([*range(33), *range(128, 256)])


def weighed(damages: list[Damage], label: str, data: bytes) -> list[Damage]:
    """Give each damage the weight that it has for OpenSSH, and drop what disturbs nobody."""
    if _reads(data, label):
        return [_as_warning(each) for each in damages if each.code == "key.crlf-line-endings" or "BOM" in _what(each)]
    if label != OPENSSH:
        damages = [_as_warning(each) if each.params.get("ending") == "CRLF" else each for each in damages]
        damages = [each for each in damages if not _harmless_in_pem(each)]
    damages = _together(_without_the_obvious(damages))
    if not any(each.severity is Severity.ERROR for each in damages):
        return [*damages, Damage("key.stray-text", {"what": "empty lines, or a layout that is not a key file's"})]
    return damages


def _what(damage: Damage) -> str:
    return str(damage.params.get("what", ""))


def _harmless_in_pem(damage: Damage) -> bool:
    return damage.code == "key.missing-final-newline" or _what(damage).endswith("after the END line")


def _without_the_obvious(damages: list[Damage]) -> list[Damage]:
    """No last newline, or blanks, beside lost newlines or quotation marks are no second fault."""
    codes = {each.code for each in damages}
    if codes & {"key.newlines-lost", "key.escaped-newlines"}:
        damages = [each for each in damages if not _what(each).startswith("blanks")]
    if any(each.code not in _APART and each.params.get("ending") != "CRLF" for each in damages):
        damages = [each for each in damages if each.code != "key.missing-final-newline"]
    return damages


def _together(damages: list[Damage]) -> list[Damage]:
    """One finding for all that is stray."""
    stray = [each for each in damages if each.code == "key.stray-text"]
    if len(stray) < 2:
        return damages
    what, seen = (", and ".join(_what(each) for each in stray), "; ".join(each.seen for each in stray if each.seen))
    severity = min((each.severity for each in stray), key=lambda each: each.rank)
    others = [each for each in damages if each.code != "key.stray-text"]
    return [*others, Damage("key.stray-text", {"what": what}, severity, seen)]


def _as_warning(damage: Damage) -> Damage:
    return Damage(damage.code, damage.params, Severity.WARNING, damage.seen)


def _reads(data: bytes, label: str) -> bool:
    """True where OpenSSH 9 finds the key's envelope in *data* as it stands."""
    return _openssh_reads(data) if label == OPENSSH else _pem_reads(data, label)


def _openssh_reads(data: bytes) -> bool:
    begin, end = BEGIN.encode() + b"\n", b"\n" + END.encode() + b"\n"
    if not data.startswith(begin) or end not in data:
        return False
    body = data[len(begin) : data.index(end)]
    return _is_base64(body)


def _is_base64(body: bytes) -> bool:
    """Nothing else in it, and in whole groups of four."""
    return not re.search(rb"[^A-Za-z0-9+/=\s]", body) and len(b"".join(body.split())) % 4 == 0


def _pem_reads(data: bytes, label: str) -> bool:
    lines = [line.rstrip(_STRIPPED) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    begin, end = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    if not label or begin not in lines or end not in lines[lines.index(begin) :]:
        return False
    start = lines.index(begin) + 1
    body = lines[start : lines.index(end, start)]
    if body and body[0].startswith(b"Proc-Type:"):
        body = body[body.index(b"") + 1 :] if b"" in body else [b"?"]
    return b"" not in body and _is_base64(b"\n".join(body))
