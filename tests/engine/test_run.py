"""The engine with fabricated checks: order, blocking, follow-ups, deadlines, cancel, defects."""

import sys
import threading
from dataclasses import replace

import pytest

from tests.engine.world import World, last_report, make_tunnel, statuses
from tunneldoctor.model import (
    BudgetSpent,
    Check,
    CheckFinished,
    CheckProgress,
    CheckStarted,
    Context,
    Fact,
    Finding,
    Ignore,
    Layer,
    Outcome,
    Policy,
    Reference,
    RunStarted,
    Severity,
    Status,
    Verdict,
    Where,
    confirms,
    found,
    rules_out,
)

NAME: Fact[str] = Fact("name")
SOCKET: Fact[str] = Fact("socket")
FAILED: Fact[str] = Fact("failed", trouble=True)


def resolve(context: Context) -> Outcome:
    return Outcome(facts={NAME: "203.0.113.2"}, measured={f"{context.hop.name}.address": "203.0.113.2"})


def refuse(context: Context) -> Outcome:
    return found(Finding("tcp.refused"), facts={FAILED: "RST"})


def connect(context: Context) -> Outcome:
    return Outcome(facts={SOCKET: f"socket to {context.need(NAME)}"})


def passing(context: Context) -> Outcome:
    return Outcome()


DNS = Check("dns.resolve", Layer.DNS, "the name resolves", Where.FIRST_HOP, resolve, gives=(NAME,))
TCP = Check("tcp.connect", Layer.TCP, "the port answers", Where.FIRST_HOP, connect, (NAME,), gives=(SOCKET, FAILED))
TCP_REFUSED = Check(
    "tcp.connect", Layer.TCP, "the port answers", Where.FIRST_HOP, refuse, (NAME,), gives=(SOCKET, FAILED)
)
SSH = Check("ssh.handshake", Layer.SSH, "SSH answers", Where.FIRST_HOP, passing, (SOCKET,))
FOLLOW_UP = Check("tcp.route", Layer.TCP, "the way is known", Where.FIRST_HOP, passing, (FAILED,))


def test_a_healthy_run_passes_every_check_and_says_healthy(world: World) -> None:
    report = world.report(SSH, TCP, DNS)
    assert statuses(report) == {
        "dns.resolve@bastion": "pass",
        "tcp.connect@bastion": "pass",
        "ssh.handshake@bastion": "pass",
    }
    assert (report.verdict, report.exit_code, report.diagnosis) == (Verdict.HEALTHY, 0, None)
    assert report.path[1].address == "203.0.113.2:22"


def test_what_follows_from_a_failure_is_blocked_by_it_and_not_blamed(world: World) -> None:
    world.page("tcp.refused")
    report = world.report(DNS, TCP_REFUSED, SSH)
    blocked = report.checks[-1]
    assert (blocked.id, blocked.status) == ("ssh.handshake", Status.BLOCKED)
    assert blocked.blocked_by is not None
    assert (blocked.blocked_by.check, blocked.blocked_by.code) == ("tcp.connect", "tcp.refused")
    assert report.diagnosis is not None
    assert (report.diagnosis.code, report.exit_code) == ("tcp.refused", 1)


def test_the_root_is_named_as_blocker_through_several_layers(world: World) -> None:
    world.page("tcp.refused")
    last = Check("auth.login", Layer.AUTH, "we get in", Where.FIRST_HOP, passing, (Fact("transport"),))
    ssh = Check("ssh.handshake", Layer.SSH, "SSH answers", Where.FIRST_HOP, passing, (SOCKET,), gives=last.needs)
    report = world.report(DNS, TCP_REFUSED, ssh, last)
    assert report.checks[-1].blocked_by is not None
    assert report.checks[-1].blocked_by.check == "tcp.connect"


def test_a_follow_up_look_is_skipped_where_nothing_went_wrong_and_runs_where_it_did(world: World) -> None:
    world.page("tcp.refused")
    assert statuses(world.report(DNS, TCP, FOLLOW_UP))["tcp.route@bastion"] == "skipped"
    assert statuses(world.report(DNS, TCP_REFUSED, FOLLOW_UP))["tcp.route@bastion"] == "pass"


def test_a_wanted_fact_is_waited_for_and_done_without(world: World) -> None:
    seen: list[str | None] = []

    def look(context: Context) -> Outcome:
        seen.append(context.want(SOCKET))
        return Outcome()

    world.page("tcp.refused")
    wanting = Check("ssh.handshake", Layer.SSH, "SSH answers", Where.FIRST_HOP, look, wants=(SOCKET,))
    world.report(wanting, DNS, TCP)
    world.report(wanting, DNS, TCP_REFUSED)
    assert seen == ["socket to 203.0.113.2", None]


def test_evidence_of_another_check_narrows_a_symptom_to_its_cause(world: World) -> None:
    world.page("auth.refused", causes=["auth.no-key", "auth.no-user", "auth.locked"])
    world.page("auth.no-user", title="No such user")
    login = Check("auth.login", Layer.AUTH, "", Where.BASTION, lambda _: found(Finding("auth.refused")))
    look = Check(
        "auth.look",
        Layer.AUTH,
        "",
        Where.BASTION,
        lambda _: Outcome(rulings=(rules_out("auth.no-key", "it is listed"), rules_out("auth.locked", "it is not"))),
    )
    report = world.report(login, look)
    assert report.diagnosis is not None
    assert (report.diagnosis.code, report.diagnosis.symptom) == ("auth.no-user", "auth.refused")
    assert (report.diagnosis.certain, report.diagnosis.title) == (True, "No such user")
    assert {each.code for each in report.diagnosis.ruled_out} == {"auth.no-key", "auth.locked"}


def test_a_symptom_keeps_exactly_the_causes_that_nothing_speaks_against(world: World) -> None:
    world.page("auth.refused", causes=["auth.no-key", "auth.no-user", "auth.locked"])
    login = Check(
        "auth.login",
        Layer.AUTH,
        "",
        Where.BASTION,
        lambda _: found(Finding("auth.refused"), rulings=(rules_out("auth.no-user", "seen in the log"),)),
    )
    report = world.report(login)
    assert report.diagnosis is not None
    assert (report.diagnosis.code, report.diagnosis.certain) == ("auth.refused", False)
    assert report.diagnosis.causes == ("auth.no-key", "auth.locked")


def test_a_root_cause_gives_way_to_the_one_that_a_further_look_confirms(world: World) -> None:
    world.page("ssh.no-banner", may_be=["ssh.tls-in-front"])
    world.page("ssh.tls-in-front")
    silent = Check("ssh.handshake", Layer.SSH, "", Where.BASTION, lambda _: found(Finding("ssh.no-banner")))
    look = Check(
        "ssh.in-front",
        Layer.SSH,
        "",
        Where.BASTION,
        lambda _: Outcome(rulings=(confirms("ssh.tls-in-front", "a TLS hello was answered"),)),
    )
    alone, both = world.report(silent).diagnosis, world.report(silent, look).diagnosis
    assert alone is not None
    assert both is not None
    assert alone.code == "ssh.no-banner"
    assert (both.code, both.symptom) == ("ssh.tls-in-front", "ssh.no-banner")
    evidence = world.report(silent, look).checks[0].findings[0].evidence
    assert [each.text for each in evidence] == ["ssh.tls-in-front: a TLS hello was answered"]


def test_what_a_root_cause_did_not_turn_out_to_be_is_told(world: World) -> None:
    world.page("tcp.timeout", may_be=["tcp.blocked-for-this-address"])
    world.page("tcp.blocked-for-this-address")
    silent = Check("tcp.connect", Layer.TCP, "", Where.BASTION, lambda _: found(Finding("tcp.timeout")))
    ruling = rules_out("tcp.blocked-for-this-address", "nobody gets in from elsewhere either")
    look = Check("tcp.elsewhere", Layer.TCP, "", Where.BASTION, lambda _: Outcome(rulings=(ruling,)))
    diagnosis = world.report(silent, look).diagnosis
    assert diagnosis is not None
    assert (diagnosis.code, diagnosis.causes, diagnosis.certain) == ("tcp.timeout", ("tcp.timeout",), True)
    assert [(each.code, each.because) for each in diagnosis.ruled_out] == [(ruling.code, ruling.because)]


def test_what_a_further_look_finds_to_be_so_as_well_is_its_proof_and_fills_its_page(world: World) -> None:
    world.page("db.host-not-allowed", summary="seen as {address}")
    refused = Finding("db.host-not-allowed", {"address": "an address that it does not name"})
    login = Check("db.login", Layer.DB, "", Where.DATABASE, lambda _: found(refused))
    ruling = confirms("db.host-not-allowed", "the bastion sends from 192.0.2.10", {"address": "192.0.2.10"})
    look = Check("db.look", Layer.DB, "", Where.DATABASE, lambda _: Outcome(rulings=(ruling,)))
    (finding,) = world.report(login, look).checks[0].findings
    assert (finding.code, finding.symptom, finding.summary) == ("db.host-not-allowed", None, "seen as 192.0.2.10")
    assert [each.text for each in finding.evidence] == ["db.host-not-allowed: the bastion sends from 192.0.2.10"]


def test_evidence_about_one_hop_says_nothing_about_another(world: World) -> None:
    world.page("auth.refused", causes=["auth.no-key", "auth.no-user"])

    def login(context: Context) -> Outcome:
        rulings = (rules_out("auth.no-key", "seen"),) if context.hop.name == "via-1" else ()
        return found(Finding("auth.refused"), rulings=rulings)

    check = Check("auth.login", Layer.AUTH, "", Where.EACH_HOP, login)
    first, second = world.report(check, tunnel=make_tunnel(hops=2)).checks
    assert (first.findings[0].causes, len(second.findings[0].causes)) == (("auth.no-user",), 2)


def test_a_jump_host_hands_its_stream_on_to_the_hop_behind_it(world: World) -> None:
    session: Fact[str] = Fact("session")
    stream: Fact[str] = Fact("stream")
    through = Check(
        "forward.through",
        Layer.FORWARD,
        "",
        Where.JUMP_HOPS,
        lambda context: Outcome(facts={stream.after: f"through {context.need(session)}"}),
        needs=(session,),
        gives=(stream.after,),
    )
    first = Check(
        "tcp.connect", Layer.TCP, "", Where.FIRST_HOP, lambda _: Outcome(facts={stream: "tcp"}), gives=(stream,)
    )
    login = Check(
        "auth.login",
        Layer.AUTH,
        "",
        Where.EACH_HOP,
        lambda context: Outcome(
            facts={session: f"{context.hop.name}({context.need(stream)})"},
            measured={f"{context.hop.name}.got": context.need(stream)},
        ),
        needs=(stream,),
        gives=(session,),
    )
    report = world.report(login, through, first, tunnel=make_tunnel(hops=3))
    assert report.verdict is Verdict.HEALTHY
    assert report.facts["bastion.got"] == "through via-2(through via-1(tcp))"


@pytest.mark.parametrize(("hops", "seen"), [(1, None), (2, "session on via-1"), (3, "session on via-2")])
def test_the_bastion_can_ask_for_the_session_on_the_hop_in_front_of_it(
    hops: int, seen: str | None, world: World
) -> None:
    session: Fact[str] = Fact("session")
    wanted: list[str | None] = []

    def log_in(context: Context) -> Outcome:
        return Outcome(facts={session: f"session on {context.hop.name}"})

    def look(context: Context) -> Outcome:
        wanted.append(context.want(session.before))
        return Outcome()

    login = Check("auth.login", Layer.AUTH, "", Where.EACH_HOP, log_in, gives=(session,))
    admin = Check("auth.admin", Layer.AUTH, "", Where.BASTION, look, wants=(session.before,))
    world.report(login, admin, tunnel=make_tunnel(hops))
    assert wanted == [seen]


def test_what_could_not_be_measured_makes_the_run_inconclusive_and_exits_3(world: World) -> None:
    check = Check("key.load", Layer.KEY, "", Where.BASTION, lambda _: Outcome(unknown="no passphrase was given"))
    report = world.report(check)
    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 3)
    assert report.diagnosis is not None
    assert (report.diagnosis.code, report.diagnosis.summary) == (None, "no passphrase was given")


def test_an_inconclusive_run_is_put_down_to_what_was_not_measured_and_not_to_what_follows(world: World) -> None:
    vague = Check(
        "db.service", Layer.DB, "", Where.DATABASE, lambda _: Outcome(unknown="no such engine"), gives=(SOCKET,)
    )
    login = Check("auth.login", Layer.AUTH, "", Where.DATABASE, passing, needs=(SOCKET,))
    report = world.report(vague, login)
    assert [check.status for check in report.checks] == [Status.BLOCKED, Status.UNKNOWN]
    assert report.diagnosis is not None
    assert report.diagnosis.summary == "no such engine"


def test_going_over_the_budget_is_unknown_and_says_so(world: World) -> None:
    def greedy(context: Context) -> Outcome:
        for _ in range(99):
            context.budget.bare_connection("bastion")
        raise AssertionError("the budget has no end")

    report = world.report(Check("tcp.survey", Layer.TCP, "", Where.BASTION, greedy))
    assert report.checks[0].status is Status.UNKNOWN
    assert "6 connections" in (report.checks[0].reason or "")


def test_a_further_look_that_the_manners_forbid_leaves_a_healthy_run_healthy(world: World) -> None:
    def slow(context: Context) -> Outcome:
        context.give(FAILED, "half of the time is gone")
        return Outcome()

    def look(context: Context) -> Outcome:
        for _ in range(9):
            context.budget.bare_connection("bastion")
        return Outcome()

    connecting = Check("tcp.connect", Layer.TCP, "", Where.FIRST_HOP, slow, gives=(FAILED,))
    report = world.report(connecting, Check("tcp.route", Layer.TCP, "", Where.FIRST_HOP, look, (FAILED,)))
    assert (report.verdict, str(report.checks[1].status)) == (Verdict.HEALTHY, "skipped")
    assert "6 connections" in str(report.checks[1].reason)


def test_two_refused_logins_end_all_further_tries(world: World) -> None:
    tried: list[str] = []

    def stubborn(context: Context) -> Outcome:
        for credential in ("SHA256:a", "SHA256:b", "SHA256:c"):
            context.budget.login("bastion", credential)
            tried.append(credential)
            context.budget.refused("bastion")
        return Outcome()

    world.report(Check("auth.login", Layer.AUTH, "", Where.BASTION, stubborn))
    assert tried == ["SHA256:a", "SHA256:b"]


def test_no_credential_is_tried_twice(world: World) -> None:
    def again(context: Context) -> Outcome:
        context.budget.login("bastion", "SHA256:a")
        with pytest.raises(BudgetSpent):
            context.budget.login("bastion", "SHA256:a")
        return Outcome()

    assert world.report(Check("auth.login", Layer.AUTH, "", Where.BASTION, again)).verdict is Verdict.HEALTHY


def test_a_defect_in_a_check_is_an_error_in_a_report_that_still_stands(world: World) -> None:
    def broken(context: Context) -> Outcome:
        raise ZeroDivisionError

    run = world.run(DNS, Check("tcp.connect", Layer.TCP, "", Where.FIRST_HOP, broken, (NAME,), gives=(SOCKET,)), SSH)
    report = last_report(list(run.events()))
    assert [str(check.status) for check in report.checks] == ["pass", "error", "blocked"]
    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 3)
    assert [type(defect) for defect in run.defects] == [ZeroDivisionError]


def test_a_fact_that_was_not_declared_is_a_defect(world: World) -> None:
    sly = Check("tcp.connect", Layer.TCP, "", Where.FIRST_HOP, lambda _: Outcome(facts={SOCKET: "s"}))
    assert world.report(sly).checks[0].status is Status.ERROR


def test_a_check_that_hangs_is_given_up_and_the_rest_is_reported(world: World) -> None:
    release = threading.Event()

    def hang(context: Context) -> Outcome:
        release.wait()
        return Outcome()

    stuck = Check("tcp.connect", Layer.TCP, "", Where.FIRST_HOP, hang, (NAME,), gives=(SOCKET,))
    report = world.report(DNS, stuck, SSH, tunnel=make_tunnel(timeout=0.1))
    release.set()
    assert [str(check.status) for check in report.checks] == ["pass", "error", "blocked"]


def test_a_fact_given_early_starts_a_follow_up_within_the_same_deadline(world: World) -> None:
    slow: Fact[bool] = Fact("slow", trouble=True)
    looked = threading.Event()

    def main(context: Context) -> Outcome:
        context.cancelled.wait(context.half_time())
        context.give(slow, True)
        assert looked.wait(context.remaining())
        return found(Finding("tcp.timeout"))

    def follow(context: Context) -> Outcome:
        assert 0 < context.remaining() <= 1
        looked.set()
        return Outcome()

    connecting = Check("tcp.connect", Layer.TCP, "", Where.FIRST_HOP, main, gives=(slow,))
    report = world.report(
        connecting,
        Check("tcp.route", Layer.TCP, "", Where.FIRST_HOP, follow, (slow,)),
        tunnel=make_tunnel(timeout=2.0),
    )
    assert [str(check.status) for check in report.checks] == ["fail", "pass"]


def test_a_look_that_goes_another_way_has_a_deadline_of_its_own(world: World) -> None:
    """What it looks into may have used up the whole of the layer's."""

    def main(context: Context) -> Outcome:
        context.cancelled.wait(context.remaining())
        return found(Finding("forward.timeout"), facts={FAILED: "no answer"})

    def look(context: Context) -> Outcome:
        assert context.remaining() > 0.2
        return Outcome()

    opening = Check("forward.open", Layer.FORWARD, "", Where.BASTION, main, gives=(FAILED,))
    looking = Check("forward.look", Layer.FORWARD, "", Where.BASTION, look, (FAILED,), stage="look")
    report = world.report(opening, looking, tunnel=make_tunnel(timeout=0.4))
    assert [str(check.status) for check in report.checks] == ["fail", "pass"]


def test_what_may_heal_at_once_is_tried_a_second_time(world: World) -> None:
    world.page("dns.servfail", retry="soon")
    tries: list[int] = []

    def flaky(context: Context) -> Outcome:
        tries.append(1)
        return found(Finding("dns.servfail")) if len(tries) == 1 else Outcome()

    report = world.report(Check("dns.resolve", Layer.DNS, "", Where.FIRST_HOP, flaky))
    assert (report.checks[0].status, report.checks[0].attempts) == (Status.PASS, 2)


def test_a_refused_login_is_never_tried_again(world: World) -> None:
    world.page("auth.refused", retry="never")
    report = world.report(Check("auth.login", Layer.AUTH, "", Where.BASTION, lambda _: found(Finding("auth.refused"))))
    assert report.checks[0].attempts == 1


def test_checks_that_wait_for_each_other_are_an_error_and_never_a_pass(world: World) -> None:
    hen = Check("key.hen", Layer.KEY, "", Where.BASTION, passing, needs=(NAME,), gives=(SOCKET,))
    egg = Check("key.egg", Layer.KEY, "", Where.BASTION, passing, needs=(SOCKET,), gives=(NAME,))
    assert set(statuses(world.report(hen, egg)).values()) == {"error"}


def test_a_check_starts_when_what_it_loads_is_loaded_and_a_missing_module_ends_nothing(world: World) -> None:
    def use(context: Context) -> Outcome:
        assert "wave" in sys.modules
        return Outcome()

    sys.modules.pop("wave", None)
    loading = Check("key.load", Layer.KEY, "", Where.BASTION, use, loads=("no.such.module", "wave"))
    assert world.report(loading).verdict is Verdict.HEALTHY


def test_what_a_skipped_check_would_load_is_not_loaded(world: World) -> None:
    sys.modules.pop("wave", None)
    check = Check("key.load", Layer.KEY, "", Where.BASTION, passing, loads=("wave",))
    world.report(check, policy=Policy(skip=("key",)))
    assert "wave" not in sys.modules


def test_cancel_ends_the_run_while_a_check_hangs_and_keeps_what_is_known(world: World) -> None:
    hanging, closed = threading.Event(), threading.Event()

    class Socket:
        def close(self) -> None:
            closed.set()

    def hang(context: Context) -> Outcome:
        context.closing(Socket())
        hanging.set()
        closed.wait()
        return Outcome()

    run = world.run(DNS, Check("tcp.connect", Layer.TCP, "", Where.FIRST_HOP, hang, (NAME,), gives=(SOCKET,)), SSH)
    threading.Thread(target=lambda: (hanging.wait(), run.cancel(143))).start()
    report = last_report(list(run.events()))
    assert [str(check.status) for check in report.checks] == ["pass", "unknown", "unknown"]
    assert (report.complete, report.exit_code, closed.wait(1)) == (False, 143, True)


def test_an_interrupted_run_is_put_down_to_what_was_running_and_not_to_what_never_began(world: World) -> None:
    hanging, ended = threading.Event(), threading.Event()

    def hang(context: Context) -> Outcome:
        hanging.set()
        ended.wait()
        return Outcome()

    waiting = Check("dns.hosts", Layer.DNS, "the hosts file agrees", Where.FIRST_HOP, passing, (FAILED,))
    connecting = replace(TCP, run=hang)
    run = world.run(DNS, waiting, connecting)
    threading.Thread(target=lambda: (hanging.wait(), run.cancel(130))).start()
    diagnosis = last_report(list(run.events())).diagnosis
    ended.set()
    assert diagnosis
    assert diagnosis.title.endswith(TCP.title)


def test_the_page_of_a_confirmed_cause_is_filled_by_whoever_confirmed_it(world: World) -> None:
    world.page("auth.publickey-refused", causes=["key.certificate-expired", "auth.unknown-user"])
    world.page("key.certificate-expired", summary="it was valid until {valid_before}, said {methods}")
    world.page("auth.unknown-user")

    def judge(context: Context) -> Outcome:
        return Outcome(rulings=(confirms("key.certificate-expired", "so it says", {"valid_before": "noon\x1b"}),))

    def log_in(context: Context) -> Outcome:
        return found(Finding("auth.publickey-refused", {"methods": "publickey"}))

    certificate = Check("key.certificate", Layer.KEY, "the certificate fits", Where.FIRST_HOP, judge)
    report = world.report(certificate, Check("auth.login", Layer.AUTH, "we get in", Where.FIRST_HOP, log_in))
    assert report.diagnosis
    assert report.diagnosis.summary == "it was valid until noon\\x1b, said publickey"
    assert report.checks[1].findings[0].params == {"methods": "publickey", "valid_before": "noon\\x1b"}


def test_only_runs_what_was_chosen_and_what_that_needs(world: World) -> None:
    report = world.report(DNS, TCP, SSH, policy=Policy(only=("tcp",)))
    assert statuses(report)["ssh.handshake@bastion"] == "skipped"
    assert statuses(report)["dns.resolve@bastion"] == "pass"
    assert report.exit_code == 0


def test_only_brings_along_no_hop_and_no_follow_up_that_is_not_needed(world: World) -> None:
    session: Fact[str] = Fact("session")
    login = Check(
        "auth.login",
        Layer.AUTH,
        "",
        Where.EACH_HOP,
        lambda _: Outcome(facts={session: ""}),
        (SOCKET,),
        gives=(session,),
    )
    through = Check("forward.through", Layer.FORWARD, "", Where.JUMP_HOPS, passing, (session,), gives=(SOCKET.after,))
    hosts = Check("dns.hosts", Layer.DNS, "", Where.FIRST_HOP, passing, (FAILED,))
    checks = (DNS, TCP, SSH, login, through, hosts)
    ran = {
        name
        for name, status in statuses(world.report(*checks, policy=Policy(only=("tcp",)))).items()
        if status == "pass"
    }
    assert ran == {"dns.resolve@bastion", "tcp.connect@bastion"}
    ran = {
        name
        for name, status in statuses(world.report(*checks, policy=Policy(only=("dns",)))).items()
        if status == "pass"
    }
    assert ran == {"dns.resolve@bastion"}


def test_skipping_a_check_unlocks_nothing(world: World) -> None:
    report = world.report(DNS, TCP, SSH, policy=Policy(skip=("tcp.connect",)))
    assert statuses(report)["ssh.handshake@bastion"] == "blocked"
    assert report.exit_code == 3


def test_an_ignored_finding_is_shown_and_does_not_count(world: World) -> None:
    world.page("db.tls-off", severity="warning")
    check = Check("db.tls", Layer.DB, "", Where.DATABASE, lambda _: found(Finding("db.tls-off")))
    policy = Policy(fail_on=Severity.WARNING)
    assert world.report(check, policy=policy).exit_code == 1
    report = world.report(check, policy=Policy(fail_on=Severity.WARNING, ignore=(Ignore("db.tls-off", "orders"),)))
    assert (report.exit_code, report.verdict) == (0, Verdict.HEALTHY)
    assert report.checks[0].findings[0].ignored == "--ignore db.tls-off@orders"


def test_a_finding_may_be_milder_than_its_page_and_never_harsher(world: World) -> None:
    world.page("db.expired", severity="warning")
    harsh = Check("db.a", Layer.DB, "", Where.DATABASE, lambda _: found(Finding("db.expired", severity=Severity.ERROR)))
    mild = Check("db.b", Layer.DB, "", Where.DATABASE, lambda _: found(Finding("db.expired", severity=Severity.INFO)))
    report = world.report(harsh, mild)
    assert [str(check.status) for check in report.checks] == ["warn", "pass"]


def test_the_first_broken_thing_of_the_path_is_the_diagnosis_and_the_second_is_not_hidden(world: World) -> None:
    late = Check("db.tls", Layer.DB, "", Where.DATABASE, lambda _: found(Finding("db.expired")))
    early = Check("key.load", Layer.KEY, "", Where.BASTION, lambda _: found(Finding("key.crlf")))
    report = world.report(late, early)
    assert report.diagnosis is not None
    assert report.diagnosis.code == "key.crlf"
    assert {finding.code for check in report.checks for finding in check.findings} == {"key.crlf", "db.expired"}


def test_within_a_layer_a_check_comes_after_what_it_needs_whatever_their_names(world: World) -> None:
    tls = Check("db.tls", Layer.DB, "", Where.DATABASE, lambda _: Outcome(facts={SOCKET: ""}), gives=(SOCKET,))
    login = Check("db.login", Layer.DB, "", Where.DATABASE, passing, needs=(SOCKET,))
    assert [check.id for check in world.report(login, tls).checks] == ["db.tls", "db.login"]


def test_the_events_tell_the_same_as_the_report(world: World) -> None:
    def talk(context: Context) -> Outcome:
        context.progress("looking\x1b[31m")
        return Outcome()

    events = list(world.run(Check("dns.resolve", Layer.DNS, "named", Where.FIRST_HOP, talk)).events())
    kinds = [type(event) for event in events[:-1]]
    assert kinds == [RunStarted, CheckStarted, CheckProgress, CheckFinished]
    assert isinstance(events[2], CheckProgress)
    assert events[2].text == "looking\\x1b[31m"
    assert isinstance(events[3], CheckFinished)
    assert events[3].result == last_report(events).checks[0]


def test_independent_checks_run_at_the_same_time(world: World) -> None:
    both = threading.Barrier(2)

    def meet(context: Context) -> Outcome:
        both.wait(context.remaining())
        return Outcome()

    report = world.report(
        Check("key.load", Layer.KEY, "", Where.BASTION, meet), Check("dns.resolve", Layer.DNS, "", Where.BASTION, meet)
    )
    assert report.verdict is Verdict.HEALTHY


def test_secrets_that_were_read_are_remembered_for_redaction(world: World) -> None:
    def read(context: Context) -> Outcome:
        context.secret(Reference("env", "hunter2"))
        return Outcome()

    run = world.run(Check("key.load", Layer.KEY, "", Where.BASTION, read))
    list(run.events())
    assert [secret.reveal() for secret in run.secrets] == [b"hunter2"]


def test_checks_of_the_database_are_skipped_without_one(world: World) -> None:
    tunnel = make_tunnel()
    bare = type(tunnel)(tunnel.name, tunnel.hops)
    report = world.report(Check("db.tls", Layer.DB, "", Where.DATABASE, passing), tunnel=bare)
    assert (report.checks[0].status, report.checks[0].reason) == (Status.SKIPPED, "the tunnel names no database")
    assert [stop.hop for stop in report.path] == ["here", "bastion"]


def test_what_becomes_of_unused_connections_says_nothing_of_the_hop_that_answers(world: World) -> None:
    checks = (
        Check("tcp.connect", Layer.TCP, "", Where.BASTION, passing),
        Check("idle.hold", Layer.IDLE, "", Where.BASTION, lambda _: found(Finding("tcp.refused"))),
    )
    report = world.report(*checks)
    assert (report.verdict, report.path[1].status) == (Verdict.BROKEN, Status.PASS)


def test_a_run_of_many_checks_ends_and_leaves_no_thread_behind(world: World) -> None:
    before = set(threading.enumerate())
    checks = [Check(f"key.k{number}", Layer.KEY, "", Where.BASTION, passing) for number in range(100)]
    assert world.report(*checks).counts[Status.PASS] == 100
    for thread in set(threading.enumerate()) - before:
        thread.join(2)
    assert not set(threading.enumerate()) - before
