"""OpenSSH's own ssh-keygen, where it is installed: what it says about a key, and what it can convert."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tunneldoctor.model import visible
from tunneldoctor.ssh.blobs import Malformed, decode, fingerprint

#: Seconds that it may take.
_PATIENCE = 10.0


class NotLoaded(Exception):
    """ssh-keygen is there and does not take the key; the text is what it says."""


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """None where it is not installed. No passphrase is ever given to it, and it can't ask for one."""
    program = shutil.which("ssh-keygen")
    if program is None:
        return None
    try:
        return subprocess.run(
            [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False,
            start_new_session=True,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):
        return None


def public_half(path: Path, encrypted: bool) -> str | None:
    """The fingerprint of the key in *path* as ssh-keygen reads it; None where that can't be known.

    Of an encrypted key it reads the outside only, and only in OpenSSH's own format. Raises :class:`NotLoaded`.
    """
    answer = _run("-l", "-f", str(path)) if encrypted else _run("-y", "-P", "", "-f", str(path))
    if answer is None:
        return None
    if answer.returncode:
        raise NotLoaded(visible(answer.stderr[-300:].decode("utf-8", "replace").strip()))
    words = answer.stdout.decode("utf-8", "replace").split()
    try:
        return words[1] if encrypted else fingerprint(decode(words[1]))
    except (IndexError, Malformed) as error:
        raise NotLoaded("it prints no public key") from error


def converted(data: bytes) -> bytes | None:
    """The ssh.com key *data* as PEM (``ssh-keygen -i``); None where it can't be converted here."""
    with tempfile.TemporaryDirectory(prefix="tunneldoctor-") as folder:  # which others can't enter
        path = Path(folder) / "key"
        path.touch(mode=0o600)
        path.write_bytes(data)
        answer = _run("-i", "-f", str(path))
    return answer.stdout if answer is not None and answer.returncode == 0 else None
