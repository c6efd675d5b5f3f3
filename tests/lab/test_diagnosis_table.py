"""The diagnosis table of ``make bench``: the clients by hand get what tunneldoctor gets, and both are scored fairly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from benchmarks import database_clients, diagnosis, diagnosis_table
from benchmarks.by_hand import Heard, by_hand
from benchmarks.diagnosis import Row, Said, outcome
from fixtures.lab.session import why_not
from fixtures.lab.stage import staged
from fixtures.scenario import Expectation, Scenario, load

if TYPE_CHECKING:
    from fixtures.lab.session import Lab

needs_servers = pytest.mark.skipif(why_not(needs_root=False) is not None, reason=str(why_not(needs_root=False)))
SCENARIOS = {scenario.name: scenario for scenario in load()}


def _heard(name: str, lab: Lab) -> Heard:
    with staged(SCENARIOS[name], lab) as stage:
        heard = by_hand(stage)
        running = [process.info for process in psutil.process_iter(["name", "cmdline"])]
        assert not [each for each in running if each["name"] == "ssh" and str(stage.folder) in str(each["cmdline"])]
    return heard


@pytest.mark.lab
@needs_servers
@pytest.mark.parametrize(
    "name",
    [
        "healthy-plain",
        "healthy-ipv6-only",
        "healthy-jdbc",
        "healthy-reachability-only",
        "healthy-key-encrypted-and-passphrase-given",
        "healthy-certificate-instead-of-authorized-keys",
        "jump-healthy",
    ],
)
def test_by_hand_a_healthy_tunnel_works_without_a_word(name: str, lab: Lab) -> None:
    heard = _heard(name, lab)
    assert (heard.works, heard.lines) == (True, ())


@pytest.mark.lab
@needs_servers
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("auth-key-of-somebody-else", "Permission denied (publickey)"),
        ("hostkey-unknown", "you have requested strict checking"),
        ("config-local-port-taken", "Address already in use"),
        ("forward-nobody-listens", "connect failed: Connection refused"),
        ("db-database-unknown", 'database "nowhere" does not exist'),
        ("key-absent", "not accessible: No such file"),
    ],
)
def test_by_hand_the_clients_own_words_are_heard(name: str, words: str, lab: Lab) -> None:
    heard = _heard(name, lab)
    assert words in heard.shown
    assert not heard.works


@pytest.mark.lab
@needs_servers
def test_the_same_fault_sounds_the_same_whatever_the_names_and_ports(lab: Lab) -> None:
    texts = {_heard(name, lab).general for name in ("auth-key-of-somebody-else", "auth-no-such-user")}
    assert texts == {"…@…: Permission denied (publickey)."}


@pytest.mark.lab
@needs_servers
def test_a_scenario_that_does_not_stand_up_is_a_row_too(lab: Lab) -> None:
    row = diagnosis.row(Scenario("x", Expectation(code="a"), tunnel={"database": "{no_such_word}"}), lab)
    assert (row.outcome, row.said.verdict) == (diagnosis.NOT_STAGED, "KeyError: 'no_such_word'")


@pytest.mark.lab
@needs_servers
def test_a_scenario_becomes_a_row(lab: Lab) -> None:
    row = diagnosis.row(SCENARIOS["key-pasted-with-crlf"], lab)
    assert (row.cause, row.outcome, row.stable) == ("key.crlf-line-endings", "exact", True)
    assert row.said.shown == "key.crlf-line-endings"
    assert not row.contradicted


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+psycopg://app@db.lab:1/orders", ["psql", "postgresql://app@db.lab:1/orders?hostaddr=127.0.0.1&"]),
        ("jdbc:mysql://db.lab:1/orders?user=app&sslMode=DISABLED", ["mariadb", "--user=app", "--skip-ssl", "orders"]),
        ("mariadb://m%C3%BCller@db.lab/o?ssl-ca=/ca", ["mariadb", "--user=müller", "--ssl-ca=/ca", "-P 4000"]),
        ("rediss://db.lab:1/3?ssl_ca_certs=/ca", ["redis-cli", "--tls", "--sni db.lab", "--cacert /ca", "-n 3"]),
        ("tcp://db.lab:1", ["bash", "/dev/tcp/127.0.0.1/4000"]),
        ("", ["bash", "/dev/tcp/127.0.0.1/4000"]),
    ],
)
def test_each_database_is_asked_by_its_own_client_at_the_near_end(url: str, words: list[str]) -> None:
    line = " ".join(database_clients.command(url, 4000, 3.0, 0.0))
    assert line.startswith(words[0])
    assert [word for word in words if word not in line] == []


def _said(code: str | None, *causes: str, verdict: str = "broken", status: int = 1, severity: str = "error") -> Said:
    findings = (("bastion", code, severity),) if code else ()
    return Said(status, verdict, code, tuple(sorted(causes)), findings)


HEALTHY = Expectation("healthy", 0)
WHOLE_SET = Expectation(code="s", causes=("a", "b"), cause="a")


@pytest.mark.parametrize(
    ("expected", "found", "verdict"),
    [
        (Expectation(code="a", causes=("a",)), _said("a", "a"), "exact"),
        (Expectation(code="a", causes=("a",)), _said("b", "b"), "missed"),
        (Expectation(code="a", causes=("a",)), _said("a", "a", verdict="degraded", status=0), "missed"),
        (WHOLE_SET, _said("s", "a", "b"), "in the set"),
        (WHOLE_SET, _said("s", "a", "b", "c"), "missed"),
        (WHOLE_SET, _said("a", "a"), "missed"),
        (HEALTHY, _said(None, verdict="healthy", status=0), "healthy"),
        (HEALTHY, Said(0, "healthy", None, (), (("bastion", "a", "info"),)), "healthy"),
        (HEALTHY, Said(0, "healthy", None, (), (("bastion", "a", "warning"),)), "false alarm"),
        (HEALTHY, _said("a", "a"), "false alarm"),
        (Expectation("inconclusive", 3), _said(None, verdict="inconclusive", status=3), "unknown"),
        (Expectation("inconclusive", 3), _said("a", "a"), "missed"),
    ],
)
def test_what_was_said_is_held_against_what_was_staged(expected: Expectation, found: Said, verdict: str) -> None:
    assert outcome(expected, found) == verdict


def _row(name: str, cause: str, text: str, *, outcome: str = "exact", stable: bool = True) -> Row:
    works = not text
    said = _said(cause, cause) if not works else _said(None, verdict="healthy", status=0)
    return Row(name, cause, Heard((text,), text, works, 0.1), said, outcome, stable, 0.5)


TABLE = [
    _row("one", "a", "alone"),
    _row("two", "b", "shared"),
    _row("three", "c", "shared"),
    _row("four", "c", "shared"),
    _row("five", "d", ""),
    _row("six", "e", "as if healthy"),
    _row("seven", "healthy", "as if healthy", outcome="healthy"),
]


def test_by_hand_only_a_text_that_no_other_cause_has_names_a_fault() -> None:
    assert diagnosis.named_by_hand(TABLE) == {"one"}


def test_a_lucky_guess_is_the_likeliest_cause_of_each_text() -> None:
    assert diagnosis.guessed_by_hand(TABLE) == 4  # one, three and four, six


@pytest.mark.parametrize(
    ("row", "over"),
    [
        (_row("x", "a", "t", outcome="missed"), ["faults missed"]),
        (_row("x", "healthy", "t", outcome="false alarm"), ["false alarms"]),
        (_row("x", "a", "t", outcome=diagnosis.NOT_STAGED), ["not to be staged"]),
        (_row("x", "a", "t", stable=False), ["different on a second run"]),
    ],
)
def test_what_must_not_be_is_over_its_bound_and_named(row: Row, over: list[str]) -> None:
    figures = [figure for figure in diagnosis.figures([*TABLE, row], left_out=0) if figure.over]
    assert [(figure.name, figure.detail) for figure in figures] == [(name, "x") for name in over]


def test_the_markdown_table_has_a_line_for_each_scenario_and_keeps_its_cells_apart() -> None:
    rows = [*TABLE, _row("x", "a", "one | two")]
    lines = diagnosis_table.markdown(rows, diagnosis.figures(rows, left_out=0)).splitlines()
    (line,) = [line for line in lines if line.startswith("| x ")]
    assert line.replace(r"\|", "").count("|") == 9
    assert len([line for line in lines if line.endswith("| 0.5 | 0.1 |")]) == len(rows)
