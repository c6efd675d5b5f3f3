"""Every shape in which private keys reach a program, made with the real ssh-keygen and openssl."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

PASSPHRASE = b"hunter22"

Shape = Callable[[bytes], bytes]


def generate(folder: Path, name: str, *options: str, passphrase: str = "") -> bytes:
    """A key made by ssh-keygen; its public half lies beside it."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-a", "1", "-C", "test", "-N", passphrase, "-f", str(path), *options], check=True
    )
    return path.read_bytes()


def openssl(*arguments: str, data: bytes | None = None) -> bytes:
    """What openssl writes."""
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def make_keys(folder: Path) -> dict[str, bytes]:
    """One key of each kind and format; names with ``locked`` are encrypted with :data:`PASSPHRASE`."""
    word = PASSPHRASE.decode()
    rsa = ("-t", "rsa", "-b", "2048")
    return {
        "openssh-ed25519": generate(folder, "a", "-t", "ed25519"),
        "openssh-rsa": generate(folder, "b", *rsa),
        "openssh-ecdsa": generate(folder, "c", "-t", "ecdsa"),
        "openssh-ecdsa521": generate(folder, "d", "-t", "ecdsa", "-b", "521"),
        "openssh-locked": generate(folder, "e", "-t", "ed25519", passphrase=word),
        "openssh-gcm-locked": generate(folder, "f", *rsa, "-Z", "aes256-gcm@openssh.com", passphrase=word),
        "openssh-chacha-locked": generate(
            folder, "g", "-t", "ed25519", "-Z", "chacha20-poly1305@openssh.com", passphrase=word
        ),
        "openssh-3des-locked": generate(folder, "h", "-t", "ecdsa", "-Z", "3des-cbc", passphrase=word),
        "pem-rsa": generate(folder, "i", *rsa, "-m", "PEM"),
        "pem-ecdsa": generate(folder, "j", "-t", "ecdsa", "-m", "PEM"),
        "pem-ecdsa-parameters": openssl("ecparam", "-name", "prime256v1", "-genkey"),
        "pem-locked": generate(folder, "k", *rsa, "-m", "PEM", passphrase=word),
        "pkcs8-rsa": generate(folder, "l", *rsa, "-m", "PKCS8"),
        "pkcs8-ecdsa": generate(folder, "m", "-t", "ecdsa", "-m", "PKCS8"),
        "pkcs8-locked": generate(folder, "n", *rsa, "-m", "PKCS8", passphrase=word),
        "pkcs8-ed25519": openssl("genpkey", "-algorithm", "ed25519"),
    }


def lines(key: bytes) -> list[bytes]:
    return key.splitlines()


def joined(parts: list[bytes]) -> bytes:
    return b"\n".join(parts) + b"\n"


SHAPES: dict[str, Shape] = {
    "intact": lambda key: key,
    "crlf": lambda key: key.replace(b"\n", b"\r\n"),
    "cr": lambda key: key.replace(b"\n", b"\r"),
    "escaped": lambda key: key.replace(b"\n", b"\\n"),
    "escaped-crlf": lambda key: key.replace(b"\n", b"\\r\\n") + b"\n",
    "flattened-with-blanks": lambda key: key.replace(b"\n", b" "),
    "flattened": lambda key: key.replace(b"\n", b""),
    "body-on-one-line": lambda key: joined([lines(key)[0], b"".join(lines(key)[1:-1]), lines(key)[-1]]),
    "indented": lambda key: joined([b"  " + line for line in lines(key)]),
    "body-indented": lambda key: joined([lines(key)[0], *(b"  " + line for line in lines(key)[1:-1]), lines(key)[-1]]),
    "no-final-newline": lambda key: key.rstrip(b"\n"),
    "bom": lambda key: b"\xef\xbb\xbf" + key,
    "utf-16": lambda key: key.decode().encode("utf-16"),
    "utf-16-be-without-bom": lambda key: key.decode().encode("utf-16-be"),
    "double-quotes": lambda key: b'"' + key.rstrip() + b'"\n',
    "single-quotes": lambda key: b"'" + key + b"'",
    "no-begin": lambda key: key.split(b"\n", 1)[1],
    "no-end": lambda key: key[: key.rindex(b"-----END")],
    "a-line-lost": lambda key: joined(lines(key)[:-3] + lines(key)[-1:]),
    "half": lambda key: key[: len(key) // 2],
    "trailing-blanks": lambda key: key.replace(b"\n", b"  \n"),
    "trailing-no-break-spaces": lambda key: key.replace(b"\n", b"\xc2\xa0\n"),
    "empty-line-first": lambda key: b"\n" + key,
    "blanks-first": lambda key: b"  " + key,
    "text-first": lambda key: b"my key\n" + key,
    "text-after": lambda key: key + b"some text\n",
    "empty-lines-after": lambda key: key + b"\n\n",
    "empty-lines-between": lambda key: key.replace(b"\n", b"\n\n"),
    "en-dashes": lambda key: key.replace(b"-----", "\u2013\u2013\u2013\u2013\u2013".encode()),
    "four-dashes": lambda key: key[1:],
    "encoded-twice": base64.encodebytes,
    "nul-after": lambda key: key + b"\0",
    "name-first": lambda key: b"KEY=" + key,
    "blank-after-begin": lambda key: key.replace(b"\n", b" \n", 1),
    "blank-after-end": lambda key: key.rstrip(b"\n") + b" \n",
    "zero-width-space-first": lambda key: "\u200b".encode() + key,
    "quoted-mail": lambda key: joined([b"> " + line for line in lines(key)]),
    "json": lambda key: b'{"private_key": "' + key.replace(b"\n", b"\\n") + b'"}',
}


def passphrase_for(kind: str) -> bytes | None:
    return PASSPHRASE if kind.endswith("locked") else None


def openssh_loads(key: bytes, passphrase: bytes | None, folder: Path) -> bool:
    """What the real ssh-keygen says about the bytes."""
    path = folder / "asked"
    path.write_bytes(key)
    path.chmod(0o600)
    command = ["ssh-keygen", "-y", "-P", (passphrase or b"").decode(), "-f", str(path)]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
