"""From a key's bytes, freed of damage, to a key that paramiko can sign with. Everything happens in memory."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tunneldoctor.model import Severity
from tunneldoctor.ssh import openssh_key
from tunneldoctor.ssh.blobs import Malformed, Reader, decode, fingerprint, key_type
from tunneldoctor.ssh.damage import Damage, Refused, refused
from tunneldoctor.ssh.key_text import Envelope
from tunneldoctor.ssh.openssh_key import OPENSSH

#: What paramiko, cryptography or bcrypt raise on bytes that are no good key (AssertionError, KeyError: paramiko).
LIBRARY_ERRORS = (
    paramiko.SSHException,
    ValueError,
    TypeError,
    AssertionError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    NotImplementedError,
    struct.error,
    UnsupportedAlgorithm,
)
_CLASSES: dict[str, type[paramiko.RSAKey] | type[paramiko.ECDSAKey] | type[paramiko.Ed25519Key]] = {
    "ssh-ed25519": paramiko.Ed25519Key,
    "ssh-rsa": paramiko.RSAKey,
    "ecdsa-sha2-nistp256": paramiko.ECDSAKey,
    "ecdsa-sha2-nistp384": paramiko.ECDSAKey,
    "ecdsa-sha2-nistp521": paramiko.ECDSAKey,
}
# Ciphers of a traditional PEM key that OpenSSL 3 opens without its legacy provider.
_PEM_CIPHERS = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"}
_TOO_SHORT, _UNUSABLE = 2048, 1024  # bits; OpenSSH's own limit is SSH_RSA_MINIMUM_MODULUS_SIZE in sshkey.h


@dataclass(frozen=True, slots=True, repr=False)
class Loaded:
    """A key that can sign, and what is to be said about it although it loads."""

    key: paramiko.PKey
    damages: tuple[Damage, ...] = ()


def load(envelope: Envelope, passphrase: bytes | None) -> Loaded:
    """Raises :class:`Refused`, and nothing else."""
    try:
        data = decode(envelope.body)
    except Malformed:
        data = _as_far_as_it_goes(envelope.body)
    loaded = _openssh(data, passphrase) if envelope.label == OPENSSH else _pem(envelope, data, passphrase)
    return Loaded(loaded.key, (*loaded.damages, *_strength(loaded.key)))


def _as_far_as_it_goes(body: str) -> bytes:
    """Base64 that lost its end; what is missing shows in the lengths inside."""
    body = body.rstrip("=")
    try:
        return decode(body[: len(body) // 4 * 4])
    except Malformed as error:
        raise refused("key.corrupt", reason="its body is not base64") from error


def public_blob(envelope: Envelope) -> bytes | None:
    """The public half of a key that can't be opened; only OpenSSH's own format has it in clear."""
    try:
        return openssh_key.public_of(decode(envelope.body)) if envelope.label == OPENSSH else None
    except Malformed:
        return None


def _openssh(data: bytes, passphrase: bytes | None) -> Loaded:
    try:
        container = openssh_key.parse(data)
        kind = key_type(container.public)
        _supported(kind, container.public)
        return Loaded(_to_paramiko(_unlocked(container, passphrase), kind), _cipher(container.cipher))
    except openssh_key.UnknownCipher as error:
        raise refused("key.cipher-unsupported", cipher=str(error)) from error
    except openssh_key.Inconsistent as error:
        raise refused("key.corrupt", str(error), reason=str(error)) from error
    except Malformed as error:
        raise refused("key.truncated", str(error), missing="a part of its middle or end") from error


def _unlocked(container: openssh_key.Container, passphrase: bytes | None) -> bytes:
    if container.encrypted and not passphrase:
        seen = f"encrypted with {container.cipher}"
        raise refused("key.passphrase-missing", seen, cipher=container.cipher)
    try:
        return openssh_key.unlock(container, passphrase or b"")
    except openssh_key.WrongPassphrase as error:
        raise refused("key.passphrase-wrong", f"encrypted with {container.cipher}") from error
    except Malformed as error:
        raise refused("key.corrupt", str(error), reason="its private half can't be read") from error


def _supported(kind: str, public: bytes) -> None:
    if kind.startswith("sk-"):
        raise refused("key.security-key", f"of type {kind}", type=kind, fingerprint=fingerprint(public))
    if kind not in _CLASSES:
        raise refused("key.type-unsupported", f"of type {kind}", type=kind)
    if kind == "ssh-rsa":
        _long_enough(_modulus_bits(public))


def _modulus_bits(public: bytes) -> int:
    reader = Reader(public)
    reader.string(), reader.string()
    return int.from_bytes(reader.string(), "big").bit_length()


def _long_enough(bits: int) -> None:
    if bits < _UNUSABLE:
        raise refused("key.too-short", f"RSA, {bits} bits", bits=bits)


def _cipher(name: str) -> tuple[Damage, ...]:
    """Ciphers that OpenSSH reads and paramiko, JSch and others do not."""
    if not name.endswith("@openssh.com"):
        return ()
    return (Damage("key.cipher-unsupported", {"cipher": name}, Severity.WARNING, f"encrypted with {name}"),)


def _to_paramiko(text: bytes, kind: str) -> paramiko.PKey:
    """*text* is an OpenSSH container in clear; cryptography compares its two halves, which paramiko does by assert."""
    try:
        serialization.load_ssh_private_key(text, None)
        return _CLASSES[kind].from_private_key(io.StringIO(text.decode("ascii")))
    except LIBRARY_ERRORS as error:
        raise refused("key.corrupt", f"{type(error).__name__}", reason="its parts contradict each other") from error


def _pem(envelope: Envelope, data: bytes, passphrase: bytes | None) -> Loaded:
    if envelope.label == "DSA PRIVATE KEY":
        raise refused("key.type-unsupported", "of type ssh-dss", type="ssh-dss")
    encrypted = envelope.dek is not None or envelope.label == "ENCRYPTED PRIVATE KEY"
    if not envelope.dek:
        _whole(data)
    if envelope.dek and envelope.dek.cipher not in _PEM_CIPHERS:
        raise refused("key.cipher-unsupported", cipher=envelope.dek.cipher)
    if envelope.dek and not envelope.dek.complete:  # cryptography 50 panics on a short one
        raise refused("key.corrupt", reason="the DEK-Info line is cut short")
    if encrypted and not passphrase:
        cipher = envelope.dek.cipher if envelope.dek else "PKCS#8"
        raise refused("key.passphrase-missing", f"encrypted ({cipher})", cipher=cipher)
    private = _parsed(envelope, data, passphrase if encrypted else None)
    return _from_cryptography(private, pkcs8="PRIVATE KEY" in (envelope.label.removeprefix("ENCRYPTED "),))


def _parsed(envelope: Envelope, data: bytes, passphrase: bytes | None) -> object:
    try:
        if envelope.dek:
            return serialization.load_pem_private_key(envelope.rebuilt(), passphrase)
        return serialization.load_der_private_key(data, passphrase)
    except UnsupportedAlgorithm as error:
        code = "key.cipher-unsupported" if passphrase else "key.type-unsupported"
        named = {"cipher": "an old PKCS#8 encryption"} if passphrase else {"type": "an unusual kind of key"}
        raise Refused(Damage(code, named)) from error
    except LIBRARY_ERRORS as error:
        if passphrase:
            raise refused("key.passphrase-wrong", "the key does not open with this passphrase") from error
        raise refused(
            "key.corrupt", reason="its contents are not a key of the kind that its first line names"
        ) from error


def _whole(data: bytes) -> None:
    """The outermost DER length against what is there (X.690 §8.1.3)."""
    if len(data) < 2 or data[0] != 0x30:
        raise refused("key.corrupt", reason="its contents do not begin as a key does")
    size, head = data[1], 2
    if size & 0x80:
        head += size & 0x7F
        size = int.from_bytes(data[2:head], "big")
    if head + size > len(data):
        seen = f"{head + size} bytes are announced, {len(data)} are there"
        raise refused("key.truncated", seen, missing="a part of its middle or end")


def _from_cryptography(private: object, pkcs8: bool) -> Loaded:
    if isinstance(private, rsa.RSAPrivateKey):
        _long_enough(private.key_size)
        return Loaded(_packed(private, "ssh-rsa"))
    if isinstance(private, ed25519.Ed25519PrivateKey):
        why = Damage("key.openssh-cannot-load", {"before": "9.6"}, Severity.WARNING, "Ed25519 in PKCS#8 form")
        return Loaded(_packed(private, "ssh-ed25519"), (why,) if pkcs8 else ())
    curves = {"secp256r1": "nistp256", "secp384r1": "nistp384", "secp521r1": "nistp521"}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        if private.curve.name not in curves:
            raise refused(
                "key.type-unsupported", f"curve {private.curve.name}", type=f"EC with curve {private.curve.name}"
            )
        return Loaded(_packed(private, f"ecdsa-sha2-{curves[private.curve.name]}"))
    name = type(private).__name__.removesuffix("PrivateKey")
    raise refused("key.type-unsupported", f"of type {name}", type=name)


def _packed(
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, kind: str
) -> paramiko.PKey:
    form, clear = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    return _to_paramiko(private.private_bytes(serialization.Encoding.PEM, form, clear), kind)


def _strength(key: paramiko.PKey) -> tuple[Damage, ...]:
    """OpenSSH takes RSA from 1024 bits up (RequiredRSASize); the page says why that is not enough."""
    if key.get_name() != "ssh-rsa" or key.get_bits() >= _TOO_SHORT:
        return ()
    bits = key.get_bits()
    return (Damage("key.too-short", {"bits": bits}, Severity.WARNING, f"RSA, {bits} bits"),)
