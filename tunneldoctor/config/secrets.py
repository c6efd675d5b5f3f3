"""Reading a secret from where its reference points: bounded, never blocking on what is no file."""

import os
import queue
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from tunneldoctor.config.references import TextReference
from tunneldoctor.model import Reference, Secret, SecretUnavailable, visible

#: Largest secret that is read, in bytes: the biggest key or known_hosts file is far smaller.
LARGEST = 1024 * 1024
#: Seconds that a keyring may take. A locked one asks its user, who may not be there.
KEYRING_PATIENCE = 4.0

Reader = Callable[[Reference, Mapping[str, str]], bytes]


def read_secret(reference: Reference, environ: Mapping[str, str] | None = None) -> Secret:
    """Read what *reference* points at, from *environ* (the process's own by default).

    A key comes byte for byte; of a password or passphrase one line end is dropped. Raises SecretUnavailable.
    """
    if reference.secret is not None:
        content = reference.secret.reveal()
    elif reader := READERS.get(reference.scheme):
        content = reader(reference, os.environ if environ is None else environ)
    else:
        raise SecretUnavailable(reference, "unsupported", f"{visible(reference.scheme, 40)}: is no store that is known")
    return Secret(_without_line_end(content) if isinstance(reference, TextReference) else content)


def _without_line_end(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def _read_file(reference: Reference, environ: Mapping[str, str]) -> bytes:
    name = reference.name
    shown = visible(name, 200)
    if not name:
        raise SecretUnavailable(reference, "missing", "file: names no file")
    try:
        content = _content(reference, Path(name).expanduser(), shown)
    except (FileNotFoundError, NotADirectoryError):
        raise SecretUnavailable(reference, "missing", f"there is no file {shown}") from None
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "its name is not a path"
        raise SecretUnavailable(reference, "unreadable", f"{shown} can't be read: {why}") from None
    if len(content) > LARGEST:
        raise SecretUnavailable(reference, "too-large", f"{shown} is larger than 1 MiB")
    return content


def _content(reference: Reference, path: Path, shown: str) -> bytes:
    # Looked at before it is opened: opening alone can set a device to work. Looked at again after, and opened
    # without waiting, because it may have been replaced in between, and a FIFO would hold us for ever.
    _must_be_file(reference, path.stat().st_mode, shown)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        _must_be_file(reference, os.fstat(file.fileno()).st_mode, shown)
        return file.read(LARGEST + 1)


def _must_be_file(reference: Reference, mode: int, shown: str) -> None:
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
        raise SecretUnavailable(reference, "not-a-file", f"{shown} is {what}, not a file")


def _read_env(reference: Reference, environ: Mapping[str, str]) -> bytes:
    value = environ.get(reference.name) if reference.name else None
    if value is None:
        raise SecretUnavailable(reference, "missing", f"the variable {visible(reference.name, 100)} is not set")
    content = value.encode(errors="surrogateescape")
    if len(content) > LARGEST:
        raise SecretUnavailable(
            reference, "too-large", f"the variable {visible(reference.name, 100)} is larger than 1 MiB"
        )
    return content


def _read_keyring(reference: Reference, environ: Mapping[str, str]) -> bytes:
    service, slash, username = reference.name.rpartition("/")
    if not slash or not service or not username:
        raise SecretUnavailable(reference, "missing", "keyring: wants SERVICE/USERNAME")
    try:
        import keyring
    except ImportError:
        install = "pip install 'tunneldoctor[keyring]'"
        raise SecretUnavailable(reference, "unsupported", f"reading a keyring needs {install}") from None
    value = _within_patience(reference, lambda: keyring.get_password(service, username))
    if value is None:
        raise SecretUnavailable(reference, "missing", f"the keyring has no entry {visible(reference.name, 100)}")
    return value.encode()


def _within_patience(reference: Reference, ask: Callable[[], str | None]) -> str | None:
    """Ask a keyring on a thread of its own, which is left behind where it does not answer."""
    answers: queue.SimpleQueue[tuple[str | None, str | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((ask(), None))
        except Exception as error:  # whatever a backend raises: the words of its own might hold the secret
            answers.put((None, type(error).__name__))

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        value, failure = answers.get(timeout=KEYRING_PATIENCE)
    except queue.Empty:
        reason = f"the keyring did not answer within {KEYRING_PATIENCE:.0f} s: it may be locked"
        raise SecretUnavailable(reference, "unreadable", reason) from None
    if failure:
        raise SecretUnavailable(reference, "unreadable", f"the keyring could not be read ({failure})")
    return value


#: How each store is read, by its prefix.
READERS: Mapping[str, Reader] = {"file": _read_file, "env": _read_env, "keyring": _read_keyring}
