"""From settings to a Tunnel, complete with what could not be read in it."""

from types import MappingProxyType
from typing import Any

from tunneldoctor.config.hop import bastion, helper, jumps
from tunneldoctor.config.keys import KEYS
from tunneldoctor.config.settings import SSH_CONFIG, Draft, Settings
from tunneldoctor.config.target import database, remote
from tunneldoctor.model import DEFAULT_TIMEOUT, Problem, Tunnel


def build(name: str, settings: Settings) -> Tunnel:
    """Build the tunnel called *name*. Never fails: what can't be read is among its problems."""
    draft = Draft()
    if settings.ssh:
        draft.problems += settings.ssh.problems
    own = bastion(settings, draft)
    via = jumps(settings, own, draft)
    named = database(settings, draft)
    target = remote(settings, named, draft)
    admin, run_from = (helper(key, settings, own, draft) for key in ("admin", "run_from"))
    _note_origins(settings, draft)
    return Tunnel(
        name,
        (*via, own),
        target,
        named,
        settings.ssh.local_address if settings.ssh else "127.0.0.1",
        _value(settings, "local_port", 0),
        _value(settings, "connect_timeout", DEFAULT_TIMEOUT),
        _value(settings, "keepalive", 0.0),
        _value(settings, "idle_hold", None),
        _value(settings, "provider", None),
        admin,
        run_from,
        MappingProxyType(draft.origins),
        _real(settings, draft.problems),
    )


def _real(settings: Settings, problems: list[Problem]) -> tuple[Problem, ...]:
    """Where ssh could say nothing of its own entry, nothing in it is missing but all of it: one problem, not five."""
    if settings.ssh is None or settings.ssh.place:
        return tuple(problems)
    return tuple(problem for problem in problems if problem.code != "config.missing-field")


def _note_origins(settings: Settings, draft: Draft) -> None:
    for key in KEYS:
        if (entry := settings.find(key)) and key not in draft.origins:
            draft.came_from(key, entry.origin)
    if settings.ssh and (settings.ssh.private_keys or settings.ssh.agent is not None):
        draft.origins.setdefault("private_key", SSH_CONFIG)


def _value(settings: Settings, key: str, default: Any) -> Any:
    entry = settings.find(key)
    return default if entry is None else entry.value
