"""One login and all that was seen of it on the bastion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tunneldoctor.bastion.log import clock
from tunneldoctor.bastion.person import Person
from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.settings import Settings
from tunneldoctor.bastion.subject import Subject


@dataclass(frozen=True, slots=True)
class Case:
    """A look at the account of *person* with the *settings* of sshd that are in force for it."""

    look: Look
    subject: Subject
    person: Person
    settings: Settings

    @property
    def now(self) -> float | None:
        """Seconds since 1970, by the bastion's clock."""
        return clock(self.look)[0]

    @property
    def local_time(self) -> datetime | None:
        """The same in the bastion's time zone."""
        return clock(self.look)[1]

    @property
    def source_name(self) -> str:
        """The name that sshd knows for our address; empty without UseDNS."""
        if not self.settings.is_on("usedns"):
            return ""
        rows = (line.split() for line in self.look.text("self").splitlines())
        return next((row[1] for row in rows if len(row) > 1 and row[0] == self.subject.address), "")

    def path(self, template: str) -> str:
        """A file of sshd_config(5) with its tokens filled in, as the script does it."""
        person = self.person
        for token, value in (("%h", person.home), ("%u", person.name), ("%U", str(person.uid))):
            template = template.replace(token, value)
        return template if template.startswith("/") else f"{person.home}/{template}"
