"""What was seen on the bastion about one possible cause, and what all that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tunneldoctor.bastion.log import Said
from tunneldoctor.model import Evidence, Finding, Place, Ruling, Value, confirms, rules_out

#: A line of sshd's log that is younger than this, in seconds, is about the login that was just refused.
_JUST_NOW = 5.0
_PUZZLE = (
    "all that was looked at on the bastion is as it should be by now: it was mended meanwhile, or another machine or "
    "another sshd refused the login"
)


@dataclass(frozen=True, slots=True)
class Sight:
    """One possible cause as it was found: ``wrong`` is True where it alone makes sshd refuse, False where it does not.

    ``params`` fill the page of the cause.
    """

    code: str
    wrong: bool
    because: str
    params: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a look says about a symptom's causes.

    ``rulings`` are about the cause that comes first in sshd's own order; ``further`` are the faults behind it, which
    would refuse the next login. ``puzzle`` says in words what does not fit together, or why nothing can be told.
    """

    rulings: tuple[Ruling, ...] = ()
    further: tuple[Finding, ...] = ()
    puzzle: str = ""

    def findings(self, params: Mapping[str, Value]) -> tuple[Finding, ...]:
        """The further faults, with *params* for their pages beside their own."""
        return tuple(replace(each, params={**params, **each.params}) for each in self.further)


def judged(sights: Sequence[Sight], said: Iterable[Said] = (), possible: Iterable[str] = ()) -> Judgement:
    """Weigh what was seen, in sshd's own order, against what sshd *said* about this login.

    sshd's word about the login itself outranks what its files look like. An older line, of something that is in order
    by now, is of no account. Where all that is *possible* is in order, nothing is ruled out: then what was looked at
    is not what refused the login.
    """
    fine = {each.code: each for each in sights if not each.wrong}
    wrong = list({each.code: each for each in reversed(sights) if each.wrong}.values())[::-1]
    heard = [each for each in said if each.code not in fine or _is_fresh(each)]
    faults = [_heard(each, wrong) for each in heard]
    faults += [each for each in wrong if each.code not in {fault.code for fault in faults}]
    if possible and not faults and fine.keys() >= set(possible):
        return Judgement(puzzle=_PUZZLE)
    first = faults[:1]
    rulings = [confirms(each.code, each.because, each.params, Place.BASTION) for each in first]
    named = {each.code for each in faults}
    rulings += [rules_out(each.code, each.because, Place.BASTION) for each in fine.values() if each.code not in named]
    return Judgement(tuple(rulings), tuple(map(_finding, faults[1:])))


def _is_fresh(said: Said) -> bool:
    return said.age is not None and abs(said.age) <= _JUST_NOW


def _heard(said: Said, wrong: Sequence[Sight]) -> Sight:
    because = f"sshd logged: {said.line}"
    seen = next((each for each in wrong if each.code == said.code), None)
    return Sight(said.code, True, f"{because}; {seen.because}" if seen else because, seen.params if seen else {})


def _finding(fault: Sight) -> Finding:
    return Finding(fault.code, fault.params, (Evidence("command", fault.because, Place.BASTION),))
