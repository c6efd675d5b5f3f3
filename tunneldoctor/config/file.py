"""The configuration file: where it is looked for, and what makes it unusable as a whole."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunneldoctor.config.errors import ConfigError
from tunneldoctor.config.keys import HOP_NAMES, HOP_READERS, READERS, Reader, shown_path
from tunneldoctor.config.lines import Lines
from tunneldoctor.config.settings import Entry, Place
from tunneldoctor.model import Origin, visible
from tunneldoctor.nearest import nearest

#: Largest configuration file that is read, in bytes.
LARGEST = 1024 * 1024
NAME = "tunneldoctor.toml"
_TABLES = ("defaults", "tunnels", "keys")
_NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Document:
    """What a configuration file holds; nothing where there is no file. ``keys`` are the TUI's, by what they do.

    ``notes`` is the folder of a company's own words about codes.
    """

    path: Path | None = None
    defaults: Place = field(default_factory=dict)
    tunnels: Mapping[str, Place] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    notes: Path | None = None


def find(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file to read: ``--config``, ``$TUNNELDOCTOR_CONFIG``, the current folder, the user's own.

    The first two need not exist: whoever names a file wants to hear that it is not there.
    """
    if option is not None:
        return cwd / option.expanduser()
    if named := environ.get("TUNNELDOCTOR_CONFIG"):
        return cwd / Path(named).expanduser()
    return next((path for path in (cwd / NAME, users_own(environ)) if is_there(path)), None)


def is_there(path: Path) -> bool:
    """There is something at *path*, as far as this user can see."""
    try:
        return path.exists()
    except OSError:  # a folder on the way that this user may not enter
        return False


def users_own(environ: Mapping[str, str]) -> Path:
    """The file that a user has for all folders; it need not exist."""
    import platformdirs

    if folder := environ.get("XDG_CONFIG_HOME"):
        return Path(folder) / "tunneldoctor" / NAME
    return platformdirs.user_config_path("tunneldoctor", appauthor=False) / NAME


def read(path: Path, cwd: Path) -> Document:
    """Read the file at *path*. Raises ConfigError."""
    return parse(contents(path, cwd), path, cwd)


def parse(content: bytes, path: Path, cwd: Path) -> Document:
    """Read *content* as that of the file at *path*. Raises ConfigError."""
    shown = visible(shown_path(path, cwd))
    text = _decode(content, shown)
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{shown}{_place(error)}: not TOML: {_reason(error)}") from None
    return _Reading(path, shown, Lines(text)).document(tables)


def contents(path: Path, cwd: Path) -> bytes:
    """What the file at *path* holds. Raises ConfigError."""
    shown = visible(shown_path(path, cwd))
    try:
        # Opened without waiting: a FIFO in the file's place would hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{shown}: not a file: name a TOML file with --config")
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(f"{shown}: no such file: name another with --config") from None
    except IsADirectoryError:
        raise ConfigError(f"{shown}: a folder: name the file in it with --config") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"{shown}: can't be read ({why}): check its owner and mode with ls -l") from None
    if len(content) > LARGEST:
        raise ConfigError(f"{shown}: over 1 MiB: this can't be a tunneldoctor configuration")
    return content


def _decode(content: bytes, shown: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(f"{shown}:1: saved as UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{shown}:{line}: byte 0x{content[error.start]:02x} is not UTF-8: save it as UTF-8") from None


def _place(error: Exception) -> str:
    match = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    return f":{match[1]}:{match[2]}" if match else ""


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    reason = re.sub(r" ?\(at [^)]*\)$", "", str(error))
    if reason == "Cannot overwrite a value":
        return "this key is there a second time"
    return visible(reason[:1].lower() + reason[1:], 200)


class _Reading:
    """Turns what tomllib gives into places with origins; the first thing that can't be used ends it."""

    def __init__(self, path: Path, shown: str, lines: Lines) -> None:
        self._path = path
        self._shown = shown
        self._lines = lines

    def document(self, content: Mapping[str, Any]) -> Document:
        """The whole file."""
        for name in content:
            if name not in (_NOTES, *_TABLES):
                self._unknown((name,), (_NOTES, *_TABLES), self._misplaced(name))
        defaults = self._place(("defaults",), content.get("defaults", {}))
        tunnels = content.get("tunnels", {})
        self._table(("tunnels",), tunnels)
        places = {name: self._place(("tunnels", name), table) for name, table in tunnels.items()}
        notes = self._notes(content[_NOTES]) if _NOTES in content else None
        return Document(self._path, defaults, places, self._keys(content.get("keys", {})), notes)

    def _notes(self, value: Any) -> Path:
        """The folder; whether it is there is not asked."""
        if not isinstance(value, str) or not value or "\0" in value:
            raise self._error((_NOTES,), f'{_NOTES} must be the path of a folder in quotes: {_NOTES} = "./notes"')
        try:
            return self._path.parent / Path(value).expanduser()
        except RuntimeError:  # ~NAME, and nobody has that name
            raise self._error((_NOTES,), f"{_NOTES}: no user has such a home folder: {visible(value)}") from None

    def _keys(self, table: Any) -> dict[str, str]:
        """Keys of the keyboard, several with commas between them or as a list; whether they are known is not asked."""
        if not isinstance(table, dict):
            raise self._error(("keys",), "keys must be a table: write [keys]")
        return {name: self._key(("keys", name), value) for name, value in table.items()}

    def _key(self, path: tuple[str, ...], value: Any) -> str:
        keys = value if isinstance(value, list) else [value]
        if not keys or not all(isinstance(each, str) and each and each.isprintable() for each in keys):
            raise self._error(path, f'{visible(path[-1])} must be a key or a list of keys: "r", ["r", "f5"]')
        return ",".join(keys)

    def _place(self, path: tuple[str, ...], table: Any) -> Place:
        self._table(path, table)
        return {key: self._entry((*path, key), value) for key, value in table.items()}

    def _table(self, path: tuple[str, ...], table: Any) -> None:
        if not isinstance(table, dict):
            raise self._error(path, f"{_dotted(path)} must be a table: write [{_dotted((*path, 'name')[:2])}]")

    def _entry(self, path: tuple[str, ...], value: Any) -> Entry:
        if path[-1] not in READERS:
            self._unknown(path, READERS, "; write it above the first [table]" if path[-1] == _NOTES else "")
        read = self._value(path, READERS[path[-1]], value)
        if path[-1] == "via":
            read = tuple(each if isinstance(each, str) else self._hop(path, each) for each in read)
        return Entry(read, Origin(self._origin(path)), self._path.parent)

    def _hop(self, path: tuple[str, ...], table: Mapping[str, Any]) -> dict[str, Any]:
        hop = {}
        for written, value in table.items():
            key = HOP_NAMES.get(written, written)
            if key not in HOP_READERS:
                self._unknown((*path, written), (*HOP_READERS, *HOP_NAMES))
            hop[key] = self._value((*path, written), HOP_READERS[key], value)
        return hop

    def _value(self, path: tuple[str, ...], reader: Reader, value: Any) -> Any:
        try:
            return reader(value)
        except ValueError as error:
            raise self._error(path, f"{visible(path[-1])}: {error}") from None

    def _unknown(self, path: tuple[str, ...], known: Any, hint: str = "") -> None:
        where = f" in [{_dotted(path[:-1])}]" if len(path) > 1 else ""
        near = hint or nearest(path[-1], known) or "; see tunneldoctor check --help for those there are"
        raise self._error(path, f"unknown key {visible(path[-1])!r}{where}{near}")

    def _misplaced(self, name: str) -> str:
        return "; write it under [defaults] or [tunnels.NAME]" if name in READERS else ""

    def _error(self, path: tuple[str, ...], text: str) -> ConfigError:
        return ConfigError(f"{self._origin(path)}: {text}")

    def _origin(self, path: tuple[str, ...]) -> str:
        line = self._lines.of(path)
        return f"{self._shown}:{line}" if line else self._shown


def _dotted(path: tuple[str, ...]) -> str:
    parts = (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)
    return visible(".".join(parts))
