"""What a person on call can rely on in the text."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.report.samples import STARTED, ended, finding
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import Evidence, Fleet, Place, Provider, Redacted, Report, Severity, Status, Step
from tunneldoctor.report import render_text, render_text_fleet
from tunneldoctor.report.reading import duration, latency

ESC = "\x1b"


def text(report: Report, **options: object) -> str:
    values: dict[str, object] = {"color": False, "unicode": True, "width": 100, **options}
    return render_text(report, **values)  # type: ignore[arg-type]


def without_colour(coloured: str) -> str:
    return re.sub(f"{ESC}\\[[0-9;]*m", "", coloured)


def with_finding(**rest: object) -> Report:
    """The broken report, with other words in its one finding and in the diagnosis."""
    report = SCENARIOS["broken"]()
    assert report.diagnosis
    told = {name: value for name, value in rest.items() if name != "evidence"}
    checks = tuple(
        replace(check, findings=tuple(replace(each, **rest) for each in check.findings))  # type: ignore[arg-type]
        for check in report.checks
    )
    return replace(report, checks=checks, diagnosis=replace(report.diagnosis, **told))  # type: ignore[arg-type]


def test_colour_adds_nothing_that_words_do_not_say(report: Report) -> None:
    coloured = text(report, color=True)
    assert ESC in coloured
    assert without_colour(coloured) == text(report)


def test_without_unicode_everything_is_ascii(report: Report) -> None:
    assert text(report, unicode=False).isascii()


@pytest.mark.parametrize("width", [80, 100, 250])
def test_only_commands_may_be_wider_than_the_terminal_and_they_are_whole(report: Report, width: int) -> None:
    commands = {shown(step.command) for step in steps(report) if step.command}
    long = [line for line in text(report, width=width).splitlines() if len(line) > min(width, 110)]
    assert {line.partition("$ ")[2] for line in long} <= commands


def steps(report: Report) -> list[Step]:
    findings = [each for check in report.checks for each in check.findings]
    told = [*findings, *([report.diagnosis] if report.diagnosis else [])]
    return [step for each in told for step in (*each.remedy, each.next_step, each.verify) if step]


def shown(command: str) -> str:
    return command.replace(ESC, "\\x1b").replace("\x07", "\\x07")


def test_commands_stand_whole_on_their_own_lines_after_where_to_run_them() -> None:
    lines = text(SCENARIOS["broken"](), width=60).splitlines()
    assert "         on the database$ sudo ss -ltnp 'sport = :5432'" in lines
    assert (
        "         with the AWS CLI$ aws rds describe-db-instances --query 'DBInstances[].Endpoint' --output table"
        in lines
    )
    assert "      on the bastion$ nc -vz -w5 db.internal.corp 5432" in lines


def test_a_fault_of_a_jump_host_is_mended_on_the_jump_host() -> None:
    step = Step("Look there", "uptime", Place.BASTION)
    fault = finding("ssh.no-banner", remedy=(step,))
    report = SCENARIOS["jump-hosts"]()
    checks = tuple(
        replace(check, findings=(fault,), status=Status.FAIL)
        if check.id == "ssh.handshake" and check.hop == "via-1"
        else check
        for check in report.checks
    )
    assert "on via-1$ uptime" in text(replace(report, checks=checks))


def test_where_nobody_knows_the_provider_the_cloud_is_named_all_the_same() -> None:
    report = with_finding(
        remedy=(Step("Open the port", "open it", Place.CLOUD), Step("x", "y", Place.CLOUD, Provider.GCP))
    )
    assert "in the cloud shell$ open it" in text(report)
    assert "with gcloud$ y" in text(report)


def test_the_path_names_every_stop_with_its_state() -> None:
    assert text(SCENARIOS["healthy"]()).startswith(
        "orders: you → bastion bastion.example.com:22 ✓ ok 24 ms → database db.internal.corp:5432 ✓ ok 25 ms\n"
    )
    assert text(SCENARIOS["jump-hosts"](), unicode=False).splitlines()[:4] == [
        "orders: you",
        "  -> via-1 edge.example.com:2222     + ok 3.1 ms",
        "  -> bastion bastion.example.com:22  x FAIL 24 ms",
        "  -> database db.internal.corp:5432  - not reached",
    ]


def test_what_only_follows_is_one_line_however_much_it_is() -> None:
    lines = [line for line in text(SCENARIOS["hostile"](), width=80).splitlines() if "not run:" in line]
    assert lines == ["  not run: hostkey.verify, auth.login and 4 more, because of ssh.not-ssh"]


def test_with_v_every_check_that_did_not_run_is_named() -> None:
    assert "idle.known-cutoffs, because of ssh.not-ssh" in text(SCENARIOS["hostile"](), width=80, verbose=1)


def test_ruled_out_causes_are_counted_and_explained_on_request() -> None:
    report = SCENARIOS["symptom"]()
    assert "2 other causes ruled out (-v says why)" in text(report)
    assert "auth.algorithm-not-accepted" not in text(report)
    assert "not auth.algorithm-not-accepted: server-sig-algs of OpenSSH 9.7 lists ssh-ed25519" in text(
        report, verbose=1
    )


def test_skipped_checks_are_shown_on_request_alone() -> None:
    report = SCENARIOS["healthy"]()
    assert "no certificate is configured" not in text(report)
    assert "no certificate is configured" in text(report, verbose=1)


def test_long_evidence_is_cut_and_whole_on_request() -> None:
    many = tuple(Evidence("list", f"line {number}") for number in range(9))
    long = Evidence("message", "\n".join(f"banner {number}" for number in range(10)))
    report = with_finding(evidence=(long, *many))
    assert "and 4 more lines (-v shows all)" in text(report)
    assert "and 4 more (-v shows all)" in text(report)
    assert "banner 9" not in text(report)
    assert "banner 9" in text(report, verbose=1)
    assert "line 8" in text(report, verbose=1)


def test_evidence_from_several_places_says_which() -> None:
    report = with_finding(evidence=(Evidence("message", "refused"), Evidence("file", "mode 0777", Place.BASTION)))
    assert "      from here         message: refused" in text(report)
    assert "      from the bastion  file: mode 0777" in text(report)


def test_an_unknown_says_what_to_provide_and_the_end_says_it_again() -> None:
    end = text(SCENARIOS["inconclusive"]()).splitlines()[-3:]
    assert end[0] == "? orders is inconclusive: The login to the database could not be checked"
    assert "database_password is not set" in end[1]
    assert end[2].endswith("exit status 3")


def test_an_interrupted_run_says_so() -> None:
    shown_ = text(SCENARIOS["interrupted"]())
    assert "? orders is inconclusive (incomplete: interrupted)" in shown_
    assert "not run: ssh.handshake, hostkey.verify, auth.login and 4 more (the run was interrupted)" in shown_


def test_a_defect_of_ours_asks_to_be_reported() -> None:
    report = SCENARIOS["healthy"]()
    crashed = ended("db.tls", Status.ERROR, reason="a defect of tunneldoctor's own: KeyError")
    checks = tuple(crashed if check.id == "db.tls" else check for check in report.checks)
    assert "# crashed" in text(replace(report, checks=checks))
    assert "a defect of tunneldoctor's own: KeyError; please report it" in text(replace(report, checks=checks))


def test_remarks_and_what_is_ignored_are_told_in_a_line_each() -> None:
    assert "    note: db.internal.corp is a replica: writes are refused (db.read-only)" in text(SCENARIOS["healthy"]())
    assert "    ignored: idle.cutoff-expected (--ignore idle.cutoff-expected@orders)" in text(SCENARIOS["degraded"]())


@pytest.mark.parametrize(
    ("scenario_", "line"),
    [
        ("healthy", ""),
        ("degraded", "orders: degraded: db.tls-off\n"),
        ("broken", "orders: broken: forward.refused\n"),
        ("inconclusive", "orders: inconclusive: The login to the database could not be checked\n"),
        ("interrupted", "orders: inconclusive (incomplete: interrupted): The run was interrupted\n"),
    ],
)
def test_quiet_is_verdict_and_code_and_silence_when_healthy(scenario_: str, line: str) -> None:
    assert text(SCENARIOS[scenario_](), quiet=True) == line


def test_nothing_of_a_servers_reaches_the_terminal_as_a_control() -> None:
    for options in ({}, {"verbose": 2}, {"quiet": True}, {"width": 40}):
        assert ESC not in text(SCENARIOS["hostile"](), **options)
    coloured = text(SCENARIOS["hostile"](), color=True)
    assert ESC not in without_colour(coloured)


def test_what_was_removed_is_told() -> None:
    report = replace(SCENARIOS["healthy"](), redacted=Redacted(removed={"secret": 1, "password": 2}))
    assert text(report).endswith("in this report, removed: 1 secret, 2 passwords\n")


def test_a_tunnel_about_which_nothing_is_known_can_still_be_shown() -> None:
    report = SCENARIOS["healthy"]()
    hop = replace(report.tunnel.bastion, host=None, username=None)
    empty = replace(
        report,
        tunnel=replace(report.tunnel, hops=(hop,), remote=None, database=None),
        path=(),
        checks=(),
        facts={},
        counts={},
    )
    assert text(empty, verbose=1).startswith("orders: you\n")


def test_a_fleet_ends_with_the_sum_of_it() -> None:
    reports = [SCENARIOS[name]() for name in ("healthy", "broken", "inconclusive")]
    fleet = Fleet.of(reports, STARTED, STARTED + timedelta(seconds=2))
    shown_ = render_text_fleet(fleet, color=False, unicode=True, width=100)
    assert shown_.endswith("\n✗ 3 tunnels: 1 healthy, 1 broken, 1 inconclusive; exit status 1\n")
    quiet = render_text_fleet(fleet, color=False, unicode=True, width=100, quiet=True)
    assert quiet.splitlines() == [
        "orders: broken: forward.refused",
        "orders: inconclusive: The login to the database could not be checked",
    ]


def test_a_second_fault_has_its_first_step_and_a_symptom_its_next_look() -> None:
    look = Step("Read the log", "journalctl", Place.BASTION)
    symptom = finding("auth.publickey-refused", causes=("auth.unknown-user", "auth.key-expired"), next_step=look)
    warning = finding("db.tls-off", Severity.WARNING, remedy=(Step("Turn it on", "psql"), Step("Restart")))
    report = SCENARIOS["broken"]()
    checks = tuple(
        replace(check, status=Status.FAIL, findings=(symptom, warning)) if check.id == "ssh.handshake" else check
        for check in report.checks
    )
    shown_ = text(replace(report, checks=checks))
    assert (
        "    one of: auth.unknown-user, auth.key-expired\n    > Read the log\n      on the bastion$ journalctl\n"
        in shown_
    )
    assert "    > Turn it on\n      here$ psql\n" in shown_
    assert "Restart" not in shown_


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0.2, "<1 ms"),
        (38.4, "38 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (59_900, "59.9 s"),
        (59_960, "1 min 0 s"),
        (125_000, "2 min 5 s"),
    ],
)
def test_lengths_of_time_are_told_as_people_do(milliseconds: float, words: str) -> None:
    assert duration(milliseconds) == words


def test_a_short_round_trip_keeps_its_decimal() -> None:
    assert [latency(0.04), latency(3.14), latency(24.1)] == ["0.0 ms", "3.1 ms", "24 ms"]


def test_a_long_title_takes_its_room_from_the_facts_and_the_times_stay_in_line() -> None:
    report = SCENARIOS["healthy"]()
    long = "every secret is where its reference says, and none is written down"
    checks = (replace(report.checks[0], title=long), *report.checks[1:])
    rows = [line for line in text(replace(report, checks=checks)).splitlines() if line.startswith("  ✓")]
    assert any(long in line for line in rows)
    assert len({len(line) for line in rows}) == 1


def test_a_code_without_a_page_is_said_once() -> None:
    fault = with_finding(title="forward.refused", summary="forward.refused")
    assert text(fault).count("    forward.refused\n") == 1
    assert "(forward.refused)" not in text(fault)
