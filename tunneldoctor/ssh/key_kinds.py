"""What was given where a private key belongs, when it is no private key in text form."""

import re

from tunneldoctor.ssh.blobs import Malformed, decode, fingerprint, key_type
from tunneldoctor.ssh.damage import Damage

_PUBLIC = re.compile(r"(?:^|\s)((?:ssh|ecdsa|sk)-[a-zA-Z0-9@.-]{2,60})[ \t]+([A-Za-z0-9+/]{40,}={0,2})")
_PUTTY = re.compile(r"PuTTY-User-Key-File-(\d+): ?([\w.@-]{1,60})")
_PATH = re.compile(
    r"(?:~|\.{1,2})?[/\\][^\n\r\0]{1,400}|[A-Za-z]:[/\\][^\n\r\0]{1,400}|[\w.-]{1,80}\.(?:pem|key|ppk)|id_\w{1,40}"
)
_BLOCKS = {
    "CERTIFICATE": "an X.509 certificate (SSH uses other certificates)",
    "CERTIFICATE REQUEST": "an X.509 certificate request",
    "PGP PRIVATE KEY BLOCK": "a PGP key",
    "PGP MESSAGE": "a PGP message",
    "DH PARAMETERS": "Diffie-Hellman parameters",
    "EC PARAMETERS": "the parameters of a curve without a key",
}


def classify(text: str, data: bytes) -> Damage:
    """The one damage that names what *text* (*data*, decoded) is."""
    stripped = text.strip().strip("\ufeff\0")
    if not stripped:
        return Damage("key.empty", {"bytes": len(data)}, seen=f"{len(data)} bytes, nothing in them but blanks")
    return _foreign_key(stripped) or _public(stripped) or _path(stripped) or _other(stripped, data)


def _foreign_key(text: str) -> Damage | None:
    putty = _PUTTY.search(text[:200])
    if putty:
        params = {"version": putty.group(1), "type": putty.group(2)}
        return Damage("key.putty-format", params, seen=f"PuTTY-User-Key-File-{putty.group(1)}")
    if re.search(r"---- ?BEGIN SSH2 (ENCRYPTED )?PRIVATE KEY ?----", text):
        return Damage("key.sshcom-format", {}, seen="BEGIN SSH2 ENCRYPTED PRIVATE KEY")
    return None


def _public(text: str) -> Damage | None:
    if re.search(r"-{4,5} ?BEGIN (SSH2 |RSA )?PUBLIC KEY ?-{4,5}", text):
        return Damage("key.public-key-given", {"fingerprint": None, "type": None}, seen="a BEGIN … PUBLIC KEY line")
    match = _PUBLIC.search(text[:20000])
    if not match:
        return None
    try:
        blob = decode(match.group(2))
        kind = key_type(blob)
    except Malformed:
        kind, blob = match.group(1), b""
    if "-cert-v01@" in kind:
        return Damage("key.certificate-given", {"type": kind}, seen=f"a certificate of type {kind}")
    params = {"type": kind, "fingerprint": fingerprint(blob) if blob else None}
    return Damage("key.public-key-given", params, seen=f"a public key of type {kind}")


def _path(text: str) -> Damage | None:
    if _PATH.fullmatch(text):
        return Damage("key.path-given", {"path": text}, seen="one line that reads as a path")
    return None


def _other(text: str, data: bytes) -> Damage:
    what = _described(text, data)
    return Damage("key.not-a-key", {"what": what}, seen=f"{len(data)} bytes: {what}")


def _described(text: str, data: bytes) -> str:
    block = re.search(r"-----BEGIN ([A-Z0-9 ]{2,40})-----", text)
    if block:
        return _BLOCKS.get(block.group(1), "a PEM block that is no private key")
    if data[:1] == b"\x30" and data[1:2] in b"\x81\x82\x83":
        return "binary data in DER form, such as a PKCS#12 file or an X.509 certificate"
    if re.match(rb"\0\0\0[\x07\x0b\x13](ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp\d{3})", data):
        return "a key in Dropbear's own form, which dropbearconvert dropbear openssh converts"
    if data[:5] == b"{SSH2" or data[:4] == b"\x3f\x6f\xf9\xeb":
        return "a binary key of ssh.com's"
    return _by_first_character(text, data)


def _by_first_character(text: str, data: bytes) -> str:
    lower = text[:200].lower()
    if lower.startswith(("<!doctype", "<html", "<?xml")):
        return "a web page or XML"
    if text[0] in "{[":
        return "JSON"
    if any(byte < 9 or 13 < byte < 32 for byte in data[:512]):
        return "binary data"
    return f"text of {text.count(chr(10)) + 1} lines without any key in it"
