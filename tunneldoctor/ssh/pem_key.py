"""Keys in OpenSSL's forms: traditional PEM (PKCS#1, SEC 1) and PKCS#8, encrypted or not."""

from __future__ import annotations

import hashlib
import re
from typing import TypeAlias

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tunneldoctor.model import Severity
from tunneldoctor.ssh import der, opening
from tunneldoctor.ssh.blobs import Malformed
from tunneldoctor.ssh.damage import Damage, refused
from tunneldoctor.ssh.key_text import Dek, Envelope

Opened: TypeAlias = tuple[PrivateKeyTypes, tuple[Damage, ...]]

# What cryptography raises on bytes that are no good key (InternalError: an X448 key of a wrong length).
_ERRORS = (ValueError, TypeError, OverflowError, NotImplementedError, InternalError)
_KEY_SIZES = {"AES-128-CBC": 16, "AES-192-CBC": 24, "AES-256-CBC": 32, "DES-EDE3-CBC": 24, "DES-CBC": 8}
# paramiko knows no AES-192 there; OpenSSL 3 has single DES only in its legacy provider.
_SELDOM = {"AES-192-CBC": Severity.WARNING, "DES-CBC": Severity.ERROR}
# Further ciphers that OpenSSL 3 opens; what else there was is in its legacy provider, which OpenSSH does not load.
_OPENSSL_HAS = re.compile(r"(AES|CAMELLIA|ARIA)-(128|192|256)-[A-Z0-9]+|DES-EDE3?-[A-Z0-9]+")
# What cryptography opens; the last two OpenSSL has in its legacy provider only.
_PKCS8_OPENED = {
    "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC", "PBE-SHA1-3DES", "PBE-MD5-DES", "PBE-SHA1-RC4-128",
}  # fmt: skip
_PKCS8_LEGACY = re.compile(r"PBE-(MD\d|SHA1)-(DES|RC\d).*|(DES|RC2|BF|CAST5)-CBC")
#: OpenSSL gives scrypt no more than this (SCRYPT_MAX_MEM in its scrypt.c), in bytes.
_SCRYPT_MEMORY = 32 * 1024 * 1024


def opened(envelope: Envelope, data: bytes, passphrase: bytes | None, patience: float) -> Opened:
    """The key in *data*, the envelope's body decoded. Raises Refused."""
    if envelope.label == "DSA PRIVATE KEY":
        raise refused("key.type-unsupported", "of type ssh-dss", type="ssh-dss")
    if envelope.dek:
        return _traditional(envelope.dek, data, passphrase)
    _must_be_whole(data)
    if envelope.label == "ENCRYPTED PRIVATE KEY":
        return _pkcs8(data, passphrase, patience)
    return _parsed(data), ()


def _must_be_whole(data: bytes) -> None:
    try:
        der.whole(data)
    except Malformed as error:
        raise refused("key.truncated", str(error), missing="a part of its middle or end") from error


def _parsed(data: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_der_private_key(data, None)
    except UnsupportedAlgorithm as error:
        raise refused("key.type-unsupported", type="an unusual kind of key") from error
    except _ERRORS as error:
        reason = "its contents are not a key of the kind that its first line names"
        raise refused("key.corrupt", reason=reason) from error


def _traditional(dek: Dek, data: bytes, passphrase: bytes | None) -> Opened:
    """Encrypted as the header says; cryptography knows fewer of its ciphers than OpenSSL does."""
    if dek.cipher not in _KEY_SIZES:
        severity = Severity.WARNING if _OPENSSL_HAS.fullmatch(dek.cipher) else Severity.ERROR
        raise refused("key.cipher-unsupported", "", severity, cipher=dek.cipher)
    if not dek.complete:
        raise refused("key.corrupt", reason="the DEK-Info line is cut short")
    if not data or len(data) % (16 if "AES" in dek.cipher else 8):
        raise refused("key.truncated", f"{len(data)} bytes", missing="a part of its middle or end")
    if not passphrase:
        raise refused("key.passphrase-missing", f"encrypted ({dek.cipher})", cipher=dek.cipher)
    clear = _decrypted(dek, data, passphrase)
    try:
        unpadder = padding.PKCS7(len(dek.iv) * 4).unpadder()
        private = serialization.load_der_private_key(unpadder.update(clear) + unpadder.finalize(), None)
    except UnsupportedAlgorithm as error:
        raise refused("key.type-unsupported", type="an unusual kind of key") from error
    except _ERRORS as error:
        if der.is_cut_short(clear):  # what is there has been decrypted well
            raise refused("key.truncated", missing="a part of its middle or end") from error
        raise refused("key.passphrase-wrong", "the key does not open with this passphrase") from error
    return private, _seldom(dek.cipher, _SELDOM.get(dek.cipher))


def _decrypted(dek: Dek, data: bytes, passphrase: bytes) -> bytes:
    """EVP_BytesToKey of OpenSSL with MD5 and one round, then CBC; the padding is still there."""
    iv, secret, last = bytes.fromhex(dek.iv), b"", b""
    while len(secret) < _KEY_SIZES[dek.cipher]:
        last = hashlib.md5(last + passphrase + iv[:8], usedforsecurity=False).digest()
        secret += last
    secret = secret[: _KEY_SIZES[dek.cipher]]
    algorithm = algorithms.AES(secret) if "AES" in dek.cipher else TripleDES(secret * (3 if len(secret) == 8 else 1))
    decryptor = Cipher(algorithm, modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _pkcs8(data: bytes, passphrase: bytes | None, patience: float) -> Opened:
    found = der.encryption(data)
    if found is None:
        raise refused("key.corrupt", reason="how it is encrypted can't be read")
    if not passphrase:
        raise refused("key.passphrase-missing", f"encrypted ({found.cipher})", cipher=f"PKCS#8, {found.cipher}")
    if found.memory > _SCRYPT_MEMORY:
        raise opening.dear(found.cipher, f"scrypt with {found.memory >> 20} MiB", hopeless=True)
    opening.within(patience, found.rounds / opening.HASHES, found.cipher, f"{found.rounds} rounds of hashing")
    legacy = bool(_PKCS8_LEGACY.fullmatch(found.cipher))
    try:
        private = serialization.load_der_private_key(data, passphrase)
    except _ERRORS as error:
        if found.cipher in _PKCS8_OPENED:
            raise refused("key.passphrase-wrong", "the key does not open with this passphrase") from error
        severity = Severity.ERROR if legacy else Severity.WARNING
        raise refused("key.cipher-unsupported", "", severity, cipher=found.cipher) from error
    except UnsupportedAlgorithm as error:
        raise refused("key.type-unsupported", type="an unusual kind of key") from error
    return private, _seldom(found.cipher, Severity.ERROR if legacy else None)


def _seldom(cipher: str, severity: Severity | None) -> tuple[Damage, ...]:
    """A cipher that opens here and not everywhere."""
    if severity is None:
        return ()
    return (Damage("key.cipher-unsupported", {"cipher": cipher}, severity, f"encrypted with {cipher}"),)
