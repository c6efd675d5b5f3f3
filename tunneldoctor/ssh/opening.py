"""What opening an encrypted key costs: files may ask for hours or for all memory, and nobody may wait for that."""

from __future__ import annotations

from tunneldoctor.model import Severity
from tunneldoctor.ssh.damage import Refused, refused

#: Rounds a second that a slow machine does; measured on a common one: 135, 1.5 million and 1 GiB.
BCRYPT, HASHES, MEMORY_PASSES = 40.0, 300_000.0, 256 * 1024 * 1024.0
#: More than this, in seconds, and nobody waits for it in any client.
_FOR_EVER = 600.0
#: More memory than this for one key, in bytes, is an attack or an accident.
MOST_MEMORY = 1024**3


def within(patience: float, seconds: float, cipher: str, behind: str) -> None:
    """Raise Refused for a key that takes longer to open than *patience*: an error where no client would wait for it.

    *seconds* is what it takes here, *behind* says why in words.
    """
    if seconds > patience:
        raise dear(cipher, behind, hopeless=seconds > _FOR_EVER)


def dear(cipher: str, behind: str, hopeless: bool) -> Refused:
    """The refusal itself."""
    severity = Severity.ERROR if hopeless else Severity.WARNING
    return refused("key.cipher-unsupported", f"{cipher}, {behind}", severity, cipher=f"{cipher}, {behind}")
