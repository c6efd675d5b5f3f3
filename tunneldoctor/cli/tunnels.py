"""From the words of the command line to the tunnels that they mean."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunneldoctor.cli.failure import Failure
from tunneldoctor.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tunneldoctor.config import Configuration
    from tunneldoctor.model import Tunnel


def configuration(path: str | None) -> Configuration:
    """The configuration file, or an empty one where there is none. Raises :class:`Failure`."""
    from tunneldoctor.config import ConfigError, load

    try:
        return load(Path(path) if path else None, os.environ, Path.cwd())
    except ConfigError as error:
        raise Failure(str(error)) from error


def ssh_hosts() -> list[str]:
    """The plain names on Host lines of ~/.ssh/config, to suggest and complete; what it includes is left out."""
    from tunneldoctor.config.ssh_tunnels import host_names

    return host_names(Path.home() / ".ssh" / "config")


def named_tunnel(path: str | None, name: str) -> Tunnel:
    """The tunnel *name* of the file, or the Host of that name. Raises :class:`Failure`."""
    return chosen_tunnels(path, [name], everything=False, overrides={})[0]


def chosen_tunnels(
    path: str | None, names: Sequence[str], everything: bool, overrides: Mapping[str, Any]
) -> list[Tunnel]:
    """The tunnels that were asked for, each once. Raises :class:`Failure`."""
    from tunneldoctor.config import ConfigError

    config = configuration(path)
    try:
        if everything:
            chosen = _all(config, names, overrides)
        elif names:
            chosen = [_one(config, name, overrides) for name in dict.fromkeys(names)]
        else:
            chosen = [_only(config, overrides)]
    except ConfigError as error:
        raise Failure(str(error)) from error
    return [replace(tunnel, words=_words(tunnel, config, path, overrides)) for tunnel in chosen]


def _words(tunnel: Tunnel, config: Configuration, path: str | None, overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """What names *tunnel* again on the command line; an option that holds a secret is left out."""
    from tunneldoctor.config import option_name

    by_options = tunnel.name not in config.names() and {"ssh_url", "bastion_host"} & set(overrides)
    words = [] if by_options else [tunnel.name]
    words += ["--config", path] if path else []
    secret = {problem.key for problem in tunnel.problems if problem.code == "config.secret-in-plain-text"}
    for key, value in overrides.items():
        if key not in secret:
            words += [word for each in _listed(value) for word in (option_name(key), each)]
    return tuple(words)


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


def _all(config: Configuration, names: Sequence[str], overrides: Mapping[str, Any]) -> list[Tunnel]:
    if names:
        raise Failure("--all and names of tunnels exclude each other")
    if not config.names():
        raise Failure(f"no tunnel to check: {_missing(config)}")
    return [config.tunnel(name, overrides) for name in config.names()]


def _one(config: Configuration, name: str, overrides: Mapping[str, Any]) -> Tunnel:
    if name in config.names():
        return config.tunnel(name, overrides)
    tunnel = config.tunnel_from_ssh_host(name, overrides)
    if tunnel is not None:
        return tunnel
    if "://" in name or "@" in name:  # may hold a password, so it is not repeated
        raise Failure("a URL is no name of a tunnel: give it with --ssh-url or --database")
    known = [*config.names(), *ssh_hosts()]
    where = "no tunnel and no Host of ~/.ssh/config is called"
    raise Failure(f"{where} {name}{nearest(name, known) or _list(config)}")


def _only(config: Configuration, overrides: Mapping[str, Any]) -> Tunnel:
    """Options that name a bastion describe a tunnel of their own; others change the only tunnel of the file."""
    names = config.names()
    if overrides and (not names or {"ssh_url", "bastion_host"} & set(overrides)):
        return config.tunnel_from_options(overrides)
    if len(names) == 1:
        return config.tunnel(names[0], overrides)
    if names:
        raise Failure(f"which tunnel? {', '.join(names)} (or --all)")
    raise Failure(f"no tunnel to check: {_missing(config)}; write one or give --ssh-url, --private-key and --database")


def _list(config: Configuration) -> str:
    names = config.names()
    return f" (tunnels: {', '.join(names)})" if names else ""


def _missing(config: Configuration) -> str:
    return f"{config.path} has none" if config.path else "there is no tunneldoctor.toml"
