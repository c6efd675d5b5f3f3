"""What a check is, what it may ask of the engine, and what it hands back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tunneldoctor.model.visible import visible, visible_lines
from tunneldoctor.model.words import Layer, Place, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from tunneldoctor.model.policy import Policy
    from tunneldoctor.model.secret import Reference, Secret
    from tunneldoctor.model.tunnel import Hop, Tunnel

T = TypeVar("T")
#: What a finding's parameter or a measured fact may be.
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """The name of something that one check hands to the next: addresses, a socket, a session.

    ``trouble`` marks a fact that exists only when something went wrong; a check that needs one is a follow-up look,
    and is skipped, not blocked, where nothing did. ``back`` counts hops towards the client:
    ``ENDPOINT.after`` is the endpoint of the hop behind this one, ``SESSION.before`` the session on the hop in front.
    """

    name: str
    trouble: bool = False
    back: int = 0

    @property
    def after(self) -> Fact[T]:
        """The same fact, of the hop behind this one: a check may need it, and may give it."""
        return Fact(self.name, self.trouble, self.back - 1)

    @property
    def before(self) -> Fact[T]:
        """The same fact, of the hop in front of this one; nobody gives it on the first hop."""
        return Fact(self.name, self.trouble, self.back + 1)


class Where(StrEnum):
    """On which hops a check runs."""

    HERE = "here"
    FIRST_HOP = "first hop"
    JUMP_HOPS = "every hop but the bastion"
    EACH_HOP = "each hop"
    BASTION = "bastion"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen. The text is made harmless here, so that no check can forget to.

    ``kind`` is a short word: ``message``, ``bytes``, ``errno``, ``list``, ``file``, ``command``, ``timing`` …
    """

    kind: str
    text: str
    seen_from: Place = Place.HERE

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", visible_lines(self.text))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found. Words, advice and causes come from the code's page, not from the check.

    ``params`` fill the page's named fields. ``severity`` may be milder than the page's, never harsher.
    """

    code: str
    params: Mapping[str, Value] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    severity: Severity | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", _shown(self.params))


def _shown(params: Mapping[str, Value]) -> dict[str, Value]:
    return {key: visible(value) if isinstance(value, str) else value for key, value in params.items()}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What evidence says about one possible cause of a symptom on the same hop.

    ``params`` are for the page of the cause that it confirms, where that has fields which the symptom's has not.
    ``seen_from`` is where the evidence was seen.
    """

    code: str
    because: str
    out: bool
    params: Mapping[str, Value] = field(default_factory=dict, hash=False)
    seen_from: Place = Place.HERE


def rules_out(code: str, because: str, seen_from: Place = Place.HERE) -> Ruling:
    """Evidence that *code* is not the cause."""
    return Ruling(code, visible(because), out=True, seen_from=seen_from)


def confirms(
    code: str, because: str, params: Mapping[str, Value] | None = None, seen_from: Place = Place.HERE
) -> Ruling:
    """Evidence that *code* is the cause, and so none of the others; *params* fill that cause's page."""
    return Ruling(code, visible(because), out=False, params=_shown(params or {}), seen_from=seen_from)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a check comes to. Nothing in it means: as it should be.

    ``facts`` go to other checks, ``measured`` to the report's ``facts`` (flat names such as ``bastion.address``).
    ``unknown`` says what kept the check from measuring; ``skipped`` that there was nothing to look at.
    """

    findings: tuple[Finding, ...] = ()
    facts: Mapping[Fact[Any], Any] = field(default_factory=dict)
    measured: Mapping[str, Value] = field(default_factory=dict)
    rulings: tuple[Ruling, ...] = ()
    unknown: str | None = None
    skipped: str | None = None


def found(*findings: Finding, **rest: Any) -> Outcome:
    """An outcome with *findings*; the other fields by name."""
    return Outcome(findings=findings, **rest)


class Budget(Protocol):
    """The manners of a run: every method raises :class:`BudgetSpent` instead of going over."""

    def bare_connection(self, hop: str) -> None:
        """About to open a connection that will not try to log in, or a further one to the same hop."""

    def login(self, hop: str, credential: str) -> None:
        """About to try *credential* (a fingerprint or a name, never the secret) on *hop*: no credential twice."""

    def refused(self, hop: str) -> None:
        """A login was refused: after two in a run, further :meth:`login` calls raise."""

    def password(self, server: str) -> None:
        """About to send a password to *server*: one password a server and run."""

    def further_login(self, hop: str) -> None:
        """About to log in on *hop* once more, with what it has accepted already: no more often than asked for."""


class BudgetSpent(Exception):
    """Going on would go against the manners; the engine reports the check as ``unknown`` with this text."""


class Closeable(Protocol):
    """What the engine closes when a run ends or is cancelled."""

    def close(self) -> object:
        """Close it; may be called twice, from any thread."""


C = TypeVar("C", bound=Closeable)


class Context(Protocol):
    """All that a check may ask for while it runs."""

    @property
    def tunnel(self) -> Tunnel:
        """The tunnel under examination."""

    @property
    def hop(self) -> Hop:
        """The hop this check runs on; the bastion for checks of the database and of this machine."""

    @property
    def policy(self) -> Policy:
        """How the run was asked for."""

    @property
    def budget(self) -> Budget:
        """The manners of this run, shared by all checks."""

    @property
    def cancelled(self) -> threading.Event:
        """Set when the run is being ended: a wait of the check's own must watch it."""

    def remaining(self) -> float:
        """Seconds left of the stage's one deadline, never negative."""

    def half_time(self) -> float:
        """Seconds until half of the stage's deadline is used: when a follow-up look may start. Never negative."""

    def need(self, fact: Fact[T]) -> T:
        """A fact listed in ``needs``. Raises LookupError for any other."""

    def want(self, fact: Fact[T]) -> T | None:
        """A fact listed in ``wants``, or None where nobody gave it. Raises LookupError for any other."""

    def give(self, fact: Fact[T], value: T) -> None:
        """Hand on a fact listed in ``gives`` now, before this check ends."""

    def secret(self, reference: Reference) -> Secret:
        """Read a secret. Raises :class:`~tunneldoctor.model.secret.SecretUnavailable`."""

    def progress(self, text: str, **values: Value) -> None:
        """Tell whoever watches what is going on, in words and as data; control characters are made visible."""

    def closing(self, resource: C) -> C:
        """Have *resource* closed when the run ends or is cancelled; returns it."""


def always(tunnel: Tunnel, policy: Policy) -> str | None:
    """The default of :attr:`Check.applies`: nothing speaks against running it."""
    return None


def no_time_of_its_own(tunnel: Tunnel, policy: Policy) -> float:
    """The default of :attr:`Check.lasts`: it waits for nothing but answers."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One look at one thing.

    ``id`` is ``layer.name``; ``title`` says the healthy state. ``needs`` are waited for and required, ``wants`` waited
    for and done without. ``loads`` names the heavy modules that ``run`` imports: they are loaded beforehand, one after
    the other, since imports in several threads at once may see half-made modules. ``applies`` gives the
    reason why there is nothing to do for a tunnel, or None. ``stage`` names a stage of its own on the hop, with a
    deadline of its own, for what goes another way than the rest of the layer; empty: the layer's. ``lasts`` gives the
    seconds that it is meant to take, for a check that lets time pass: its stage gets them beyond ``connect_timeout``,
    and where the run is cancelled it is given a moment to say what it knows by then. ``equivalent`` is the shell
    command that looks at the same thing by hand, with named fields in braces: those of pages, those of by_hand.py.
    """

    id: str
    layer: Layer
    title: str
    where: Where
    run: Callable[[Context], Outcome]
    needs: tuple[Fact[Any], ...] = ()
    wants: tuple[Fact[Any], ...] = ()
    gives: tuple[Fact[Any], ...] = ()
    codes: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()
    applies: Callable[[Tunnel, Policy], str | None] = always
    stage: str = ""
    lasts: Callable[[Tunnel, Policy], float] = no_time_of_its_own
    equivalent: str = ""


@dataclass(frozen=True, slots=True)
class CheckPackage:
    """What an entry point of the group ``tunneldoctor.checks`` names: checks, and the folder of their pages."""

    name: str
    checks: tuple[Check, ...]
    pages: Path
