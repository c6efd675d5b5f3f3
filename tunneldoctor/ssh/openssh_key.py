"""The OpenSSH private-key container (PROTOCOL.key of OpenSSH): parsed, decrypted, packed again without encryption.

Libraries reject what they can't read with one exception for everything; here each thing that can be wrong has its own.
"""

import base64
from dataclasses import dataclass

import bcrypt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

from tunneldoctor.ssh.blobs import Malformed, Reader, string

MAGIC = b"openssh-key-v1\0"
#: What stands between the dashes of its first and last line.
OPENSSH = "OPENSSH PRIVATE KEY"
BEGIN, END = f"-----BEGIN {OPENSSH}-----", f"-----END {OPENSSH}-----"


class WrongPassphrase(Exception):
    """The passphrase does not open the key."""


class UnknownCipher(Exception):
    """The container names a cipher or key derivation that OpenSSH does not have; the text is its name."""


class Inconsistent(Exception):
    """The container is whole, but its contents contradict each other."""


@dataclass(frozen=True, slots=True)
class _Mode:
    """Sizes in bytes, from the table in cipher.c of OpenSSH."""

    key: int
    iv: int
    block: int
    tag: int = 0


_CIPHERS = {
    "aes128-ctr": _Mode(16, 16, 16),
    "aes192-ctr": _Mode(24, 16, 16),
    "aes256-ctr": _Mode(32, 16, 16),
    "aes128-cbc": _Mode(16, 16, 16),
    "aes192-cbc": _Mode(24, 16, 16),
    "aes256-cbc": _Mode(32, 16, 16),
    "3des-cbc": _Mode(24, 8, 8),
    "aes128-gcm@openssh.com": _Mode(16, 12, 16, 16),
    "aes256-gcm@openssh.com": _Mode(32, 12, 16, 16),
    "chacha20-poly1305@openssh.com": _Mode(64, 0, 8, 16),
}


@dataclass(frozen=True, slots=True, repr=False)
class Container:
    """One parsed container; ``public`` is the key's public blob, which is never encrypted."""

    cipher: str
    kdf: str
    kdf_options: bytes
    public: bytes
    private: bytes
    tag: bytes

    @property
    def encrypted(self) -> bool:
        """True where a passphrase is needed."""
        return self.kdf != "none"

    @property
    def rounds(self) -> int:
        """How often bcrypt is run; ssh-keygen's default is 16 (24 since 9.9). Raises Malformed."""
        options = Reader(self.kdf_options)
        options.string()
        return options.uint32()


def parse(data: bytes) -> Container:
    """Read the decoded container. Raises Malformed (cut short), Inconsistent and UnknownCipher."""
    reader = Reader(data)
    if reader.take(len(MAGIC)) != MAGIC:
        raise Inconsistent("the decoded text does not begin as an OpenSSH key does")
    cipher, kdf, options = _name(reader), _name(reader), reader.string()
    if reader.uint32() != 1:
        raise Inconsistent("not exactly one key inside")
    public, private = reader.string(), reader.string()
    if (cipher != "none" and cipher not in _CIPHERS) or kdf not in ("none", "bcrypt"):
        raise UnknownCipher(cipher if cipher not in _CIPHERS else kdf)
    mode = _CIPHERS.get(cipher, _Mode(0, 0, 8))
    tag = reader.take(mode.tag)
    if reader.rest() or not private or len(private) % mode.block or (cipher == "none") != (kdf == "none"):
        raise Inconsistent("its parts do not have the lengths they should have")
    return Container(cipher, kdf, options, public, private, tag)


def _name(reader: Reader) -> str:
    name = reader.string()
    if len(name) > 64 or not name.isascii():
        raise Inconsistent("a cipher name can't be read")
    return name.decode("ascii")


def unlock(container: Container, passphrase: bytes) -> bytes:
    """The key as a container without encryption, PEM-armoured.

    Raises WrongPassphrase, Inconsistent, and Malformed. *passphrase* is not used on a key that needs none.
    """
    clear = _decrypt(container, passphrase) if container.encrypted else container.private
    _check(clear, container)
    return _armoured(container.public, clear)


def pack(public: bytes, private: bytes) -> bytes:
    """A key as such a container: *public* is its blob, *private* its type and all its numbers. It has no comment."""
    clear = bytes(8) + private + string(b"")
    return _armoured(public, clear + bytes(range(1, 1 + -len(clear) % 8)))


def _armoured(public: bytes, clear: bytes) -> bytes:
    """The text that ssh-keygen writes: 70 columns, newline at the end."""
    data = MAGIC + string(b"none") * 2 + string(b"") + b"\0\0\0\1" + string(public) + string(clear)
    text = base64.b64encode(data).decode("ascii")
    lines = [text[start : start + 70] for start in range(0, len(text), 70)]
    return "\n".join([BEGIN, *lines, END, ""]).encode("ascii")


def _check(clear: bytes, container: Container) -> None:
    """The first two numbers are equal in a key that was opened with the right passphrase (PROTOCOL.key §3)."""
    reader = Reader(clear)
    if reader.uint32() != reader.uint32():
        if container.encrypted:
            raise WrongPassphrase
        raise Inconsistent("its two check numbers differ")
    kind = Reader(container.public).string()
    if not clear[8:].startswith(string(kind)):
        raise Inconsistent("the public and the private half are of different types")


def _decrypt(container: Container, passphrase: bytes) -> bytes:
    mode = _CIPHERS[container.cipher]
    salt, rounds = Reader(container.kdf_options).string(), container.rounds
    if not salt or not rounds:
        raise Inconsistent(f"its key derivation has a salt of {len(salt)} bytes and asks for {rounds} rounds")
    secret = bcrypt.kdf(passphrase, salt, mode.key + mode.iv, rounds, ignore_few_rounds=True)
    key, iv = secret[: mode.key], secret[mode.key :]
    try:
        return _DECRYPTORS[container.cipher.split("@")[0].rpartition("-")[2]](key, iv, container)
    except InvalidTag as error:
        raise WrongPassphrase from error


def _ctr(key: bytes, iv: bytes, container: Container) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).decryptor()
    return decryptor.update(container.private) + decryptor.finalize()


def _cbc(key: bytes, iv: bytes, container: Container) -> bytes:
    algorithm = TripleDES(key) if container.cipher == "3des-cbc" else algorithms.AES(key)
    decryptor = Cipher(algorithm, modes.CBC(iv)).decryptor()
    return decryptor.update(container.private) + decryptor.finalize()


def _gcm(key: bytes, iv: bytes, container: Container) -> bytes:
    return AESGCM(key).decrypt(iv, container.private + container.tag, None)


def _chacha(key: bytes, iv: bytes, container: Container) -> bytes:
    """PROTOCOL.chacha20poly1305 with sequence number 0: block 0 keys Poly1305, the data start at block 1."""
    zero = bytes(8)

    def stream(counter: int, data: bytes) -> bytes:
        nonce = counter.to_bytes(8, "little") + zero
        return Cipher(algorithms.ChaCha20(key[:32], nonce), mode=None).encryptor().update(data)

    mac = Poly1305(stream(0, bytes(32)))
    mac.update(container.private)
    if mac.finalize() != container.tag:
        raise InvalidTag
    return stream(1, container.private)


_DECRYPTORS = {"ctr": _ctr, "cbc": _cbc, "gcm": _gcm, "poly1305": _chacha}


def public_of(data: bytes) -> bytes | None:
    """The public blob of a decoded container, or None where it can't be read."""
    try:
        return parse(data).public
    except (Malformed, Inconsistent, UnknownCipher):
        return None
