"""Stand-ins for what the engine gives a check: a context with its manners, and a tunnel to examine.

A check's test hands over facts, runs the one check and reads its outcome; no engine, no other check, no order.
The context is as strict as the engine's: undeclared facts raise LookupError, the budget is the real one's size.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunneldoctor.model import (
    Address,
    BudgetSpent,
    Check,
    Closeable,
    Database,
    Fact,
    Hop,
    Outcome,
    Policy,
    Reference,
    Secret,
    SecretUnavailable,
    Tunnel,
    Value,
    visible,
)

#: Where the tunnel of :func:`a_tunnel` leads.
DATABASE_ADDRESS = Address("db.internal.corp", 5432)


class FakeBudget:
    """The manners of a run; ``spent`` holds every call, for tests that assert how modest a check is."""

    def __init__(self, bare: int = 6, refusals: int = 2) -> None:
        self.bare = bare
        self.refusals = refusals
        self.spent: list[tuple[str, ...]] = []

    def bare_connection(self, hop: str) -> None:
        if sum(call[0] == "bare" for call in self.spent) >= self.bare:
            raise BudgetSpent("no more connections in this run")
        self.spent.append(("bare", hop))

    def login(self, hop: str, credential: str) -> None:
        if sum(call[0] == "refused" for call in self.spent) >= self.refusals:
            raise BudgetSpent("no more logins in this run")
        if ("login", hop, credential) in self.spent:
            raise BudgetSpent("no credential twice in one run")
        self.spent.append(("login", hop, credential))

    def refused(self, hop: str) -> None:
        self.spent.append(("refused", hop))

    def password(self, server: str) -> None:
        if ("password", server) in self.spent:
            raise BudgetSpent("one password a server and run")
        self.spent.append(("password", server))

    def further_login(self, hop: str) -> None:
        self.spent.append(("further login", hop))


class FakeContext:
    """Implements :class:`tunneldoctor.model.Context`.

    ``given`` holds what the check handed on early, ``said`` its progress, ``resources`` what it wants closed;
    ``given_event`` is set whenever something is given. Secrets come from ``secrets`` (by the reference's text), else
    from the file or the environment variable that the reference names.
    """

    def __init__(
        self,
        tunnel: Tunnel,
        hop: Hop,
        facts: Mapping[Fact[Any], Any],
        check: Check | None = None,
        policy: Policy | None = None,
        seconds: float | None = None,
        secrets: Mapping[str, str | bytes] | None = None,
        budget: FakeBudget | None = None,
    ) -> None:
        self.tunnel = tunnel
        self.hop = hop
        self.policy = policy or Policy()
        self.budget = budget or FakeBudget()
        self.cancelled = threading.Event()
        self.given: dict[Fact[Any], Any] = {}
        self.given_event = threading.Event()
        self.said: list[str] = []
        self.resources: list[Closeable] = []
        self._facts = dict(facts)
        self._check = check
        self._seconds = tunnel.connect_timeout if seconds is None else seconds
        self._start = time.monotonic()
        self._secrets = dict(secrets or {})

    def remaining(self) -> float:
        return max(0.0, self._start + self._seconds - time.monotonic())

    def half_time(self) -> float:
        return max(0.0, self._start + self._seconds / 2 - time.monotonic())

    def need(self, fact: Fact[Any]) -> Any:
        if self._check is not None and fact not in self._check.needs:
            raise LookupError(f"{self._check.id} does not declare that it needs {fact.name!r}")
        return self._facts[fact]

    def want(self, fact: Fact[Any]) -> Any:
        if self._check is not None and fact not in self._check.wants:
            raise LookupError(f"{self._check.id} does not declare that it wants {fact.name!r}")
        return self._facts.get(fact)

    def give(self, fact: Fact[Any], value: Any) -> None:
        if self._check is not None and fact not in self._check.gives:
            raise LookupError(f"{self._check.id} does not declare that it gives {fact.name!r}")
        self.given[fact] = value
        self.given_event.set()

    def secret(self, reference: Reference) -> Secret:
        if reference.secret is not None:
            return reference.secret
        if (text := self._secrets.get(str(reference))) is not None:
            return Secret(text) if isinstance(text, bytes) else Secret.of(text)
        if reference.scheme == "file" and Path(reference.name).is_file():
            return Secret(Path(reference.name).read_bytes())
        if reference.scheme == "env" and reference.name in os.environ:
            return Secret.of(os.environ[reference.name])
        raise SecretUnavailable(reference, "missing", f"{reference} points at nothing")

    def progress(self, text: str, **values: Value) -> None:
        self.said.append(visible(text))

    def closing(self, resource: Any) -> Any:
        self.resources.append(resource)
        return resource

    def close(self) -> None:
        """What the engine does at the end of a run."""
        self.cancelled.set()
        for resource in reversed(self.resources):
            resource.close()


def a_tunnel(
    host: str | None = "127.0.0.1",
    port: int = 22,
    username: str | None = "tunnel",
    *,
    via: tuple[Hop, ...] = (),
    remote: Address | None = DATABASE_ADDRESS,
    database: Database | None = None,
    connect_timeout: float = 5.0,
    bastion: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Tunnel:
    """A tunnel through one bastion; ``bastion`` holds further fields of the bastion's hop, ``rest`` of the tunnel."""
    last = Hop("bastion", host, port, username, **(bastion or {}))
    return Tunnel(
        rest.pop("name", "orders"),
        (*via, last),
        remote=remote,
        database=database,
        connect_timeout=connect_timeout,
        **rest,
    )


def a_context(
    check: Check | None = None,
    tunnel: Tunnel | None = None,
    hop: Hop | str | None = None,
    facts: Mapping[Fact[Any], Any] | None = None,
    **rest: Any,
) -> FakeContext:
    """A context for *check* on *hop* (a hop or its name; default: the bastion)."""
    tunnel = tunnel or a_tunnel()
    if isinstance(hop, str):
        hop = next(each for each in tunnel.hops if each.name == hop)
    return FakeContext(tunnel, hop or tunnel.bastion, facts or {}, check, **rest)


def examine(check: Check, context: FakeContext) -> Outcome:
    """Run *check* once and hold its outcome against what it declares: codes, facts, its layer's name in its id."""
    outcome = check.run(context)
    undeclared = {finding.code for finding in outcome.findings} - set(check.codes)
    assert not undeclared, f"{check.id} reports {undeclared} without declaring it"
    assert set(outcome.facts) <= set(check.gives), f"{check.id} gives more than it declares"
    assert check.id.startswith(f"{check.layer}."), f"{check.id} is not named after its layer"
    return outcome


def codes(outcome: Outcome) -> list[str]:
    """The codes of what was found, in order."""
    return [finding.code for finding in outcome.findings]
