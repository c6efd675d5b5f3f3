"""PuTTY's private-key files, versions 2 and 3 (PuTTY manual, appendix C): read, checked, and opened.

No kept-up library reads them; PuTTY's own puttygen does, which few bastion users have at hand.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from tunneldoctor.ssh.blobs import Malformed, Reader, decode, string
from tunneldoctor.ssh.openssh_key import Inconsistent, UnknownCipher, WrongPassphrase

_FIRST = re.compile(rb"PuTTY-User-Key-File-(\d+): ?([\w.@-]{1,60})")
_Argon2: TypeAlias = type[Argon2d] | type[Argon2i] | type[Argon2id]
_DERIVATIONS: dict[bytes, _Argon2] = {b"Argon2d": Argon2d, b"Argon2i": Argon2i, b"Argon2id": Argon2id}


@dataclass(frozen=True, slots=True, repr=False)
class PuttyFile:
    """One file as it stands; ``fields`` are its lines of ``Name: value``, ``public`` is the SSH public blob."""

    version: int
    type: str
    fields: dict[bytes, bytes]
    public: bytes
    private: bytes

    @property
    def encrypted(self) -> bool:
        """True where a passphrase is needed."""
        return self.fields[b"Encryption"] != b"none"

    @property
    def memory(self) -> int:
        """What Argon2 asks for, in bytes; 0 for version 2, which has none."""
        return self._number(b"Argon2-Memory") * 1024

    @property
    def passes(self) -> int:
        """How often Argon2 goes over that memory."""
        return self._number(b"Argon2-Passes")

    def _number(self, name: bytes) -> int:
        digits = self.fields.get(name, b"0")
        return int(digits) if re.fullmatch(rb"\d{1,10}", digits) else 0


def parse(data: bytes) -> PuttyFile:
    """Read the file. Raises Malformed where a part is missing, UnknownCipher and Inconsistent."""
    fields: dict[bytes, bytes] = {}
    blocks: dict[bytes, bytes] = {}
    lines = iter(re.split(rb"\r\n|\n|\r", data.strip()))
    first = _FIRST.search(next(lines))
    if first is None or first[1] not in (b"2", b"3"):
        raise Inconsistent("its first line does not name version 2 or 3")
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise Malformed("a line without a name")
        fields[name] = value.removeprefix(b" ")
        if name in (b"Public-Lines", b"Private-Lines"):
            count = int(value) if re.fullmatch(rb" ?\d{1,4}", value) else 0
            blocks[name] = b"".join(line for _, line in zip(range(count), lines, strict=False))
    if not {b"Encryption", b"Comment", b"Private-MAC"} <= fields.keys() or len(blocks) != 2:
        raise Malformed("its last lines are missing")
    if fields[b"Encryption"] not in (b"none", b"aes256-cbc"):
        raise UnknownCipher(fields[b"Encryption"][:40].decode("ascii", "replace"))
    public, private = decode(blocks[b"Public-Lines"]), decode(blocks[b"Private-Lines"])
    return PuttyFile(int(first[1]), first[2].decode("ascii"), fields, public, private)


def private_fields(file: PuttyFile, passphrase: bytes) -> bytes:
    """The key's private numbers as OpenSSH writes them, behind the key's type.

    Raises WrongPassphrase, Inconsistent and Malformed. *passphrase* is not used on a file that needs none.
    """
    cipher_key, iv, mac_key = _keys(file, passphrase) if file.encrypted else (b"", b"", _mac_key(file, b""))
    clear = _decrypted(file.private, cipher_key, iv) if file.encrypted else file.private
    if not hmac.compare_digest(_mac(file, clear, mac_key).encode(), file.fields[b"Private-MAC"].strip().lower()):
        if file.encrypted:
            raise WrongPassphrase
        raise Inconsistent("its checksum does not fit its contents")
    return _as_openssh_has_it(Reader(file.public), Reader(clear))


def _keys(file: PuttyFile, passphrase: bytes) -> tuple[bytes, bytes, bytes]:
    """Cipher key, initialisation vector and MAC key of an encrypted file."""
    if file.version == 2:
        halves = (
            hashlib.sha1(bytes([0, 0, 0, number]) + passphrase, usedforsecurity=False).digest() for number in (0, 1)
        )
        return b"".join(halves)[:32], bytes(16), _mac_key(file, passphrase)
    derivation = _DERIVATIONS.get(file.fields.get(b"Key-Derivation", b""))
    try:
        salt = bytes.fromhex(file.fields.get(b"Argon2-Salt", b"").decode("ascii"))
        lanes = int(file.fields.get(b"Argon2-Parallelism", b"1"))
        if derivation is None or not 1 <= lanes <= 64:
            raise Inconsistent("its key derivation can't be read")
        made = derivation(salt=salt, length=80, iterations=file.passes, lanes=lanes, memory_cost=file.memory // 1024)
        secret = made.derive(passphrase)
    except ValueError as error:
        raise Inconsistent("its key derivation can't be read") from error
    return secret[:32], secret[32:48], secret[48:]


def _mac_key(file: PuttyFile, passphrase: bytes) -> bytes:
    if file.version == 3:
        return b""
    return hashlib.sha1(b"putty-private-key-file-mac-key" + passphrase, usedforsecurity=False).digest()


def _mac(file: PuttyFile, clear: bytes, key: bytes) -> str:
    named = (file.type.encode("ascii"), file.fields[b"Encryption"], file.fields[b"Comment"], file.public, clear)
    return hmac.new(key, b"".join(map(string, named)), "sha1" if file.version == 2 else "sha256").hexdigest()


def _decrypted(private: bytes, key: bytes, iv: bytes) -> bytes:
    if not private or len(private) % 16:
        raise Malformed("its private part is not whole")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(private) + decryptor.finalize()


def _as_openssh_has_it(public: Reader, private: Reader) -> bytes:
    """PuTTY keeps only what the public half does not have; OpenSSH keeps both (sshkey.c, private serialisation)."""
    kind = public.string()
    if kind == b"ssh-rsa":
        exponent, modulus = public.string(), public.string()
        secret, first, second, inverse = (private.string() for _ in range(4))
        parts = [modulus, exponent, secret, inverse, first, second]
    elif kind == b"ssh-ed25519":
        point = public.string()
        parts = [point, private.string() + point]
    else:
        parts = [public.string(), public.string(), private.string()]
    return b"".join(map(string, (kind, *parts)))
