"""Why sshd does not forward to the database, or can't reach it, from a look at the bastion.

Sources: OpenSSH serverloop.c (server_request_direct_tcpip: AllowTcpForwarding, the key's permission, DisableForwarding)
and channels.c (channel_connect_to_port: the key's permitopen, then PermitOpen).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tunneldoctor.bastion.case import Case
from tunneldoctor.bastion.key_files import files_read
from tunneldoctor.bastion.key_lines import KeyLine
from tunneldoctor.bastion.person import PasswordState, Person
from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.settings import Settings, opens_to
from tunneldoctor.bastion.sight import Judgement, Sight, judged
from tunneldoctor.bastion.subject import Subject
from tunneldoctor.bastion.trust import is_trusted, line_of_authority
from tunneldoctor.model import Address
from tunneldoctor.net.scope import is_literal

_KEY, _AUTHORITY = "forward.key-restricted", "forward.certificate-restricted"
_CERTIFICATE, _KEY_TARGET = "key.certificate-no-port-forwarding", "forward.key-permitopen"
_OFF, _TARGET = "forward.disabled-in-sshd", "forward.permit-open"
_CHANGE = "auth.password-change-required"
_PROHIBITIONS = (_CHANGE, _KEY, _AUTHORITY, _CERTIFICATE, _OFF, _KEY_TARGET, _TARGET)
_UNKNOWN_NAME = "forward.name-not-resolved"
_FAILURES = ("forward.refused", "forward.timeout", "forward.no-route", _UNKNOWN_NAME)
#: What bash, nc and the C library say of a connection that fails, and the statuses of timeout(1) and busybox's.
_WORDS = (
    (re.compile(r"refused", re.IGNORECASE), "forward.refused"),
    (re.compile(r"no route|unreachable", re.IGNORECASE), "forward.no-route"),
    (re.compile(r"not known|bad address|resolution|does not resolve", re.IGNORECASE), _UNKNOWN_NAME),
    (re.compile(r"timed out|timeout", re.IGNORECASE), "forward.timeout"),
)
_TIMED_OUT = (124, 143)


def judge_prohibition(look: Look, subject: Subject) -> Judgement:
    """Which of the causes of ``forward.prohibited`` it is, as far as the look tells."""
    person, settings = Person.of(look, subject.user), Settings.of(look, subject.port)
    if person is None or settings is None or subject.target is None:
        return Judgement()
    case = Case(look, subject, person, settings)
    sights = [*_by_password(case), *_by_line(case, subject.target), *_by_settings(settings, subject.target)]
    sights = [replace(each, params={"target": str(subject.target)}) for each in sights]
    sights.sort(key=lambda each: _PROHIBITIONS.index(each.code))
    return judged(sights, possible=_PROHIBITIONS)


def judge_failure(look: Look, subject: Subject) -> Judgement:
    """Which of the causes of ``forward.connect-failed`` it is: the same connection was tried there."""
    code, because = connection(look, subject)
    if code is None:
        return Judgement(puzzle=because)
    sights = [Sight(code, True, because)]
    return judged(sights + [Sight(each, False, because) for each in _FAILURES if each != code])


def connection(look: Look, subject: Subject) -> tuple[str | None, str]:
    """What a connection from the bastion to the database came to: a code, None where it works; and in which words."""
    section, names = look.section("connect"), look.section("dns")
    literal = subject.target is not None and is_literal(subject.target.host)
    if names and names.status == 2 and not literal:  # getent(1): not found
        return _UNKNOWN_NAME, f"getent hosts {subject.target.host if subject.target else ''}: nothing"
    if section is None:
        return None, "no connection to the database was tried there"
    if section.status == 0:
        return None, "a connection to the database works there by now"
    said = section.lines[0] if section.lines else f"status {section.status}"
    if section.status in _TIMED_OUT:
        return "forward.timeout", f"no answer within 3 s: {section.command}"
    found = next((code for words, code in _WORDS if words.search(section.text)), None)
    return found, f"{said}: {section.command}"


def _by_password(case: Case) -> Iterator[Sight]:
    """auth_restrict_session in auth.c: PAM lets the login in, and nothing through it."""
    state = PasswordState.of(case.look)
    if not case.settings.is_on("usepam"):
        yield Sight(_CHANGE, False, "UsePAM no: nobody asks how old the password is")
    elif state and case.now:
        because = f"/etc/shadow: the password was changed on day {state.changed} and lives for {state.maximum} days"
        yield Sight(_CHANGE, state.must_change(case.now), because)


def _by_settings(settings: Settings, target: Address) -> Iterator[Sight]:
    allowed, off = settings.one("allowtcpforwarding"), settings.is_on("disableforwarding")
    because = "DisableForwarding yes" if off else f"AllowTcpForwarding {allowed}"
    yield Sight(_OFF, off or allowed in ("no", "remote"), because)
    permitted = settings.all("permitopen")
    closed = permitted != ("any",) and bool(settings.values.get("permitopen")) and not opens_to(target, permitted)
    yield Sight(_TARGET, closed, f"PermitOpen {' '.join(permitted) or 'none'}")


def _by_line(case: Case, target: Address) -> Iterator[Sight]:
    """What the key's line, or the certificate and the line of its authority, grant."""
    certificate = case.subject.certificate_facts()
    trusted = certificate is not None and is_trusted(case, certificate)
    authority = line_of_authority(case, certificate) if certificate and not trusted else None
    if certificate and (trusted or authority):
        yield Sight(_CERTIFICATE, not certificate.permits_port_forwarding, "the extensions of the certificate")
        yield Sight(_KEY, False, "the certificate logged in, not the plain key")
        yield from _by_options(authority, _AUTHORITY, target)
    elif case.subject.key:
        yield from (Sight(each, False, "no certificate logged in") for each in (_AUTHORITY, _CERTIFICATE))
        line = _line(case)
        yield from _by_options(line, _KEY, target) if line else ()


def _by_options(line: KeyLine | None, code: str, target: Address) -> Iterator[Sight]:
    if line is None:
        yield from (
            Sight(each, False, "TrustedUserCAKeys has the authority, and no line") for each in (code, _KEY_TARGET)
        )
        return
    names = ", ".join(name for name, _ in line.options) or "no options"
    yield Sight(code, not line.may_forward, f"line {line.number} of authorized_keys has {names}")
    permitted = ", ".join(line.values("permitopen"))
    because = f"permitopen={permitted}" if permitted else "no permitopen"
    yield Sight(_KEY_TARGET, not line.opens_to(target), f"line {line.number} of authorized_keys has {because}")


def _line(case: Case) -> KeyLine | None:
    """The line that let the key in: the first of the first file that has it."""
    lines = (line for file in files_read(case) for line in file.ours(case) if not line.has("cert-authority"))
    return next(lines, None) if case.subject.fingerprint else None
