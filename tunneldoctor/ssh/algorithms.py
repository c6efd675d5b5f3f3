"""Algorithm names: what both sides offer, what they agreed on, what is weak, and what only other clients can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

#: The four things that both sides have to agree on, in the order of RFC 4253 §7.1.
KINDS = ("kex", "host_key", "cipher", "mac")
#: RFC 4251 §6 allows 64 characters; OpenSSH has no list of more than some twenty.
_LONGEST_NAME, _MOST_LISTED = 64, 40


@dataclass(frozen=True, slots=True)
class Offer:
    """One side's lists of algorithm names, in its order of preference; without markers such as ``ext-info-s``.

    ``cipher`` and ``mac`` hold what it takes in both directions.
    """

    kex: tuple[str, ...] = ()
    host_key: tuple[str, ...] = ()
    cipher: tuple[str, ...] = ()
    mac: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[str, ...]:
        """The list of one of :data:`KINDS`."""
        lists: tuple[str, ...] = getattr(self, kind)
        return lists


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both sides agreed on. ``mac`` is ``implicit`` where the cipher authenticates by itself (RFC 5647)."""

    kex: str
    host_key: str
    cipher: str
    mac: str


def listed(names: Sequence[str]) -> str:
    """*names* for a reader, cut where a hostile list would fill the page."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(name[:_LONGEST_NAME] for name in names[:_MOST_LISTED]) + more


def first_without_common(ours: Offer, theirs: Offer) -> str | None:
    """The first of :data:`KINDS` in which the two lists share nothing, or None."""
    for kind in KINDS:
        if not set(ours.of(kind)) & set(theirs.of(kind)):
            return kind
    return None


def is_aead(cipher: str) -> bool:
    """True where the cipher needs no MAC of its own."""
    return "-gcm@" in cipher or "poly1305" in cipher


#: What OpenSSH's own client offers by default in some release from 7.4 to 10.x, beyond what paramiko 5.1 has.
#: Source: OpenSSH myproposal.h.
ONLY_OPENSSH: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "kex": frozenset(
            {
                "sntrup761x25519-sha512",
                "sntrup761x25519-sha512@openssh.com",
                "mlkem768x25519-sha256",
                "diffie-hellman-group18-sha512",
            }
        ),
        "host_key": frozenset({"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"}),
        "cipher": frozenset({"chacha20-poly1305@openssh.com"}),
        "mac": frozenset(
            {
                "umac-64-etm@openssh.com",
                "umac-128-etm@openssh.com",
                "hmac-sha1-etm@openssh.com",
                "umac-64@openssh.com",
                "umac-128@openssh.com",
            }
        ),
    }
)


def openssh_can(kind: str, theirs: Offer) -> tuple[str, ...]:
    """Those of the server's algorithms that OpenSSH's client has and this program lacks."""
    return tuple(name for name in theirs.of(kind) if name in ONLY_OPENSSH[kind])


#: Why OpenSSH's client no longer offers them (release notes 7.6: CBC; 6.7 and 7.2: MD5, 96-bit MACs, 3DES).
_WEAK_ENDINGS = {
    "-cbc": "a CBC cipher leaks plaintext (CVE-2008-5161); OpenSSH's client no longer offers it",
    "hmac-md5": "MD5",
    "hmac-md5-96": "MD5, cut to 96 bits",
    "hmac-sha1-96": "SHA-1, cut to 96 bits",
    "-sha1": "a key exchange with SHA-1; OpenSSH's client no longer offers it",
}


def weak(negotiated: Negotiated) -> dict[str, str]:
    """The weak ones among what was agreed on, and why each is weak. Offers alone are no weakness."""
    reasons: dict[str, str] = {}
    for name in (negotiated.kex, negotiated.cipher, negotiated.mac):
        for ending, reason in _WEAK_ENDINGS.items():
            if name.endswith(ending) and name != "hmac-sha1":
                reasons[name] = reason
    return reasons


_CERTIFICATE = "-cert-v01@openssh.com"
#: The signature algorithms that go with a type of host key, as known_hosts names it (RFC 8332 for RSA).
_RSA = {
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
    "ssh-rsa-cert-v01@openssh.com": (
        "rsa-sha2-512-cert-v01@openssh.com",
        "rsa-sha2-256-cert-v01@openssh.com",
    ),
}


def host_key_types(algorithms: Iterable[str]) -> tuple[str, ...]:
    """The types of the keys behind host key *algorithms*, each once; certificates left out."""
    plain = (name for name in algorithms if not name.endswith(_CERTIFICATE))
    return tuple(dict.fromkeys("ssh-rsa" if name in _RSA["ssh-rsa"] else name for name in plain))


def preferring(types: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """*known* host key algorithms with those of the key *types* first, as ``ssh`` orders them after known_hosts."""
    wanted = [name for each in types for name in _RSA.get(each, (each,)) if name in known]
    return tuple(dict.fromkeys([*wanted, *known]))


def signature_algorithm(key_type: str, server_takes: tuple[str, ...] | None) -> str:
    """How to sign with a key of *key_type*: RSA keys by the server's ``server-sig-algs`` (RFC 8308 §3.1, RFC 8332)."""
    choices = _RSA.get(key_type)
    if choices is None:
        return key_type
    if server_takes is None:
        return choices[0]
    plain = [name for name in choices if name in server_takes or name.removesuffix(_CERTIFICATE) in server_takes]
    return plain[0] if plain else choices[0]
