"""Whatever let a secret into a report or an event, none gets out."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.report.samples import BASTION, LOGIN, ORDERS
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import (
    CheckFinished,
    CheckProgress,
    Evidence,
    Origin,
    Problem,
    Reference,
    Report,
    RuledOut,
    RunFinished,
    Secret,
    Step,
    Vantage,
)
from tunneldoctor.report import (
    event_line,
    redact,
    redact_event,
    render_junit,
    render_markdown,
    render_text,
    report_json,
)

PASSWORD = "hunter2-Wörd & 'more'/%"
SECRETS = [Secret.of(PASSWORD)]


def a_key(format_: PrivateFormat = PrivateFormat.OpenSSH) -> str:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, format_, NoEncryption()).decode()


def everything(report: Report) -> str:
    """All that any format shows."""
    return "\n".join(
        (
            json.dumps(json.loads(report_json(report)), ensure_ascii=False),
            render_text(report, color=False, unicode=True, width=400, verbose=2),
            render_markdown(report),
            render_junit(report),
            event_line(RunFinished(1.0, report)),
            repr(report),
        )
    )


def with_evidence(text: str) -> Report:
    report = SCENARIOS["broken"]()
    checks = tuple(
        replace(check, findings=tuple(replace(each, evidence=(Evidence("message", text),)) for each in check.findings))
        for check in report.checks
    )
    return replace(report, checks=checks)


def shown_evidence(report: Report) -> str:
    return next(check for check in report.checks if check.findings).findings[0].evidence[0].text


def planted_everywhere(secret: str) -> Report:
    """A report with *secret* in each field that takes text from outside."""
    report = SCENARIOS["symptom"]()
    said = f"so it said {secret} and more"
    step = Step(said, f"login --with {secret}")
    words: dict[str, Any] = {
        "title": said,
        "summary": said,
        "ruled_out": (RuledOut("auth.unknown-user", said),),
        "next_step": step,
        "remedy": (step,),
        "verify": step,
    }
    findings = [
        replace(each, **words, params={"value": said}, evidence=(Evidence("message", said),), ignored=said)
        for check in report.checks
        for each in check.findings
    ]
    check = replace(report.checks[0], title=said, reason=said, findings=tuple(findings))
    hop = replace(BASTION, host=secret, username=secret, host_key_alias=secret)
    assert ORDERS.database
    tunnel = replace(
        ORDERS,
        name=secret,
        hops=(hop,),
        database=replace(ORDERS.database, user=secret, name=secret, options={"application_name": secret}),
        origins={"database": Origin(said)},
        problems=(Problem("config.bad-database-url", "database", "database", Origin(said), {"text": said}),),
    )
    assert report.diagnosis
    return replace(
        report,
        tunnel=tunnel,
        vantage=Vantage(said, said),
        diagnosis=replace(report.diagnosis, **words),
        path=tuple(replace(each, address=said) for each in report.path),
        checks=(check, *report.checks[1:]),
        facts={"bastion.software": said},
    )


def test_a_secret_is_removed_from_every_field_and_counted() -> None:
    planted = planted_everywhere(PASSWORD)
    assert PASSWORD in everything(planted)
    clean = redact(planted, SECRETS)
    assert PASSWORD not in everything(clean)
    assert "hunter2" not in everything(clean)
    assert clean.redacted.removed["secret"] > 30
    assert "[removed: secret]" in everything(clean)


@pytest.mark.parametrize(
    "form",
    [
        quote(PASSWORD, safe=""),
        re.sub("%..", lambda match: match[0].lower(), quote(PASSWORD, safe="")),
        b64encode(PASSWORD.encode()).decode(),
        b64encode(b"\x00app\x00" + PASSWORD.encode()).decode(),
        b64encode(b"u:" + PASSWORD.encode() + b"\n").decode(),
        b64encode(PASSWORD.encode() + b"\n").decode(),
        repr(PASSWORD),
    ],
    ids=["percent-encoded", "percent-encoded in small letters", "base64", "SASL PLAIN", "basic", "echo", "repr"],
)
def test_a_secret_is_found_in_other_clothes(form: str) -> None:
    clean = redact(with_evidence(f"AUTH {form} refused"), SECRETS)
    assert clean.redacted.removed == {"secret": 1}
    assert form[5:15] not in everything(clean)


def test_a_secret_with_control_characters_is_found_as_it_is_shown() -> None:
    clean = redact(with_evidence("the server said tab\there\x01!"), [Secret(b"tab\there\x01!")])
    assert shown_evidence(clean) == "the server said [removed: secret]"


def test_the_line_break_at_the_end_of_a_secrets_file_does_not_hide_it() -> None:
    assert redact(with_evidence("no s3cret! here"), [Secret(b"s3cret!\r\n")]).redacted.removed == {"secret": 1}


def test_a_plain_word_is_a_secret_only_as_a_whole_word() -> None:
    clean = redact(with_evidence("password postgres for postgresql"), [Secret.of("postgres")])
    assert shown_evidence(clean) == "password [removed: secret] for postgresql"


def test_codes_ids_and_hops_stay_whatever_the_password_is() -> None:
    report = SCENARIOS["broken"]()
    clean = redact(report, [Secret.of("bastion"), Secret.of("forward.refused"), Secret.of("database")])
    assert [(check.id, check.hop) for check in clean.checks] == [(check.id, check.hop) for check in report.checks]
    assert clean.diagnosis and clean.diagnosis.code == "forward.refused"


def test_secrets_too_short_to_be_told_from_anything_else_are_left() -> None:
    report = SCENARIOS["healthy"]()
    assert redact(report, [Secret.of("db"), Secret.of("")]) is report


PASTED: dict[str, Callable[[str], str]] = {
    "whole": str,
    "escaped newlines": lambda key: key.replace("\n", "\\n"),
    "CRLF": lambda key: key.replace("\n", "\r\n"),
    "on one line": lambda key: key.replace("\n", " "),
    "cut short": lambda key: key[:110],
    "encoded twice": lambda key: b64encode(key.encode()).decode(),
    "without its lines": lambda key: "".join(key.splitlines()[1:-1]),
}


@pytest.mark.parametrize(
    ("format_", "pasted"),
    [
        *((PrivateFormat.OpenSSH, pasted) for pasted in PASTED),
        # without its lines, nothing tells a PKCS#8 key from any other base64
        *((PrivateFormat.PKCS8, pasted) for pasted in PASTED if pasted != "without its lines"),
    ],
)
def test_a_private_key_is_removed_even_if_nobody_knows_it(format_: PrivateFormat, pasted: str) -> None:
    key = a_key(format_)
    body = "".join(key.splitlines()[1:-1])
    clean = redact(with_evidence(f"the file holds {PASTED[pasted](key)}"))
    assert clean.redacted.removed == {"private key": 1}
    assert body[20:40] not in shown_evidence(clean)
    assert b64encode(key.encode()).decode()[60:90] not in shown_evidence(clean)


def test_the_private_half_of_a_putty_key_is_removed() -> None:
    text = "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAAIGs0bUZZcmRrZ0pYc3ZaYVhkZkd0\nPrivate-MAC: 00ff"
    clean = redact(with_evidence(text))
    assert "AAAAIGs0" not in shown_evidence(clean)
    assert clean.redacted.removed == {"private key": 1}


def test_the_lines_of_a_known_key_are_found_one_by_one() -> None:
    key = a_key()
    line = key.splitlines()[1]
    assert line not in shown_evidence(redact(with_evidence(f"line 2: {line}"), [Secret.of(key)]))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://app:s3cret@db/orders", "postgresql://app:[removed: password]@db/orders"),
        ("ssh://tunnel:p@ss/w0rd:1@bastion:22", "ssh://tunnel:[removed: password]@bastion:22"),
        (
            "jdbc:mysql://db/x?user=app&password=s3cret&x=1",
            "jdbc:mysql://db/x?user=app&password=[removed: password]&x=1",
        ),
        (
            "jdbc:sqlserver://db;user=sa;password=s3cret;x=1",
            "jdbc:sqlserver://db;user=sa;password=[removed: password];x=1",
        ),
        ("redis://:s3cret@db", "redis://:[removed: password]@db"),
        (
            "mysql+pymysql://a:b@c and amqp://d:e@f",
            "mysql+pymysql://a:[removed: password]@c and amqp://d:[removed: password]@f",
        ),
    ],
)
def test_a_password_in_a_url_is_removed(text: str, left: str) -> None:
    assert shown_evidence(redact(with_evidence(text))) == left


@pytest.mark.parametrize(
    "text",
    [
        "ssh://tunnel@bastion.example.com:22",
        "http://bastion.example.com:8080/status@now",
        "ssh://a@edge:22,ssh://b@bastion:22",
        "ssh://edge:22,ssh://b@bastion:22",
        "postgresql://app:***@db",
        "postgresql://app:PASSWORD@db, postgresql://app:$PGPASSWORD@db, postgresql://app:{password}@db",
        "postgresql://db/orders?password=*** or ?password={password}",
        "the file begins with -----BEGIN OPENSSH PRIVATE KEY----- and ends with -----END OPENSSH PRIVATE KEY-----",
        "first line: -----BEGIN RSA PRIVATE KEY-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq7l8oU2B0rJ1kX9v0k1u3YyC8Xb1F2m6o1y0z3w4v5 me@laptop",
        "SHA256:uNiVztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    clean = redact(with_evidence(text), SECRETS)
    assert shown_evidence(clean) == text
    assert clean.redacted.removed == {}


def test_nothing_is_removed_from_an_ordinary_report(report: Report) -> None:
    assert redact(report, [Secret.of(a_key()), *SECRETS]) is report


def test_a_secret_written_into_the_tunnel_itself_is_known_without_being_told() -> None:
    hop = replace(BASTION, password=Reference("literal", "", Secret.of("written-down")))
    report = replace(with_evidence("tried written-down"), tunnel=replace(ORDERS, hops=(hop,)))
    assert shown_evidence(redact(report)) == "tried [removed: secret]"


def test_what_was_removed_before_stays_counted() -> None:
    once = redact(with_evidence(f"{PASSWORD} postgresql://a:b@c"), SECRETS)
    assert once.redacted.removed == {"secret": 1, "password": 1}
    assert redact(once, SECRETS) is once
    again = redact(replace(once, facts={"bastion.software": PASSWORD}), SECRETS)
    assert again.redacted.removed == {"secret": 2, "password": 1}


def test_events_are_cleaned_too() -> None:
    progress = redact_event(CheckProgress(1.0, "auth.login", "bastion", f"trying {PASSWORD}"), SECRETS)
    assert PASSWORD not in event_line(progress)
    planted = planted_everywhere(PASSWORD)
    for event in (CheckFinished(1.0, planted.checks[0]), RunFinished(2.0, planted)):
        assert "hunter2" not in event_line(redact_event(event, SECRETS))


def test_a_command_keeps_its_shape() -> None:
    report = SCENARIOS["symptom"]()
    assert report.diagnosis
    with_secret = replace(report.diagnosis, verify=replace(LOGIN, command="mysql -p'S3cret x' db"))
    clean = redact(replace(report, diagnosis=with_secret), [Secret.of("S3cret x")])
    assert clean.diagnosis and clean.diagnosis.verify
    assert clean.diagnosis.verify.command == "mysql -p'[removed: secret]' db"
