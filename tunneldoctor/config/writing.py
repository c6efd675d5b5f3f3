"""Adding a tunnel to the configuration file, of which nothing else changes by a byte.

The new table is appended as text. To insert it with tomlkit was tried: where ``[defaults]`` or another table stands
behind the tunnels, the comment above that table ends up above the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tunneldoctor.config import file
from tunneldoctor.config.configuration import Configuration, Overrides
from tunneldoctor.config.errors import ConfigError
from tunneldoctor.config.file import Document
from tunneldoctor.config.keys import KEYS, read_option, shown_path
from tunneldoctor.config.references import SCHEMES
from tunneldoctor.config.settings import Entry, Settings
from tunneldoctor.config.tunnel import build
from tunneldoctor.model import Origin, Tunnel, visible
from tunneldoctor.whole_file import write_whole

#: What a tunnel that nobody has written down yet comes from.
_FORM = Origin("this form")
_LONGEST_NAME = 100
_PLAIN_TEXT = "config.secret-in-plain-text"
_REFERENCE = "write where it is: env:NAME, file:PATH or keyring:SERVICE/USER"
_PASSWORDS = {"private_key_passphrase", "bastion_password", "database_password"}
#: Where the password of a URL belongs instead.
_PASSWORD_OF = {"ssh_url": "bastion_password", "database": "database_password"}


def place_for_new(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The file that a new tunnel goes to: the one that is read, or would be; else the user's own, to be made."""
    return file.find(option, environ, cwd) or file.users_own(environ)


def name_fault(name: str, taken: tuple[str, ...]) -> str | None:
    """Why no new tunnel can be called *name*, with the remedy, or None."""
    if not name:
        return "a tunnel needs a name: write a short one, as in orders"
    if name in taken:
        return f"there is a tunnel {visible(name)} already: choose another name"
    if visible(name, _LONGEST_NAME) != name or name != name.strip():
        return "has characters that can't be seen, or is too long: write a short word"
    if name.startswith("-") or "@" in name or "://" in name:
        return "would be taken for an option or a URL on the command line: write a plain word"
    return None


def value_fault(key: str, written: str | tuple[str, ...]) -> str | None:
    """Why *written* can't be the value of *key*, with the remedy, or None; the words are those of the file's reader."""
    try:
        read_option(key, written)
    except ValueError as error:
        return str(error)
    return None


def secret_fault(tunnel: Tunnel, key: str, written: str | tuple[str, ...]) -> str | None:
    """Why *written*, the value of *key* in *tunnel*, is not put into a file: it is a secret, or has one; or None."""
    if key in _PASSWORDS and written and str(written).partition(":")[0] not in SCHEMES:
        return f"is the secret itself: {_REFERENCE}"
    if not any(problem.code == _PLAIN_TEXT and problem.key == key for problem in tunnel.problems):
        return None
    if own := _PASSWORD_OF.get(key):
        return f"has a password in it: take it out, and under {own} {_REFERENCE}"
    return f"holds the secret itself: {_REFERENCE}"


def draft(configuration: Configuration, path: Path, name: str, written: Overrides) -> Tunnel:
    """The tunnel that *written* makes in the file at *path*, with what is wrong in it; unreadable values left out."""
    readable = {key: value for key, value in written.items() if value_fault(key, _frozen(value)) is None}
    place = {key: Entry(read_option(key, _frozen(value)), _FORM, path.parent) for key, value in readable.items()}
    return build(name, Settings((place, configuration.document.defaults), configuration.surroundings))


def add_tunnel(configuration: Configuration, path: Path, name: str, written: Overrides) -> None:
    """Append the tunnel *name* to the file at *path*, which is made (mode 0600) where there is none.

    Values are texts as on the command line. Raises ConfigError, and then nothing was written: where the file can't be
    read, has such a tunnel, or would not be read back as what was meant; where a value can't be used or is a secret.
    """
    cwd = configuration.surroundings.cwd
    old = file.contents(path, cwd) if file.is_there(path) else b""
    before = file.parse(old, path, cwd)
    _refuse(configuration, before, path, name, written)
    new = _appended(old, _table(name, written))
    shown = visible(shown_path(path, cwd))
    if not _is_added(before, new, path, cwd, name, written):
        raise ConfigError(f"{shown}: can't be extended: its tables are written inline; add [tunnels.{name}] by hand")
    try:
        write_whole(path, new)
    except OSError as error:
        raise ConfigError(f"{shown}: can't be written ({error.strerror}): check owner and mode with ls -ld") from None


def _refuse(configuration: Configuration, before: Document, path: Path, name: str, written: Overrides) -> None:
    if fault := name_fault(name, tuple(before.tunnels)):
        raise ConfigError(f"name: {fault}")
    for key, value in written.items():
        if fault := value_fault(key, _frozen(value)):
            raise ConfigError(f"{key}: {fault}")
    tunnel = draft(configuration, path, name, written)
    for key, value in written.items():
        if fault := secret_fault(tunnel, key, _frozen(value)):
            raise ConfigError(f"{key}: {fault}")
    for problem in tunnel.problems:
        if problem.code.startswith("config.bad-"):  # what can't be read may well have a secret in it
            raise ConfigError(f"{problem.key}: {problem.params['reason']}: {problem.params.get('correction', '')}")


def _frozen(value: Any) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


def _table(name: str, written: Overrides) -> str:
    import tomlkit

    table = {key: _as_toml(key, _frozen(written[key])) for key in KEYS if key in written}
    return tomlkit.dumps({"tunnels": {name: table}})


def _as_toml(key: str, value: str | tuple[str, ...]) -> str | int | list[str]:
    """Ports are numbers in the file; durations stay as they were typed."""
    read = read_option(key, value)
    if isinstance(read, int):
        return read
    return value if isinstance(value, str) else list(value)


def _appended(old: bytes, table: str) -> bytes:
    end = "\r\n" if b"\r\n" in old else "\n"
    gap = "" if not old.strip(b"\xef\xbb\xbf \t\r\n") else "\n" if old.endswith(b"\n") else "\n\n"
    return old + (gap + table).replace("\n", end).encode()


def _is_added(before: Document, new: bytes, path: Path, cwd: Path, name: str, written: Overrides) -> bool:
    """Our own reader finds in *new* what was there before, and the tunnel as it was meant."""
    try:
        after = file.parse(new, path, cwd)
    except ConfigError:
        return False
    added = {key: entry.value for key, entry in after.tunnels.get(name, MappingProxyType({})).items()}
    others = {each: place for each, place in after.tunnels.items() if each != name}
    meant = {key: read_option(key, _frozen(value)) for key, value in written.items()}
    return added == meant and others == before.tunnels and after.defaults == before.defaults
