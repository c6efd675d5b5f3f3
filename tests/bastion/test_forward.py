"""Why the bastion does not forward, from outputs of the script."""

from __future__ import annotations

import pytest

from tests.bastion.looks import FINGERPRINT, cleared, judgement, named

PROHIBITED = {"symptom": "forward.prohibited"}
FAILED = {"symptom": "forward.connect-failed"}


def ours(options: str) -> str:
    return f"1 ours 256 {FINGERPRINT} orders pipeline (ED25519) options: {options}"


@pytest.mark.parametrize(
    ("settings", "line", "codes"),
    [
        ({"allowtcpforwarding": "no"}, "", ["forward.disabled-in-sshd"]),
        ({"allowtcpforwarding": "remote"}, "", ["forward.disabled-in-sshd"]),
        ({"allowtcpforwarding": "local"}, "", []),
        ({"disableforwarding": "yes"}, "", ["forward.disabled-in-sshd"]),
        ({"permitopen": "db.internal:5433 other:5432"}, "", ["forward.permit-open"]),
        ({"permitopen": "none"}, "", ["forward.permit-open"]),
        ({"permitopen": "DB.internal:5432"}, "", ["forward.permit-open"]),
        ({"permitopen": "*:5432"}, "", []),
        ({"permitopen": "[2001:db8::1]:1 db.internal:*"}, "", []),
        ({}, "restrict", ["forward.key-restricted"]),
        ({}, "restrict,port-forwarding", []),
        ({}, "no-port-forwarding", ["forward.key-restricted"]),
        ({}, 'permitopen="db.internal:5433"', ["forward.key-permitopen"]),
        ({}, 'permitopen="db.internal:5433",permitopen="db.internal:5432"', []),
        ({"permitopen": "x:1"}, "restrict", ["forward.key-restricted", "forward.permit-open"]),
    ],
)
def test_what_forbids_the_destination_is_named(settings: dict[str, str], line: str, codes: list[str]) -> None:
    assert named(judgement(PROHIBITED, settings, keys=ours(line))) == codes


def test_a_password_that_must_be_changed_closes_every_destination() -> None:
    verdict = judgement(PROHIBITED, shadow="password set changed 0 maximum 99999 expires")
    assert named(verdict) == ["auth.password-change-required"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (("bash: connect: Connection refused", 1), "forward.refused"),
        (("nc: can't connect to remote host (192.0.2.20): Connection refused", 1), "forward.refused"),
        (("bash: connect: No route to host", 1), "forward.no-route"),
        (("", 124), "forward.timeout"),
        (("", 143), "forward.timeout"),
        (("nc: bad address 'db.internal'", 1), "forward.name-not-resolved"),
    ],
)
def test_a_connection_from_the_bastion_says_why_the_servers_failed(answer: tuple[str, int], code: str) -> None:
    verdict = judgement(FAILED, connect=answer)
    assert named(verdict) == [code]
    assert len(cleared(verdict)) == 3


def test_a_name_that_the_bastion_does_not_know_is_told_before_any_connection() -> None:
    verdict = judgement(FAILED, dns=("", 2), connect=("", 124))
    assert named(verdict) == ["forward.name-not-resolved"]


def test_a_connection_that_works_by_now_proves_nothing() -> None:
    verdict = judgement(FAILED)
    assert verdict.rulings == ()
    assert "works there by now" in verdict.puzzle


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("drop connection #12 from [203.0.113.7]:4021 on [10.0.0.5]:22 past MaxStartups", "ssh.max-startups"),
        ("drop connection #0 from [203.0.113.7]:4021 on [10.0.0.5]:22 penalty: failed authentication", "ssh.penalised"),
        ("refused connect from 203.0.113.7 (203.0.113.7)", "ssh.source-denied"),
        ("fatal: Missing privilege separation directory: /run/sshd", "ssh.server-misconfigured"),
        ("drop connection #12 from [198.51.100.9]:4021 on [10.0.0.5]:22 past MaxStartups", None),
    ],
)
def test_why_sshd_hung_up_is_read_from_its_log(line: str, code: str | None) -> None:
    verdict = judgement({"symptom": "ssh.closed-before-banner"}, log=f"Nov 22 09:33:18 bastion sshd[1]: {line}")
    assert named(verdict) == ([code] if code else [])
