"""Fingerprints of host keys, as ``host_key`` pins them and ``ssh-keygen -lf`` prints them."""

import re

_SHA256 = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?", re.IGNORECASE)
_MD5 = re.compile(r"(?:MD5:)?[0-9a-f]{2}(?::[0-9a-f]{2}){15}", re.IGNORECASE)
_PUBLIC_KEY = re.compile(r"(?:^|\s)(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+\s+AAAA")


def read_fingerprint(written: str) -> str:
    """*written* as ``SHA256:`` and 43 characters, which is how OpenSSH prints it; the prefix may be left out.

    Raises ValueError, whose words never hold the value itself, where it is none.
    """
    match = _SHA256.fullmatch(written.strip())
    if match:
        return f"SHA256:{match[1]}"
    if _MD5.fullmatch(written.strip()):
        raise ValueError("it is an MD5 fingerprint, which can't tell a forged key from the right one")
    if _PUBLIC_KEY.search(written):
        raise ValueError("it is a public key, not the fingerprint of one")
    raise ValueError("it is not SHA256: and the 43 characters that belong after it")
