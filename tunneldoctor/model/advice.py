"""What a reader is told to do: steps with commands, before and after a tunnel's values are filled in."""

from dataclasses import dataclass

from tunneldoctor.model.words import Place, Provider


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do or look at. ``command`` is ready for a POSIX shell on ``run_on``; None where there is none.

    ``engines`` are the databases that it is for; empty where it is for all.
    """

    text: str
    command: str | None = None
    run_on: Place = Place.HERE
    provider: Provider | None = None
    engines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextStep:
    """A look that tells the causes in ``splits`` from all others (and from each other)."""

    step: Step
    splits: frozenset[str]
