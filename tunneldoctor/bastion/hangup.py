"""Why sshd hangs up before it says who it is, from its log on the bastion."""

from __future__ import annotations

import re

from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.sight import Judgement, Sight, judged
from tunneldoctor.bastion.subject import Subject

#: sshd.c (drop_connection, and the check of its privilege separation folder), srclimit.c; hosts_access(5), fail2ban.
_CAUSES = tuple(
    (re.compile(words), code)
    for words, code in (
        (r"penalty", "ssh.penalised"),
        (r"MaxStartups|past Max", "ssh.max-startups"),
        (r"refused connect from", "ssh.source-denied"),
        (r"privilege separation", "ssh.server-misconfigured"),
    )
)


def judge_hangup(look: Look, subject: Subject) -> Judgement:
    """The cause that the last line about a dropped connection names; nothing where there is none.

    An address that is banned is a cause only where ours is known.
    """
    banned = next((line for line in look.text("firewall").splitlines() if "Banned IP list" in line), "")
    if subject.address and subject.address in banned.split():
        return judged([Sight("ssh.source-denied", True, f"fail2ban has banned us: {banned.strip()}")])
    section = look.section("log")
    for line in reversed(section.lines if section else ()):
        about_others = "connection" in line and subject.address and subject.address not in line
        code = next((code for words, code in _CAUSES if words.search(line)), None)
        if code and not about_others:
            return judged([Sight(code, True, f"sshd logged: {line}")])
    return Judgement()
