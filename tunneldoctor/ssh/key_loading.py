"""From a key's bytes, freed of damage, to a key that paramiko can sign with. Everything happens in memory."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization.ssh import SSHPrivateKeyTypes

from tunneldoctor.model import Severity
from tunneldoctor.ssh import opening, openssh_key, pem_key, putty
from tunneldoctor.ssh.blobs import Malformed, Reader, decode, fingerprint, key_type
from tunneldoctor.ssh.damage import Damage, refused
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
_TOO_SHORT, _UNUSABLE = 2048, 1024  # bits; OpenSSH's own limit is SSH_RSA_MINIMUM_MODULUS_SIZE in sshkey.h


@dataclass(frozen=True, slots=True, repr=False)
class Loaded:
    """A key that can sign, and what is to be said about it although it loads.

    ``clear`` is the key as a file of OpenSSH's own form without encryption.
    """

    key: paramiko.PKey
    clear: bytes
    damages: tuple[Damage, ...] = ()


def load(envelope: Envelope, passphrase: bytes | None, patience: float) -> Loaded:
    """Raises :class:`Refused`, and nothing else; opening it takes no longer than *patience*, in seconds."""
    try:
        data = decode(envelope.body)
    except Malformed:
        data = _as_far_as_it_goes(envelope.body)
    if envelope.label == OPENSSH:
        return _judged(_openssh(data, passphrase, patience))
    private, damages = pem_key.opened(envelope, data, passphrase, patience)
    loaded = _from_cryptography(private, pkcs8=envelope.label.removeprefix("ENCRYPTED ") == "PRIVATE KEY")
    return _judged(Loaded(loaded.key, loaded.clear, (*damages, *loaded.damages)))


def load_putty(file: putty.PuttyFile, passphrase: bytes | None, patience: float) -> Loaded:
    """The same for a PuTTY file. Raises :class:`Refused`."""
    cipher = "aes256-cbc"
    if file.encrypted and not passphrase:
        raise refused("key.passphrase-missing", f"encrypted with {cipher}", cipher=cipher)
    if file.memory > opening.MOST_MEMORY:
        raise opening.dear(cipher, f"Argon2 with {file.memory >> 20} MiB", hopeless=True)
    seconds = file.memory * file.passes / opening.MEMORY_PASSES
    opening.within(patience, seconds, cipher, f"{file.passes} passes of Argon2")
    try:
        kind = key_type(file.public)
        _supported(kind, file.public)
        private = putty.private_fields(file, passphrase or b"")
        return _judged(_to_paramiko(openssh_key.pack(file.public, private), kind))
    except openssh_key.WrongPassphrase as error:
        raise refused("key.passphrase-wrong", f"encrypted with {cipher}") from error
    except openssh_key.Inconsistent as error:
        raise refused("key.corrupt", str(error), reason=str(error)) from error
    except Malformed as error:
        raise refused("key.truncated", str(error), missing="a part of its middle or end") from error


def _judged(loaded: Loaded) -> Loaded:
    return Loaded(loaded.key, loaded.clear, (*loaded.damages, *_strength(loaded.key)))


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


def _openssh(data: bytes, passphrase: bytes | None, patience: float) -> Loaded:
    try:
        container = openssh_key.parse(data)
        kind = key_type(container.public)
        _supported(kind, container.public)
        loaded = _to_paramiko(_unlocked(container, passphrase, patience), kind)
        if loaded.key.asbytes() != container.public:  # nobody else compares the halves of an ECDSA key
            raise openssh_key.Inconsistent("its private half belongs to another public half")
        return Loaded(loaded.key, loaded.clear, _cipher(container.cipher))
    except openssh_key.UnknownCipher as error:
        raise refused("key.cipher-unsupported", cipher=str(error)) from error
    except openssh_key.Inconsistent as error:
        raise refused("key.corrupt", str(error), reason=str(error)) from error
    except Malformed as error:
        raise refused("key.truncated", str(error), missing="a part of its middle or end") from error


def _unlocked(container: openssh_key.Container, passphrase: bytes | None, patience: float) -> bytes:
    cipher = container.cipher
    if container.encrypted and not passphrase:
        raise refused("key.passphrase-missing", f"encrypted with {cipher}", cipher=cipher)
    try:
        if container.encrypted:
            rounds = container.rounds
            opening.within(patience, rounds / opening.BCRYPT, cipher, f"{rounds} rounds of bcrypt")
        return openssh_key.unlock(container, passphrase or b"")
    except openssh_key.WrongPassphrase as error:
        raise refused("key.passphrase-wrong", f"encrypted with {cipher}") from error
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


def _to_paramiko(clear: bytes, kind: str) -> Loaded:
    """From a file of OpenSSH's own form.

    cryptography compares the key's two halves, which paramiko does by assert, and writes it anew: paramiko 5.1 can't
    read a key without comment whose length happens to need no padding (``_unpad_openssh`` in pkey.py).
    """
    try:
        return _packed(serialization.load_ssh_private_key(clear, None), kind)
    except LIBRARY_ERRORS as error:
        raise refused("key.corrupt", f"{type(error).__name__}", reason="its parts contradict each other") from error


def _from_cryptography(private: object, pkcs8: bool) -> Loaded:
    if isinstance(private, rsa.RSAPrivateKey):
        _long_enough(private.key_size)
        return _packed(private, "ssh-rsa")
    if isinstance(private, ed25519.Ed25519PrivateKey):
        packed = _packed(private, "ssh-ed25519")
        why = Damage("key.openssh-cannot-load", {"before": "9.6"}, Severity.WARNING, "Ed25519 in PKCS#8 form")
        return Loaded(packed.key, packed.clear, (why,) if pkcs8 else ())
    curves = {"secp256r1": "nistp256", "secp384r1": "nistp384", "secp521r1": "nistp521"}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        curve = private.curve.name
        if curve not in curves:
            raise refused("key.type-unsupported", f"curve {curve}", type=f"EC with curve {curve}")
        return _packed(private, f"ecdsa-sha2-{curves[curve]}")
    name = type(private).__name__.removesuffix("PrivateKey")
    raise refused("key.type-unsupported", f"of type {name}", type=name)


def _packed(private: SSHPrivateKeyTypes, kind: str) -> Loaded:
    """Raises what the libraries raise."""
    form, clear = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    text = private.private_bytes(serialization.Encoding.PEM, form, clear)
    return Loaded(_CLASSES[kind].from_private_key(io.StringIO(text.decode("ascii"))), text)


def _strength(key: paramiko.PKey) -> tuple[Damage, ...]:
    """OpenSSH takes RSA from 1024 bits up (RequiredRSASize); the page says why that is not enough."""
    if key.get_name() != "ssh-rsa" or key.get_bits() >= _TOO_SHORT:
        return ()
    bits = key.get_bits()
    return (Damage("key.too-short", {"bits": bits}, Severity.WARNING, f"RSA, {bits} bits"),)
