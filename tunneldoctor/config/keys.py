"""The keys of a tunnel, and what each may hold."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tunneldoctor.config.durations import duration
from tunneldoctor.model import Provider
from tunneldoctor.nearest import nearest

#: Turns a raw value into the one that is used, or raises ValueError with fault and remedy.
Reader = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError("must be text in quotes, or a list of such")
    return tuple(value)


def _port(lowest: int) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a number without quotes, from {lowest} to 65535")
        if not lowest <= value <= 65535:
            raise ValueError(f"{value} is not a port: write a number from {lowest} to 65535")
        return value

    return read


def _seconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError('must be a duration in quotes, as in "500ms", "10s", "5m" or "1h"')
    return duration(value)


def _positive_seconds(value: Any) -> float:
    seconds = _seconds(value)
    if seconds <= 0:
        raise ValueError("must be more than nothing: 10s is a good start")
    return seconds


def _provider(value: Any) -> Provider:
    try:
        return Provider(_text(value))
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Provider)}") from None


def _via(value: Any) -> tuple[str | dict[str, Any], ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str | dict) for each in value):
        raise ValueError("must be a list of ssh:// URLs or tables")
    return tuple(value)


#: Every key of a tunnel, in the order of the documentation.
READERS: Mapping[str, Reader] = {
    "ssh_url": _text,
    "bastion_host": _text,
    "bastion_port": _port(1),
    "bastion_username": _text,
    "via": _via,
    "private_key": _text,
    "private_key_passphrase": _text,
    "certificate": _text,
    "bastion_password": _text,
    "known_hosts": _texts,
    "host_key": _texts,
    "remote_bind": _text,
    "local_port": _port(0),
    "database": _text,
    "database_password": _text,
    "connect_timeout": _positive_seconds,
    "keepalive": _seconds,
    "idle_hold": _seconds,
    "provider": _provider,
    "admin": _text,
    "admin_private_key": _text,
    "run_from": _text,
}
KEYS: tuple[str, ...] = tuple(READERS)

#: Keys of a jump host's table; the short names are accepted for those of a tunnel.
HOP_READERS: Mapping[str, Reader] = {
    key: READERS[key]
    for key in (
        "ssh_url",
        "bastion_host",
        "bastion_port",
        "bastion_username",
        "private_key",
        "private_key_passphrase",
        "certificate",
        "bastion_password",
        "known_hosts",
        "host_key",
    )
}
HOP_NAMES: Mapping[str, str] = {
    "url": "ssh_url",
    "host": "bastion_host",
    "port": "bastion_port",
    "username": "bastion_username",
    "password": "bastion_password",
    "passphrase": "private_key_passphrase",
}

_OPTIONS = {"connect_timeout": "--timeout"}
_NUMBERS = {"bastion_port", "local_port"}


def option_name(key: str) -> str:
    """The command-line option of *key*."""
    return _OPTIONS.get(key, "--" + key.replace("_", "-"))


def read_option(key: str, value: Any) -> Any:
    """Read the text of a command-line option. Raises ValueError, also where there is no such key."""
    if key not in READERS:
        raise ValueError(f"no such key{nearest(key, KEYS)}")
    if key in _NUMBERS and isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
    if value == -1:
        raise ValueError("not a port: write a number up to 65535")
    return READERS[key](value)


def shown_path(path: Path, cwd: Path) -> str:
    """*path* as a person would write it in *cwd*."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
