"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client's side (RFC 5802, RFC 7677, channel binding RFC 5929 §4).

By hand on ``hashlib`` alone: the libraries for it derive the key in Python (some 40 ms for PostgreSQL's 4096 rounds,
where OpenSSL takes 1 ms) and take longer to import than the whole login takes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stringprep
import unicodedata

PLAIN = "SCRAM-SHA-256"
PLUS = "SCRAM-SHA-256-PLUS"
#: More rounds than this are refused: PostgreSQL's default is 4096, and a hostile server must not stop us here.
MOST_ROUNDS = 1_000_000


class ScramError(Exception):
    """The server's message is malformed, or does not prove that the server knows the password."""


class Scram:
    """One exchange. *binding* is the ``tls-server-end-point`` data, which selects -PLUS.

    ``could_bind`` is True where we could bind but the server does not offer it: the server then sees whether
    somebody between took the offer away (RFC 5802 §6).
    """

    def __init__(self, password: bytes, binding: bytes | None = None, could_bind: bool = False) -> None:
        self._password = _prepared(password)
        self._binding = binding or b""
        self._header = b"p=tls-server-end-point,," if binding else (b"y,," if could_bind else b"n,,")
        self._nonce = base64.b64encode(os.urandom(18))
        self._first = b"n=,r=" + self._nonce  # PostgreSQL takes the user from the startup message
        self._signature = b""

    @property
    def mechanism(self) -> str:
        """The SASL mechanism's name."""
        return PLUS if self._binding else PLAIN

    def first(self) -> bytes:
        """The client-first-message."""
        return self._header + self._first

    def final(self, server_first: bytes) -> bytes:
        """The client-final-message that answers *server_first*. Raises ScramError."""
        nonce, salt, rounds = self._challenge(server_first)
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, rounds)
        client_key = _hmac(salted, b"Client Key")
        bare = b"c=" + base64.b64encode(self._header + self._binding) + b",r=" + nonce
        said = b",".join((self._first, server_first, bare))
        proof = _xor(client_key, _hmac(hashlib.sha256(client_key).digest(), said))
        self._signature = _hmac(_hmac(salted, b"Server Key"), said)
        return bare + b",p=" + base64.b64encode(proof)

    def check(self, server_final: bytes) -> None:
        """Whether the server knows the password too. Raises ScramError."""
        given = _attributes(server_final).get("v", b"")
        if not self._signature or not hmac.compare_digest(given, base64.b64encode(self._signature)):
            raise ScramError("the server could not prove that it knows the password")

    def _challenge(self, server_first: bytes) -> tuple[bytes, bytes, int]:
        fields = _attributes(server_first)
        try:
            nonce, salt = fields["r"], base64.b64decode(fields["s"], validate=True)
            rounds = int(fields["i"])
        except (KeyError, ValueError, binascii.Error) as error:
            raise ScramError("the server's challenge is malformed") from error
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise ScramError("the server's challenge does not continue our nonce")
        if not 1 <= rounds <= MOST_ROUNDS:
            raise ScramError(f"the server asks for {rounds} rounds")
        return nonce, salt, rounds


def _attributes(message: bytes) -> dict[str, bytes]:
    parts = (part.partition(b"=") for part in message.split(b","))
    return {name.decode("latin-1"): value for name, _, value in parts}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _prepared(password: bytes) -> bytes:
    """SASLprep (RFC 4013) where it applies; else the bytes as they are, as PostgreSQL does (pg_saslprep)."""
    try:
        text = password.decode()
    except UnicodeDecodeError:
        return password
    if text.isascii():
        return password
    mapped = "".join(_mapped(character) for character in text)
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    return password if not normal or any(map(_prohibited, normal)) or _mixed(normal) else normal.encode()


def _mapped(character: str) -> str:
    if stringprep.in_table_c12(character):
        return " "
    return "" if stringprep.in_table_b1(character) else character


def _prohibited(character: str) -> bool:
    tables = (
        stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
        stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
        stringprep.in_table_c8, stringprep.in_table_c9,
    )  # fmt: skip
    return any(inside(character) for inside in tables)


def _mixed(text: str) -> bool:
    """Right-to-left text that breaks RFC 3454 §6."""
    if not any(map(stringprep.in_table_d1, text)):
        return False
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return any(map(stringprep.in_table_d2, text)) or not ends
