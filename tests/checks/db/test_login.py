"""Logging in to a real PostgreSQL: what a reader of the report sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.db.conftest import Bastion, Examine, codes, database, reason, status, the_finding, tunnel
from tunneldoctor.model import Tls


def test_a_healthy_login_has_no_finding_and_tells_what_was_measured(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port)))
    assert codes(report) == []
    assert report.verdict == "healthy"
    assert report.facts["database.version"].startswith("15.")
    assert report.facts["database.tls"] == "TLSv1.3"
    assert report.facts["database.seen_as"] == "127.0.0.1"
    assert report.facts["database.latency_ms"] > 0
    assert report.facts["database.setting.idle_in_transaction_session_timeout"] == "0"
    assert report.facts["database.setting.tcp_keepalives_idle"]


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_healthy_database_is_connected_to_no_more_than_twice(postgres: Any, examine: Examine, mode: str) -> None:
    bastion = Bastion(postgres.port)
    assert examine(tunnel(database(postgres.port, tls=Tls(mode))), bastion=bastion).exit_code == 0
    assert len(bastion.opened) <= 2


def test_a_wrong_password_leaves_the_four_causes_that_postgresql_does_not_tell_apart(
    postgres: Any, examine: Examine
) -> None:
    report = examine(tunnel(database(postgres.port, password="wrong")))
    assert report.diagnosis
    assert report.diagnosis.code == "db.login-refused"
    assert report.diagnosis.causes == (
        "db.password-wrong", "db.unknown-user", "db.password-expired", "db.password-not-usable",
    )  # fmt: skip
    assert report.diagnosis.next_step


def test_a_password_that_is_missing_is_unknown_and_says_what_to_give(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, password=None)))
    assert status(report, "db.login") == "unknown"
    assert codes(report) == ["db.password-missing"]
    assert "database_password" in reason(report, "db.login")
    assert report.exit_code == 3


def test_a_reference_that_points_at_nothing_is_unknown_too(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, password="unset")))
    assert status(report, "db.login") == "unknown"
    assert "unset is not set" in reason(report, "db.login")


def test_no_password_is_read_where_the_server_asks_for_none(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "trusted", password="unset")))
    assert status(report, "db.login") == "pass"


def test_a_password_in_clear_is_not_sent_without_tls(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "asks_clear", tls=Tls("disable"))))
    assert status(report, "db.login") == "unknown"
    assert "was not sent" in reason(report, "db.login")


def test_no_password_goes_to_a_certificate_that_the_client_rejects(
    postgres: Any, authority: Any, examine: Examine
) -> None:
    settings = Tls("verify-full", root_certificate=str(authority.root.file))
    asked = database(postgres.port, host="another.example", tls=settings)
    report = examine(tunnel(asked))
    assert codes(report) == ["db.tls-name-mismatch"]
    assert status(report, "db.login") == "unknown"
    assert "reject the certificate" in reason(report, "db.login")


def test_a_user_that_must_use_tls_is_told_so(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "tls_only", tls=Tls("disable"))))
    assert report.diagnosis
    assert report.diagnosis.code == "db.tls-required"


def test_without_a_second_channel_the_refusal_stands_as_it_is(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "tls_only", tls=Tls("disable"))), with_session=False)
    assert "db.host-not-allowed" in codes(report)


def test_allow_goes_on_with_tls_as_libpq_does(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "tls_only", tls=Tls("allow"))))
    assert status(report, "db.login") == "pass"
    assert report.facts["database.tls"] == "TLSv1.3"


def test_prefer_goes_on_without_tls_as_libpq_does(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "clear_only", tls=Tls("prefer"))))
    assert status(report, "db.login") == "warn"
    assert codes(report) == ["db.tls-off"]


def test_an_address_that_is_not_admitted_gets_the_line_to_add(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "rejected")))
    assert report.diagnosis
    assert report.diagnosis.code == "db.host-not-allowed"
    assert report.diagnosis.remedy[0].command
    assert "hostssl app rejected 127.0.0.1/32 scram-sha-256" in report.diagnosis.remedy[0].command


@pytest.mark.parametrize(
    ("user", "name", "code"),
    [
        ("app", "nowhere", "db.unknown-database"),
        ("app", "forbidden", "db.permission-denied"),
        ("app", "closed", "db.database-not-accepting"),
        ("nobody_here", "app", "db.unknown-user"),
        ("no_login", "app", "db.account-locked"),
        ("one_only", "app", "db.too-many-connections"),
        ("with_certificate", "app", "db.tls-client-certificate-required"),
        ("asks_ident", "app", "db.auth-method-unsupported"),
    ],
)
def test_each_refusal_has_its_code(postgres: Any, examine: Examine, user: str, name: str, code: str) -> None:
    report = examine(tunnel(database(postgres.port, user, name)))
    assert report.diagnosis
    assert (report.diagnosis.code, report.diagnosis.certain) == (code, True)


def test_a_read_only_session_is_mentioned_and_healthy(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "reader")))
    assert codes(report) == ["db.read-only"]
    assert report.verdict == "healthy"


def test_a_client_certificate_satisfies_a_server_that_asks_for_one(
    postgres: Any, authority: Any, examine: Examine
) -> None:
    own = authority.issue("with_certificate")
    settings = Tls("require", client_certificate=str(own.file), client_key=str(own.key_file))
    report = examine(tunnel(database(postgres.port, "with_certificate", tls=settings)))
    assert status(report, "db.login") == "pass"


def test_a_client_certificate_of_another_user_is_rejected(postgres: Any, authority: Any, examine: Examine) -> None:
    own = authority.issue("somebody_else")
    settings = Tls("require", client_certificate=str(own.file), client_key=str(own.key_file))
    report = examine(tunnel(database(postgres.port, "by_certificate", tls=settings)))
    assert codes(report) == ["db.client-certificate-rejected"]


def test_a_client_certificate_of_another_authority_is_rejected(postgres: Any, examine: Examine, tmp_path: Any) -> None:
    from tests.database.conftest import Authority

    own = Authority(tmp_path, "Somebody else's authority").issue("with_certificate")
    settings = Tls("require", client_certificate=str(own.file), client_key=str(own.key_file))
    report = examine(tunnel(database(postgres.port, "with_certificate", tls=settings)))
    assert codes(report) == ["db.client-certificate-rejected"]


def test_a_key_that_others_may_read_is_not_used(postgres: Any, authority: Any, examine: Examine) -> None:
    own = authority.issue("with_certificate")
    own.key_file.chmod(0o644)
    settings = Tls("require", client_certificate=str(own.file), client_key=str(own.key_file))
    report = examine(tunnel(database(postgres.port, "with_certificate", tls=settings)))
    assert codes(report) == ["db.client-certificate-unusable"]


def test_an_old_token_is_known_as_one_and_not_shown(
    postgres: Any, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.checks.db import conftest

    token = (
        f"db.internal.example:{postgres.port}/?Action=connect&DBUser=app&X-Amz-Date=20200101T000000Z"
        "&X-Amz-Expires=900&X-Amz-Signature=0123456789abcdef"
    )
    monkeypatch.setitem(conftest.SECRETS, "token", token)
    report = examine(tunnel(database(postgres.port, password="token")))
    assert codes(report) == ["db.token-invalid"]
    assert "expired at 2020-01-01 00:15:00 UTC" in the_finding(report).summary
    assert "0123456789abcdef" not in str(report)
