"""A private key as text: what pasting, editors and secret stores did to it, undone as far as it can be."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from tunneldoctor.ssh import der
from tunneldoctor.ssh.blobs import Malformed, decode
from tunneldoctor.ssh.damage import Damage
from tunneldoctor.ssh.key_weight import weighed
from tunneldoctor.ssh.openssh_key import MAGIC, OPENSSH

#: What is missing where only the ``=`` at the end are.
PADDING = "the padding (=) at its end"
_DASH = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
_LABEL = r"((?!SSH2)(?:[A-Z0-9]+ ){0,3}PRIVATE KEY)"
# Whatever is repeated starts where its run starts: else a long run would be gone through again from each place in it.
_BEGIN = re.compile(rf"(?<![{_DASH}])[{_DASH}]{{2,}} ?BEGIN {_LABEL} ?[{_DASH}]{{2,}}")
_END = re.compile(rf"(?<![{_DASH}])[{_DASH}]{{2,}} ?END {_LABEL} ?[{_DASH}]{{2,}}")
_HEADERS = re.compile(
    r"[\s>]*Proc-Type:\s*4\s*,\s*ENCRYPTED[\s>]*DEK-Info:\s*([A-Z0-9-]{3,20})\s*,\s*([0-9A-Fa-f]{16,32})\s*"
)
_ESCAPED = re.compile(r"(?<!\\)(?:\\+r)?\\+n")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_PARAMETERS = re.compile(r"-----BEGIN EC PARAMETERS-----[^-]*-----END EC PARAMETERS-----\r?\n?")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")


@dataclass(frozen=True, slots=True)
class Dek:
    """The encryption that a traditional PEM key names in its header (RFC 1421 §4.6.1.3)."""

    cipher: str
    iv: str

    @property
    def complete(self) -> bool:
        """True where the initialisation vector has its cipher's length: 8 bytes for DES, 16 for AES."""
        return len(self.iv) == _iv_digits(self.cipher)


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """A key lifted out of its text: the label between the dashes, base64 alone, and what was wrong around it."""

    label: str
    body: str
    dek: Dek | None
    damages: tuple[Damage, ...]

    def rebuilt(self) -> bytes:
        """The text as the tool that made the key would have written it."""
        width = 70 if self.label == OPENSSH else 64
        lines = [self.body[start : start + width] for start in range(0, len(self.body), width)]
        head = ["Proc-Type: 4,ENCRYPTED", f"DEK-Info: {self.dek.cipher},{self.dek.iv}", ""] if self.dek else []
        return "\n".join([f"-----BEGIN {self.label}-----", *head, *lines, f"-----END {self.label}-----", ""]).encode()


def decoded(data: bytes) -> tuple[str, list[Damage]]:
    """*data* as text, with encodings around the text undone."""
    text, damages = _characters(data)
    inner = _inner_base64(text)
    if inner is not None:
        damages.append(Damage("key.encoded-twice", {}, seen=f"{len(text)} base64 characters that decode to a key file"))
        text = inner
    if "\\n" in text and (_BEGIN.search(text) or _END.search(text)):
        count = len(_ESCAPED.findall(text))
        damages.append(Damage("key.escaped-newlines", {"count": count}, seen=f"{count} times a backslash and an n"))
        text = _ESCAPED.sub("\n", text)
    return text, damages


def _characters(data: bytes) -> tuple[str, list[Damage]]:
    for mark, encoding in ((b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _wide(data, encoding)
    even, odd = data[:40:2], data[1:40:2]
    if len(data) > 20 and (any(even) != any(odd)) and 0 not in (even if any(even) else odd):
        return _wide(data, "utf-16-le" if any(even) else "utf-16-be")
    if data.startswith(b"\xef\xbb\xbf"):
        stray = Damage("key.stray-text", {"what": "a byte-order mark (BOM) at the start"}, seen="EF BB BF at offset 0")
        return data[3:].decode("utf-8", "replace"), [stray]
    return data.decode("utf-8", "replace"), []


def _wide(data: bytes, encoding: str) -> tuple[str, list[Damage]]:
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    name = encoding.upper().replace("16-", "16")  # as iconv knows it
    return text, [Damage("key.wrong-encoding", {"encoding": name}, seen=f"{len(data)} bytes, {name}")]


def _inner_base64(text: str) -> str | None:
    """The key file inside *text*, where that is base64 of a whole one."""
    packed = "".join(text.split()).strip(_QUOTES).rstrip("=")
    try:
        inner = decode(packed + "=" * (-len(packed) % 4))
    except Malformed:
        return None
    return inner.decode("utf-8", "replace") if b"-----BEGIN " in inner[:4096] else None


def envelope(text: str, data: bytes, damages: list[Damage]) -> Envelope | None:
    """Find the one private key in *text*; None where there is none. *data* is the file as it stands."""
    begin, end = _markers(text)
    if begin is None and end is None:
        return _bare(text, damages)
    label = (begin or end).group(1)  # type: ignore[union-attr]
    found = [*damages, *_cut(begin, end), *_layout(text, begin, end)]
    region = text[begin.end() if begin else 0 : end.start() if end else len(text)]
    dek, body = _headers(region if end else re.sub(rf"\n[{_DASH}].*\Z", "", region, flags=re.S))
    packed, unpadded = _padded(_NOT_BASE64.sub("", body))
    found += [*_foreign(body), *unpadded]
    if begin and end and begin.group(1) != end.group(1):
        found.append(Damage("key.corrupt", {"reason": "its first and last line name different kinds of key"}))
    return Envelope(label, packed, dek, tuple(weighed(found, label, data)))


def _markers(text: str) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    begin = _BEGIN.search(text)
    return begin, _END.search(text, begin.end() if begin else 0)


def _padded(packed: str) -> tuple[str, list[Damage]]:
    """Base64 comes in groups of four; what fills up the last one is easily lost, and nothing with it."""
    core = packed.rstrip("=")
    if len(packed) % 4 == 0 or len(core) % 4 == 1:
        return packed, []
    cut = Damage("key.truncated", {"missing": PADDING}, seen=f"{len(packed)} base64 characters, no multiple of 4")
    return core + "=" * (-len(core) % 4), [cut]


def _bare(text: str, damages: list[Damage]) -> Envelope | None:
    """Key material whose first and last line are both gone."""
    packed, _ = _padded("".join(text.split()))
    try:
        data = decode(packed) if len(packed) >= 60 else b""
    except Malformed:
        return None
    label = OPENSSH if data.startswith(MAGIC) else der.label(data)
    if label is None:
        return None
    cut = Damage("key.truncated", {"missing": "the BEGIN and END lines"}, seen=f"{len(packed)} base64 characters alone")
    return Envelope(label, packed, None, (*damages, cut))


def binary(data: bytes) -> Envelope | None:
    """A key in DER, which openssl writes with ``-outform DER``; None where *data* is none."""
    label = der.label(data)
    if label is None:
        return None
    what = "a key in binary form (DER), which must be converted to text"
    seen = f"{len(data)} bytes: what belongs between BEGIN and END {label}, in binary"
    damage = Damage("key.not-a-key", {"what": what}, seen=seen)
    return Envelope(label, base64.b64encode(data).decode("ascii"), None, (damage,))


def _cut(begin: re.Match[str] | None, end: re.Match[str] | None) -> list[Damage]:
    if begin and end:
        return []
    missing = "the END line" if begin else "the BEGIN line"
    return [Damage("key.truncated", {"missing": missing}, seen=f"{missing} is not there")]


def _layout(text: str, begin: re.Match[str] | None, end: re.Match[str] | None) -> list[Damage]:
    inside = text[begin.end() if begin else 0 : end.start() if end else len(text)]
    found = [*_line_ends(text), *_joined(inside, begin, end)]
    for match in (begin, end):
        if match and not re.fullmatch(rf"-----(BEGIN|END) {_LABEL}-----", match.group()):
            what = f"dashes or blanks that do not belong in the {'BEGIN' if match is begin else 'END'} line"
            found.append(Damage("key.stray-text", {"what": what}))
    if begin:
        found += _stray(text[: begin.start()], "before the BEGIN line")
    if end:
        found += _stray(text[end.end() :], "after the END line")
    if end and "\n" not in text[end.end() :]:
        found.append(Damage("key.missing-final-newline", {}, seen="nothing follows the END line"))
    return found


def _line_ends(text: str) -> list[Damage]:
    both, alone = text.count("\r\n"), len(re.findall(r"\r(?!\n)", text))
    if both:
        seen = f"{both} lines end in carriage return and line feed"
        return [Damage("key.crlf-line-endings", {"count": both, "ending": "CRLF"}, seen=seen)]
    if alone > 1:
        seen = f"{alone} lines end in carriage return alone"
        return [Damage("key.crlf-line-endings", {"count": alone, "ending": "CR"}, seen=seen)]
    return []


def _joined(inside: str, begin: re.Match[str] | None, end: re.Match[str] | None) -> list[Damage]:
    first, last = re.split(r"[\r\n]", inside, maxsplit=1)[0], re.split(r"[\r\n]", inside)[-1]
    if (begin and _visible(first)) or (end and _visible(last)):
        lines = len(re.findall(r"[\r\n]", inside))
        return [Damage("key.newlines-lost", {}, seen=f"{lines} line breaks between BEGIN and END")]
    if (begin and first) or (end and last) or re.search(r"[ \t\u00a0][\r\n]", inside):
        return [Damage("key.stray-text", {"what": "blanks at the ends or beginnings of lines"})]
    return []


def _visible(text: str) -> bool:
    return bool(re.search(r"[A-Za-z0-9+/]", text))


def _stray(around: str, where: str) -> list[Damage]:
    """Anything but line breaks around the key; the text itself is not shown, for it may be another secret."""
    around = _PARAMETERS.sub("", around)
    if where.startswith("after"):
        around = around.removeprefix("\r").removeprefix("\n") if around.strip() else around.lstrip("\r\n")
    if not around:
        return []
    bare = around.strip()
    if not bare:
        what = "blanks or empty lines"
    elif not bare.strip(_INVISIBLE):
        what = "invisible characters"
    elif not bare.strip(_QUOTES):
        what = "quotation marks"
    else:
        what = f"{len(bare)} characters of other text"
    return [Damage("key.stray-text", {"what": f"{what} {where}"}, seen=f"{len(around)} characters {where}")]


def _headers(region: str) -> tuple[Dek | None, str]:
    match = _HEADERS.match(region)
    if not match:
        return None, region
    cipher, digits = match.groups()
    size = _iv_digits(cipher)
    return Dek(cipher, digits[:size].upper()), region[match.start(2) + size :]


def _iv_digits(cipher: str) -> int:
    return 16 if cipher.startswith("DES") else 32


def _foreign(body: str) -> list[Damage]:
    """Characters inside the body that are neither base64 nor white space."""
    foreign = [each for each in _NOT_BASE64.findall(body) if not each.isspace()]
    if not foreign:
        return []
    what = f"{len(foreign)} characters between BEGIN and END that do not belong there"
    points = ", ".join(sorted({f"U+{ord(each):04X}" for each in foreign})[:8])
    return [Damage("key.stray-text", {"what": what}, seen=points)]
