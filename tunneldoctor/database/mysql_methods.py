"""How a password is proven to MySQL or MariaDB without being sent; each function makes what goes on the wire.

MySQL Internals, "Authentication Method"; MariaDB, "Authentication Plugin - ed25519". A password that is empty is proven
by nothing at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import cycle

#: An RSA key with more bits is nobody's; it would only keep us busy.
_LARGEST_KEY = 8192


class Unusable(Exception):
    """The method can't be used; the text says why."""


def native(password: bytes, salt: bytes) -> bytes:
    """mysql_native_password: SHA1(password) XOR SHA1(salt + SHA1(SHA1(password)))."""
    return _scrambled("sha1", password, lambda twice: salt + twice)


def caching_sha2(password: bytes, salt: bytes) -> bytes:
    """caching_sha2_password, for what the server has cached: the same with SHA-256, and the salt at the end."""
    return _scrambled("sha256", password, lambda twice: twice + salt)


def ed25519(password: bytes, salt: bytes) -> bytes:
    """client_ed25519: a signature of the salt whose secret is the password (plugin/auth_ed25519/ref10/sign.c).

    Ed25519 signs with SHA-512 of a seed of 32 bytes; here the seed is the password, however long, for which
    ``cryptography`` has no door. Raises Unusable.
    """
    try:
        from nacl.bindings import (
            crypto_core_ed25519_scalar_add,
            crypto_core_ed25519_scalar_mul,
            crypto_core_ed25519_scalar_reduce,
            crypto_scalarmult_ed25519_base_noclamp,
        )

        secret = hashlib.sha512(password).digest()
        scalar = bytes([secret[0] & 248]) + secret[1:31] + bytes([secret[31] & 63 | 64])
        public = crypto_scalarmult_ed25519_base_noclamp(scalar)
        once = crypto_core_ed25519_scalar_reduce(hashlib.sha512(secret[32:] + salt).digest())
        point = crypto_scalarmult_ed25519_base_noclamp(once)
        challenge = crypto_core_ed25519_scalar_reduce(hashlib.sha512(point + public + salt).digest())
        product = crypto_core_ed25519_scalar_mul(challenge, crypto_core_ed25519_scalar_reduce(scalar + bytes(32)))
        return point + crypto_core_ed25519_scalar_add(product, once)
    except (ImportError, RuntimeError) as error:  # libsodium may be built without these: UnavailableError
        raise Unusable("it needs a libsodium with all of Ed25519, which is not here") from error


def under_key(password: bytes, salt: bytes, pem: bytes) -> bytes:
    """The password under the server's RSA key, for caching_sha2_password and sha256_password. Raises Unusable."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    masked = bytes(one ^ other for one, other in zip(password + b"\0", cycle(salt), strict=False))
    digest = hashes.SHA1()  # noqa: S303 - RSA_PKCS1_OAEP_PADDING has no other
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    try:
        key = load_pem_public_key(pem)
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size > _LARGEST_KEY:
            raise Unusable("the server's public key is no RSA key of a usual size")
        return key.encrypt(masked, oaep)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable("the server's public key can't be used") from error


def _scrambled(name: str, password: bytes, salted: Callable[[bytes], bytes]) -> bytes:
    if not password:
        return b""
    once = hashlib.new(name, password, usedforsecurity=False).digest()
    twice = hashlib.new(name, once, usedforsecurity=False).digest()
    mask = hashlib.new(name, salted(twice), usedforsecurity=False).digest()
    return bytes(one ^ other for one, other in zip(once, mask, strict=True))
