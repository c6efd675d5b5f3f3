"""Why sshd refused a key, from a look at the bastion, in sshd's own order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunneldoctor.bastion import key_files, trust
from tunneldoctor.bastion.case import Case
from tunneldoctor.bastion.log import said_by_sshd
from tunneldoctor.bastion.person import Person, is_nobody
from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.rules import sights_of_rules
from tunneldoctor.bastion.settings import Settings
from tunneldoctor.bastion.sight import Judgement, Sight, judged
from tunneldoctor.bastion.subject import Subject

_SELINUX = "auth.selinux-context"
#: Types that sshd may read keys from in the reference policy (ssh.te); any other needs the audit log.
_READABLE_LABELS = ("ssh_home_t",)
_KEY_CAUSES = (
    "auth.unknown-user", "auth.account-locked", "auth.user-not-allowed", "auth.algorithm-not-accepted",
    "auth.key-too-short-for-server", "auth.key-revoked", *key_files.CODES, _SELINUX,
)  # fmt: skip


def judge_login(look: Look, subject: Subject) -> Judgement:
    """Which of the causes of ``auth.publickey-refused`` it is, as far as the look tells."""
    if nobody := is_nobody(look):
        return judged([Sight("auth.unknown-user", True, f"id {subject.user}: {nobody}")])
    person, settings = Person.of(look, subject.user), Settings.of(look, subject.port)
    sights = list(_account(person))
    if person and settings:
        sights += _sights(Case(look, subject, person, settings))
    sights += _selinux(look)
    if not subject.certificate and subject.key:
        sights += [Sight(code, False, "no certificate was offered") for code in trust.CODES]
    possible = _KEY_CAUSES + trust.CODES if subject.certificate else _KEY_CAUSES
    return judged(sights, said_by_sshd(look, subject), possible)


def _account(person: Person | None) -> Iterator[Sight]:
    if person:
        yield Sight("auth.unknown-user", False, f"the account is there: uid {person.uid}, home {person.home}")


def _sights(case: Case) -> Iterator[Sight]:
    yield from sights_of_rules(case)
    certificate = case.subject.certificate_facts()
    if case.subject.certificate and certificate is None:  # cut short on the way here: what it says is not known
        return
    trusted = certificate is not None and trust.is_trusted(case, certificate)
    if certificate is None or not (trusted or "-cert-v01@" in case.subject.algorithm):
        yield from key_files.sights_of_key_files(case)
        if certificate:
            yield from (Sight(code, False, "the plain key was refused, not the certificate") for code in trust.CODES)
        return
    yield from trust.sights_of_certificate(case, certificate)
    if trusted or trust.line_of_authority(case, certificate) is None:
        because = "for a certificate sshd needs no line in a file of keys"
        yield from (Sight(code, False, because) for code in key_files.CODES)
    else:
        yield from key_files.sights_of_key_files(case)


def _selinux(look: Look) -> Iterator[Sight]:
    section = look.section("selinux")
    if section is None:
        return
    denied = re.search(r'.*avc: +denied.*comm="sshd".*', section.text)
    if "not found" in section.text or not section.text.startswith("Enforcing"):
        yield Sight(_SELINUX, False, "SELinux is not enforcing there")
    elif denied:
        yield Sight(_SELINUX, True, f"the audit log has: {denied[0]}")
    elif all(_readable(line) for line in section.lines if line.endswith("/authorized_keys")):
        yield Sight(_SELINUX, False, "the file's label is one that sshd may read, and the audit log denies nothing")


def _readable(line: str) -> bool:
    return any(f":{label}:" in line for label in _READABLE_LABELS)
