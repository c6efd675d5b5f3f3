"""Every secret is kept where its reference says, and none is written down."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tunneldoctor.model import (
    Check,
    Context,
    Evidence,
    Finding,
    Hop,
    Layer,
    Outcome,
    Reference,
    SecretUnavailable,
    Severity,
    Tunnel,
    Where,
)
from tunneldoctor_checks.config._problems import PLAIN_TEXT, findings, of_secrets

#: Share of the time that is left which waiting for a store may take: the outcome must still arrive in time.
_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class _Use:
    """A reference, the key in which it stands, and whether the tunnel needs it.

    ``is_text``: a password or passphrase, of which an empty one is none; what an empty key is, the key's checks say.
    """

    key: str
    reference: Reference
    needed: bool = True
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class _Gap:
    """Why a reference gives nothing; ``measured`` is False where that says nothing about the reference."""

    use: _Use
    reason: str
    measured: bool = True


def run(context: Context) -> Outcome:
    """Read each secret once, and keep nothing of it but whether it is there."""
    gaps = list(_gaps(context))
    unmeasured = [f"{gap.use.key}: {gap.reason}" for gap in gaps if not gap.measured]
    found = findings(context.tunnel.problems, of_secrets)
    return Outcome(
        found + tuple(_finding(context, gap) for gap in gaps if gap.measured),
        unknown="; ".join(unmeasured) or None,
    )


def _gaps(context: Context) -> Iterator[_Gap]:
    """A store may hang (a keyring that asks its user): each is read on a thread that can be left behind."""
    answers: queue.SimpleQueue[_Gap | None] = queue.SimpleQueue()
    for use in _uses(context.tunnel):
        threading.Thread(target=lambda use=use: answers.put(_look(context, use)), daemon=True).start()
        try:
            gap = answers.get(timeout=context.remaining() * _SHARE)
        except queue.Empty:
            yield _Gap(use, f"{use.reference.scheme}: gave no answer in time", measured=False)
            return
        if gap:
            yield gap


def _look(context: Context, use: _Use) -> _Gap | None:
    try:
        content = context.secret(use.reference).reveal()
    except SecretUnavailable as unavailable:
        return _Gap(use, unavailable.reason, measured=unavailable.kind != "unsupported")
    except Exception as error:  # a store of somebody else's: its words may hold the secret
        return _Gap(use, f"the store failed ({type(error).__name__})", measured=False)
    return _Gap(use, "it is there, but empty") if use.is_text and not content.strip() else None


def _finding(context: Context, gap: _Gap) -> Finding:
    key, reference = gap.use.key, str(gap.use.reference)
    params = {"key": key, "reference": reference, "reason": gap.reason, "origin": str(context.tunnel.origin(key))}
    needed = gap.use.needed and not _opens_without(context, gap.use)
    seen = (Evidence("message", f"{reference}: {gap.reason}"),)
    return Finding("config.secret-not-found", params, seen, None if needed else Severity.WARNING)


def _opens_without(context: Context, use: _Use) -> bool:
    """True where *use* is the passphrase of keys that need none."""
    hops = [hop for hop in context.tunnel.hops if hop.passphrase == use.reference]
    references = {reference for hop in hops for reference in hop.private_keys}
    if not references:
        return False
    from tunneldoctor.ssh.keys import examine

    try:
        return all(examine(context.secret(reference).reveal()).key for reference in references)
    except SecretUnavailable:
        return False


def _uses(tunnel: Tunnel) -> Iterator[_Use]:
    """Each reference once, under the first key that has it. Files that hold a key are for the key's own checks."""
    seen: set[tuple[str, str]] = set()
    for use in _all(tunnel):
        place = (use.reference.scheme, use.reference.name)
        if not use.reference.is_literal and place not in seen:
            seen.add(place)
            yield use


def _all(tunnel: Tunnel) -> Iterator[_Use]:
    yield from _of_hop(tunnel.bastion, "")
    for hop in tunnel.hops[:-1]:
        yield from _of_hop(hop, "via")
    if tunnel.database and tunnel.database.password:
        yield _Use("database_password", tunnel.database.password, is_text=True)
    for name, helper in (("admin", tunnel.admin), ("run_from", tunnel.run_from)):
        for use in _of_hop(helper, name) if helper else ():
            yield _Use(
                "admin_private_key" if name == "admin" else name, use.reference, needed=False, is_text=use.is_text
            )


def _of_hop(hop: Hop, key: str) -> Iterator[_Use]:
    for reference in hop.private_keys:
        if reference.scheme != "file":
            yield _Use(key or "private_key", reference)
    if hop.certificate:
        yield _Use(key or "certificate", hop.certificate)
    for name, secret in (("private_key_passphrase", hop.passphrase), ("bastion_password", hop.password)):
        if secret:
            yield _Use(key or name, secret, is_text=True)
    for reference in hop.known_hosts or ():
        if reference.scheme != "file":
            yield _Use(key or "known_hosts", reference)


CHECK = Check(
    id="config.secrets",
    layer=Layer.CONFIG,
    title="every secret is where its reference says, and none is written down",
    where=Where.HERE,
    codes=(PLAIN_TEXT, "config.secret-not-found"),
    run=run,
)
