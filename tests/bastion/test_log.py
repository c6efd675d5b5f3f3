"""sshd's own words for a refused login outrank what its files look like; the lines were logged by OpenSSH 9.2."""

from __future__ import annotations

import pytest

from tests.bastion.looks import FINGERPRINT, cleared, judgement, named, seen
from tunneldoctor.bastion.log import said_by_sshd

US, PORT = "203.0.113.7", "port 40822"
LINES = {
    "auth.unknown-user": f"Invalid user tunnel from {US} {PORT}",
    "auth.account-locked": "User tunnel not allowed because account is locked",
    "auth.user-not-allowed": f"User tunnel from {US} not allowed because not listed in AllowUsers",
    "auth.algorithm-not-accepted": "userauth_pubkey: signature algorithm ssh-ed25519 not in PubkeyAcceptedAlgorithms",
    "auth.key-too-short-for-server": "refusing RSA key: Invalid key length",
    "auth.key-revoked": f"error: Authentication key ED25519 {FINGERPRINT} revoked by file /etc/ssh/revoked",
    "auth.bad-permissions": "Authentication refused: bad ownership or modes for directory /home/tunnel",
    "auth.from-mismatch": "/home/tunnel/.ssh/authorized_keys:1: Authentication tried for tunnel with correct key but "
    f"not from a permitted host (host={US}, ip={US}, required=192.0.2.99).",
    "auth.certificate-source-address": "cert: Authentication tried for tunnel with valid certificate but not from a "
    f"permitted source address ({US}).",
    "auth.certificate-principal-not-authorized": "error: Certificate does not contain an authorized principal",
    "key.certificate-expired": "error: Certificate invalid: expired",
}


def log(*texts: str, when: str = "2026-11-22T09:33:18.123456+00:00", number: int = 4711) -> str:
    texts = (*texts, f"Connection closed by authenticating user tunnel {US} {PORT} [preauth]")
    return "\n".join(f"{when} bastion sshd[{number}]: {text}" for text in texts)


@pytest.mark.parametrize("code", LINES)
@pytest.mark.parametrize(
    "when",
    ["2026-11-22T09:33:18.123456+00:00", "2026-11-22T10:33:18+0100", "Nov 22 09:33:18", "Nov 22 09:33:18 x auth.info"],
)
def test_the_line_of_this_very_login_names_the_cause(code: str, when: str) -> None:
    lines = log(LINES[code] + " [preauth]", when=when).replace("x auth.info bastion", "bastion auth.info")
    verdict = judgement(log=lines)
    assert named(verdict)[0] == code
    assert "sshd logged: " in verdict.rulings[0].because


def test_newer_versions_log_under_another_name() -> None:
    verdict = judgement(log=log(LINES["auth.bad-permissions"]).replace("sshd[", "sshd-session["))
    assert named(verdict) == ["auth.bad-permissions"]


def test_an_old_line_of_what_is_in_order_by_now_is_of_no_account() -> None:
    old = log(LINES["auth.bad-permissions"], when="2026-11-22T08:00:00+00:00")
    assert judgement(log=old).puzzle


def test_an_old_line_counts_where_nothing_else_is_known() -> None:
    old = log(LINES["auth.key-revoked"], when="2026-11-22T08:00:00+00:00")
    hidden = ("/usr/sbin/sshd\n1 listening", 1)
    assert named(judgement(log=old, sshd=hidden)) == ["auth.key-revoked"]


def test_only_the_last_connection_counts() -> None:
    earlier = log(LINES["auth.bad-permissions"], number=1)
    assert named(judgement(log=earlier + "\n" + log("Connection from nowhere", number=2))) == []


@pytest.mark.parametrize(
    "line",
    [
        LINES["auth.user-not-allowed"].replace("tunnel", "tunnel2"),
        LINES["auth.user-not-allowed"].replace(US, "198.51.100.1"),
    ],
)
def test_lines_about_others_are_passed_over(line: str) -> None:
    others = f"2026-11-22T09:33:19+00:00 bastion sshd[99]: {line}"
    assert judgement(log=others).puzzle


def test_a_connection_with_another_key_of_the_same_user_is_not_ours() -> None:
    other = FINGERPRINT[:-4] + "AAAA"
    lines = log(f"Failed publickey for tunnel from {US} {PORT} ssh2: ED25519 {other}", LINES["auth.bad-permissions"])
    assert judgement(log=lines).puzzle


def test_the_admins_own_login_is_not_the_one_in_question() -> None:
    good = f"2026-11-22T09:33:20+00:00 bastion sshd[5000]: Accepted publickey for tunnel from {US} {PORT} ssh2"
    look, subject = seen(log=log(LINES["auth.bad-permissions"]) + "\n" + good)
    assert [each.code for each in said_by_sshd(look, subject)] == ["auth.bad-permissions"]


def test_what_sshd_says_comes_first_and_what_was_seen_behind_it() -> None:
    verdict = judgement({}, {"denyusers": "tunnel"}, log=log(LINES["auth.key-revoked"]))
    assert named(verdict) == ["auth.key-revoked", "auth.user-not-allowed"]
    assert "auth.key-revoked" not in cleared(verdict)
