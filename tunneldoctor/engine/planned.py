"""One check on one hop, as the plan has it."""

from dataclasses import dataclass, field
from typing import Any

from tunneldoctor.catalog import by_hand, tunnel_values, whole_command
from tunneldoctor.model import Check, Fact, Hop, PlannedCheck, Tunnel

#: A fact on a hop: the fact's name and the hop's place on the path (-1 is this machine).
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Planned:
    """One check on one hop. ``place`` is the hop's place on the path, ``keys`` where each declared fact is found.

    ``skip`` is why it will not run, or None.
    """

    check: Check
    hop_name: str
    hop: Hop
    place: int
    skip: str | None
    keys: dict[Fact[Any], Key] = field(default_factory=dict)

    @property
    def id(self) -> tuple[str, str]:
        """What tells it from all others: the check's id and the hop."""
        return self.check.id, self.hop_name

    @property
    def stage(self) -> tuple[int, str]:
        """The stage whose deadline it shares."""
        return self.place, self.check.stage or self.check.layer

    @property
    def follows_up(self) -> bool:
        """True for a further look, which is only taken after trouble."""
        return any(fact.trouble for fact in self.check.needs)

    def given_key(self, fact: Fact[Any]) -> Key:
        """Where a fact that this check gives is kept."""
        return fact.name, self.place - fact.back

    def announce(self, tunnel: Tunnel) -> PlannedCheck:
        """The check as readers of the events see it."""
        values = {**tunnel_values(tunnel, self.hop_name, {}), **by_hand(tunnel, self.hop_name)}
        equivalent = whole_command(self.check.equivalent, values)
        return PlannedCheck(self.check.id, self.hop_name, self.check.layer, self.check.title, equivalent)
