"""What sshd asks before it looks for any key: the account, its own lists, the algorithm, the key's size, revocation.

Sources: OpenSSH auth.c (allowed_user, auth_key_is_revoked), platform.c (platform_locked_account), auth-shadow.c,
auth2-pubkey.c (userauth_pubkey). In their order.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunneldoctor.bastion.case import Case
from tunneldoctor.bastion.person import PasswordState
from tunneldoctor.bastion.settings import fits, user_fits
from tunneldoctor.bastion.sight import Sight

_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")


def sights_of_rules(case: Case) -> Iterator[Sight]:
    """All of them, as far as they could be seen."""
    yield from _locked(case)
    yield from _allowed(case)
    yield from _algorithm(case)
    yield from _size(case)
    yield from _revoked(case)


def _locked(case: Case) -> Iterator[Sight]:
    code = "auth.account-locked"
    if case.settings.is_on("usepam"):
        yield Sight(code, False, "UsePAM yes: sshd itself does not mind a locked password, and PAM hangs up instead")
        return
    state = PasswordState.of(case.look)
    if state is None or case.now is None:
        return
    if state.kind == "locked":
        yield Sight(code, True, "UsePAM no, and the password in /etc/shadow is locked with a '!'")
    elif state.is_over(case.now):
        yield Sight(code, True, f"the account expired on day {state.expires} since 1970, as /etc/shadow has it")
    else:
        yield Sight(code, False, f"the password entry is {state.kind}, and the account has not expired")


def _allowed(case: Case) -> Iterator[Sight]:
    code = "auth.user-not-allowed"
    reasons = [_shell(case), *_lists(case), _root(case)]
    wrong = next((reason for reason in reasons if reason), None)
    if wrong:
        yield Sight(code, True, wrong)
    elif None not in reasons:
        yield Sight(code, False, f"no list of sshd excludes the user, and {case.person.shell or '/bin/sh'} is there")


def _shell(case: Case) -> str | None:
    """What is wrong with the shell; empty for nothing, None where that was not seen. A chroot is not looked into."""
    section = case.look.section("shell")
    if case.settings.one("chrootdirectory"):
        return ""
    if section is None:
        return None
    shell = case.person.shell or "/bin/sh"
    if section.status:
        return f"its shell {shell} does not exist" if "No such file" in section.text else None
    return "" if "x" in section.text[:10] and section.text.startswith("-") else f"its shell {shell} can't be run"


def _lists(case: Case) -> Iterator[str | None]:
    """allowed_user in auth.c: DenyUsers, AllowUsers, DenyGroups, AllowGroups."""
    name, address, settings = case.person.name, case.subject.address, case.settings
    denied = [user_fits(name, address, each) for each in settings.all("denyusers")]
    allowed = [user_fits(name, address, each) for each in settings.all("allowusers")]
    yield _verdict(True in denied, None in denied, f"DenyUsers {' '.join(settings.all('denyusers'))}")
    missing = bool(allowed) and True not in allowed
    yield _verdict(missing and None not in allowed, missing, f"AllowUsers {' '.join(settings.all('allowusers'))}")
    groups = case.person.groups
    for word, excludes in (("denygroups", True), ("allowgroups", False)):
        patterns = settings.all(word)
        member = any(fits(group, pattern) for group in groups for pattern in patterns)
        text = f"{word} {' '.join(patterns)}, and the user is in {', '.join(groups) or 'no group'}"
        yield _verdict(bool(patterns) and member is excludes, False, text)


def _verdict(wrong: bool, unknown: bool, text: str) -> str | None:
    return text if wrong else None if unknown else ""


def _root(case: Case) -> str:
    rule = case.settings.one("permitrootlogin")
    return "PermitRootLogin no" if case.person.uid == 0 and rule == "no" else ""


def _algorithm(case: Case) -> Iterator[Sight]:
    code, accepted = (
        "auth.algorithm-not-accepted",
        case.settings.one("pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"),
    )
    wanted = _offered_with(case)
    if not accepted or not wanted:
        return
    if not set(wanted) & set(accepted.split(",")):
        yield Sight(code, True, f"sshd accepts {accepted}, and not {' or '.join(wanted)}")
        return
    certificate, signed_with = case.subject.certificate_facts(), case.settings.one("casignaturealgorithms")
    if certificate and signed_with and certificate.signature_algorithm not in signed_with.split(","):
        because = (
            f"CASignatureAlgorithms {signed_with}: the certificate is signed with {certificate.signature_algorithm}"
        )
        yield Sight(code, True, because)
        return
    yield Sight(code, False, f"sshd accepts {' or '.join(wanted)} from this user")


def _offered_with(case: Case) -> tuple[str, ...]:
    kind = case.subject.algorithm or case.subject.key.partition(" ")[0]
    return _RSA_SIGNATURES if kind == "ssh-rsa" else (kind,) if kind else ()


def _size(case: Case) -> Iterator[Sight]:
    code, least = "auth.key-too-short-for-server", case.settings.one("requiredrsasize", "rsaminsize")
    bits = case.subject.rsa_bits
    if bits is None:
        if case.subject.key:
            yield Sight(code, False, "RequiredRSASize says nothing of keys that are not RSA")
    elif least.isdecimal():
        yield Sight(code, bits < int(least), f"RequiredRSASize {least}: the key has {bits} bits")


def _revoked(case: Case) -> Iterator[Sight]:
    code, file = "auth.key-revoked", case.settings.one("revokedkeys")
    if not file:
        yield Sight(code, False, "RevokedKeys none")
        return
    section = case.look.permitted("revoked", file)
    if section is None:
        return
    if "No such file" in section.text:
        yield Sight(code, True, f"RevokedKeys {file} is not there: sshd then refuses every key")
    elif "REVOKED" in section.text or (case.subject.fingerprint and case.subject.fingerprint in section.text):
        yield Sight(code, True, f"RevokedKeys {file} has this key")
    elif case.subject.fingerprint:
        yield Sight(code, False, f"RevokedKeys {file} does not have this key")
