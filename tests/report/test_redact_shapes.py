"""Two thousand secrets of all shapes, planted where texts from outside go: none gets out, and nothing else changes."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.report.samples import BASTION, ORDERS
from tests.report.scenarios import SCENARIOS
from tests.report.secret_corpus import SHAPES, Maker, Shape, corpus
from tunneldoctor.history import History
from tunneldoctor.model import (
    CheckFinished,
    CheckProgress,
    Event,
    Evidence,
    Origin,
    PlannedCheck,
    Problem,
    Report,
    RuledOut,
    RunFinished,
    RunStarted,
    Step,
    Vantage,
)
from tunneldoctor.report import (
    essence,
    event_line,
    redact,
    redact_event,
    redact_text,
    render_junit,
    render_markdown,
    render_prometheus,
    render_text,
    render_ticket,
    report_json,
)

PLANTED, EACH = 2000, 80
PAGES = sorted((Path(__file__).parents[2] / "checks" / "tunneldoctor_checks").rglob("*.md"))

#: What servers, programs and our own pages say about secrets without saying one.
HARMLESS = (
    "Access denied for user 'app'@'10.0.3.4' (using password: YES)",
    'FATAL:  password authentication failed for user "app"',
    "debug1: Next authentication method: password",
    "Authentications that can continue: publickey,password,keyboard-interactive",
    "passwordauthentication no",
    "passwd:         files systemd sss",
    "root:x:0:0:root:/root:/bin/bash",
    "tunnel:*:19000:0:99999:7:::",
    "mysql --host 127.0.0.1 --port 3306 --user app --password orders",
    "psql 'host=db.internal hostaddr=127.0.0.1 port=5432 user=app dbname=orders sslmode=require'",
    'database_password = "env:ORDERS_DB_PASSWORD"',
    "database_password=keyring:orders/app",
    "postgresql://app:PASSWORD@db.internal:5432/orders",
    "jdbc:sqlserver://db;user=sa;password={your_password};encrypt=true",
    "export PGPASSWORD=$(cat /run/secrets/db)",
    "SHA256:uNiVztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o",
    "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq7l8oU2B0rJ1kX9v0k1u3YyC8Xb1F2m6o1y0z3w4v5 me@laptop",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "2026-11-22T03:04:05.123Z bastion sshd[812]: Connection closed by 10.0.0.4 port 41234 [preauth]",
    "-L 127.0.0.1:5432:db.internal:5432",
    "fe80::42:acff:fe11:2 dev eth0, 2001:db8:1:2:3:4:5:6",
    "kex: curve25519-sha256@libssh.org,ecdh-sha2-nistp256 mac: hmac-sha2-256-etm@openssh.com",
    "An example of Basic authentication; Bearer tokens expire; the authorization failed",
    "ERROR 1045 (28000): token expired",
    "(umask 077; ${EDITOR:-vi} ~/.ssh/db-password)",
    "ALTER ROLE app WITH PASSWORD '%s'",
    "requirepass in redis.conf is not set",
)


def everything(report: Report, events: list[Event], folder: Path) -> str:
    """What every sink gets."""
    kept = History(folder, tell=lambda text: pytest.fail(text)).keep(report)
    assert kept
    return "\n".join(
        (
            json.dumps(json.loads(report_json(report)), ensure_ascii=False),
            render_text(report, color=False, unicode=True, width=4000, verbose=2),
            render_markdown(report),
            render_ticket(report),
            render_junit(report),
            render_prometheus(report),
            kept.read_text(),
            *map(event_line, events),
            repr(report),
            repr(events),
        )
    )


def planted(texts: list[str]) -> tuple[Report, list[Event]]:
    """A report and events with *texts* in each field that takes text from outside, as many as there are."""
    left: Iterator[str] = iter(texts)

    def take() -> str:
        return next(left, "nothing")

    report = SCENARIOS["symptom"]()
    assert report.diagnosis
    assert ORDERS.database

    def step() -> Step:
        return Step(take(), take())

    def words() -> dict[str, object]:
        return {
            "title": take(),
            "summary": take(),
            "ruled_out": (RuledOut("auth.unknown-user", take()),),
            "next_step": step(),
            "remedy": (step(),),
            "verify": step(),
            "notes": take(),
        }

    def finding(each):
        evidence = tuple(Evidence("message", take()) for _ in range(3))
        return replace(
            each, **words(), params={"value": take(), "url": take()}, evidence=evidence, ignored=each.ignored
        )

    checks = tuple(
        replace(check, title=take(), reason=take(), findings=tuple(map(finding, check.findings)))
        for check in report.checks
    )
    hop = replace(BASTION, host=take(), username=take(), host_key_alias=take())
    tunnel = replace(
        ORDERS,
        name=take(),
        hops=(hop,),
        database=replace(ORDERS.database, user=take(), name=take(), options={"application_name": take()}),
        origins={"database": Origin(take())},
        problems=(Problem("config.bad-database-url", "database", "database", Origin(take()), {"text": take()}),),
        words=(take(),),
    )
    full = replace(
        report,
        tunnel=tunnel,
        vantage=Vantage(take(), take()),
        diagnosis=replace(report.diagnosis, **words()),
        path=tuple(replace(each, address=take()) for each in report.path),
        checks=checks,
        facts={"bastion.software": take(), "database.version": take()},
    )
    first = checks[0]
    events = [
        RunStarted(0.0, take(), (PlannedCheck(first.id, first.hop, first.layer, take(), take()),)),
        *(CheckProgress(1.0, "auth.login", "bastion", take(), {"text": take()}) for _ in range(6)),
        CheckFinished(2.0, checks[0]),
        RunFinished(3.0, full),
    ]
    assert next(left, None) is None, "not every text has a place"
    return full, events


def test_two_thousand_secrets_of_all_shapes_are_in_no_sink_and_no_diagnosis_changes(tmp_path: Path) -> None:
    secrets = list(corpus(PLANTED))
    random.Random(7).shuffle(secrets)
    assert len({shape for shape, _, _ in secrets}) >= 40
    for start in range(0, PLANTED, EACH):
        batch = secrets[start : start + EACH]
        report, events = planted([text for _, text, _ in batch])
        clean = redact(report)
        shown = everything(clean, [redact_event(each) for each in events], tmp_path / str(start))
        assert [(shape.name, text) for shape, text, secret in batch if secret in shown] == []
        assert essence(clean) == essence(report)
        assert sum(clean.redacted.removed.values()) > EACH / 2


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_each_documented_shape_is_found_and_what_stands_around_it_stays(shape: Shape) -> None:
    maker = Maker(shape.name)
    for _ in range(20):
        text, secret = shape.make(maker)
        clean = redact_text(f"first words; {text}")
        assert secret not in clean
        assert clean.startswith("first words; ")
        assert redact_text(clean) == clean


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert redact_text(text) == text


def texts_of(page: Path) -> Iterator[str]:
    """Its commands and sentences, and the paragraphs for people."""
    _, front, body = page.read_text().split("---\n", 2)
    waiting = [yaml.safe_load(front)]
    while waiting:
        match waiting.pop():
            case dict() as values:
                waiting += values.values()
            case list() as values:
                waiting += values
            case str() as text:
                yield text
    yield from body.split("\n\n")


def test_no_advice_of_any_page_is_mistaken_for_a_secret() -> None:
    texts = [(path.name, text) for path in PAGES for text in texts_of(path)]
    assert [(name, redact_text(text)) for name, text in texts if redact_text(text) != text] == []


def test_recall_and_false_alarms(record_property) -> None:
    """The shares, by kind: over the documented shapes, and over all pages and harmless lines."""
    missed = Counter(shape.name for shape, text, secret in corpus(PLANTED, seed=1) if secret in redact_text(text))
    lines = [*HARMLESS, *(line for path in PAGES for line in path.read_text().splitlines() if line.strip())]
    alarms = [line for line in lines if redact_text(line) != line]
    record_property("recall", 1 - missed.total() / PLANTED)
    record_property("false alarms", f"{len(alarms)} in {len(lines)} lines")
    assert missed == {}
    assert alarms == []


@pytest.mark.parametrize(
    "text",
    ["-----BEGIN " + "A" * 30_000, "-----BEGIN PRIVATE KEY-----" * 1000, "a://" + "b:" * 15_000, "password=" * 3000,
     "x:1:" * 8000, "eyJ" * 10_000, ("A" * 64 + "\n") * 400 + "-----END PRIVATE KEY", "mysql " * 5000, "://a:" * 6000,
     "private " + ("A" * 16 + " ") * 1880],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_a_hostile_text_takes_no_time_worth_the_name(text: str) -> None:
    """The runner's own limit would end it: nothing here grows with the square of a text of ours."""
    redact_text(text[:32_000])
