"""Hosts, addresses, users, paths and names of databases become aliases, and what an alias stands for comes back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.report.samples import BASTION, EDGE, FACTS, ORDERS
from tests.report.scenarios import SCENARIOS
from tests.report.test_to_json import validate
from tunneldoctor.model import Address, Database, Evidence, Report, RunFinished, Step
from tunneldoctor.report import (
    Aliases,
    AliasesFull,
    Topology,
    essence,
    event_line,
    render_junit,
    render_markdown,
    render_prometheus,
    render_text,
    render_ticket,
    report_from_json,
    report_json,
    unredacted,
)
from tunneldoctor.report.reading import removed_words


def redacted(text: str, *known: tuple[str, str], aliases: Aliases | None = None) -> str:
    """*text* alone, for somebody who knows these names by their kinds."""
    topology = Topology(aliases if aliases is not None else Aliases())
    for kind, name in known:
        topology._learn(kind, name)
    topology.learn_text(text)
    return topology.text(text)


def report_of(report: Report, aliases: Aliases | None = None) -> Report:
    topology = Topology(aliases if aliases is not None else Aliases())
    topology.learn([report])
    return topology.report(report)


def everything(report: Report) -> str:
    return "\n".join(
        (
            json.dumps(json.loads(report_json(report)), ensure_ascii=False),
            render_text(report, color=False, unicode=True, width=4000, verbose=2),
            render_markdown(report),
            render_ticket(report),
            render_junit(report),
            render_prometheus(report),
            event_line(RunFinished(1.0, report)),
        )
    )


def saying(*texts: str, **changes: object) -> Report:
    """A broken report in which a server said *texts*."""
    report = replace(SCENARIOS["broken"](), **changes)  # type: ignore[arg-type]
    checks = tuple(
        replace(
            check,
            findings=tuple(
                replace(each, evidence=tuple(Evidence("message", text) for text in texts)) for each in check.findings
            ),
        )
        for check in report.checks
    )
    return replace(report, checks=checks)


def said(report: Report) -> list[str]:
    return [evidence.text for check in report.checks for finding in check.findings for evidence in finding.evidence]


def test_a_report_says_the_same_with_every_name_replaced(report: Report) -> None:
    clean = report_of(report)
    validate("report", json.loads(report_json(clean)))
    assert essence(report_from_json(report_json(clean))) == essence(report)
    assert clean.redacted.level == "topology"


def test_the_names_of_a_report_come_back_as_they_were(report: Report) -> None:
    aliases = Aliases()
    clean = report_of(report, aliases)
    document = json.loads(unredacted(report_json(clean), aliases)[0])
    expected = json.loads(report_json(report))
    document["redacted"] = expected["redacted"]
    assert document == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no route to db.acme.internal", "no route to host-1.example"),
        ("[db.acme.internal]:2222 ssh-ed25519", "[host-1.example]:2222 ssh-ed25519"),
        ("10.20.3.17 and 10.20.3.18, not 10.20.4.17", "10.1.1.17 and 10.1.1.18, not 10.1.2.17"),
        ("10.20.3.0/24 in 10.20.0.0/16 in 10.0.0.0/8", "10.1.1.0/24 in 10.1.0.0/16 in 10.0.0.0/8"),
        ("192.168.7.9 172.20.1.2", "192.168.1.9 172.16.2.2"),
        ("52.1.2.3 and 52.1.2.4; 18.4.5.6", "192.0.2.3 and 192.0.2.4; 198.51.100.6"),
        ("::ffff:10.20.3.17", "::ffff:10.1.1.17"),
        ("2a01:4f8:1:2::5 and 2a01:4f8:1:3::5", "2001:db8:2:1::1 and 2001:db8:2:2::1"),
        ("[2a01:4f8:1:2::5]:22", "[2001:db8:2:1::1]:22"),
        ("fe80::1ff:fe23:4567:890a%eth0", "fe80::1%eth0"),
        ("127.0.0.1:5432 0.0.0.0 ::1 169.254.169.254", "127.0.0.1:5432 0.0.0.0 ::1 169.254.169.254"),
        ("ssh -l anna@ /home/anna/.ssh/acme_key", "ssh -l user-1@ /home/user-1/.ssh/name-1"),
        ("/etc/ssl/acme-root.pem and /etc/ssh/sshd_config", "/etc/ssl/name-1 and /etc/ssh/sshd_config"),
        (r"C:\Users\anna\.ssh\id_rsa", r"C:\Users\user-1\.ssh\id_rsa"),
        ('FATAL: role "billing_rw" does not exist', 'FATAL: role "user-1" does not exist'),
        ('database "invoices" does not exist', 'database "database-1" does not exist'),
        ("Accepted publickey for anna from 10.9.8.7 port 4", "Accepted publickey for user-1 from 10.1.1.7 port 4"),
        ("AllowUsers anna bob", "AllowUsers user-1 user-2"),
        ("postgresql://app@db.acme.internal:5432/invoices", "postgresql://user-1@host-1.example:5432/database-1"),
        ("SHA256:uNiVztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o", "SHA256:key-1"),
        ("ip-10-20-3-17 i-0abc12345678def00", "name-1 name-2"),
    ],
)  # fmt: skip
def test_a_name_is_replaced_and_what_helps_stays(text: str, shown: str) -> None:
    aliases = Aliases()
    clean = redacted(text, aliases=aliases)
    assert clean == shown
    assert unredacted(clean, aliases)[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025",
        "5.5.5-10.11.6-MariaDB, 8.0.35-0ubuntu0.22.04.1",
        "curve25519-sha256@libssh.org,ssh-ed25519-cert-v01@openssh.com",
        "org.postgresql.util.PSQLException: the connection attempt failed",
        "at com.jcraft.jsch.Session.connect(Session.java:512), paramiko.transport: Exception",
        "echo '\\password :\"role\"' | sudo -u postgres psql -d postgres",
        "net.ipv4.tcp_keepalive_time = 7200; ssh.service; sshd_config.d/10-keepalive.conf",
        "debug1: Authentications that can continue: publickey,password",
        "2026-11-22T03:04:05.123Z 12:34:56 std::string a::b()",
        "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
        "ssh -o IdentitiesOnly=yes -N -L 0:localhost:5432, and/or 24/7",
    ],
)
def test_what_is_no_name_stays(text: str) -> None:
    assert redacted(text) == text


def test_one_host_has_one_alias_in_whatever_case_it_is_written() -> None:
    clean = redacted("db.acme.internal DB.ACME.INTERNAL Db.Acme.internal db.acme.internal.")
    first, second, third, last = clean.split()
    assert first.lower() == second.lower() == third.lower() == "host-1.example"
    assert len({first, second, third}) == 3
    assert last == f"{first}."


def test_a_name_that_is_part_of_another_is_not_taken_for_it() -> None:
    clean = redacted("db1 db10 db1.corp.test my-db1 mydb1x", ("host", "db1"), ("host", "db10"))
    assert clean == "host-1 host-2 host-3.example name-1 mydb1x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the tunnel opens; tunnel@bastion.acme.test", "the tunnel opens; user-1@host-1.example"),
        ('user "tunnel" may not', 'user "user-1" may not'),
        ("sudo tee ~tunnel/.ssh/authorized_keys", "sudo tee ~user-1/.ssh/authorized_keys"),
        ("Failed publickey for tunnel from 127.0.0.1", "Failed publickey for user-1 from 127.0.0.1"),
        ("drwx------ /home/tunnel/.ssh", "drwx------ /home/user-1/.ssh"),
        ("sudo -u tunnel id", "sudo -u user-1 id"),
        ("the tunnel is a tunnel", "the tunnel is a tunnel"),
    ],
)
def test_a_user_with_the_name_of_an_ordinary_word_is_replaced_where_it_is_the_user(text: str, shown: str) -> None:
    assert redacted(text, ("user", "tunnel")) == shown


def test_a_name_that_looks_like_an_alias_comes_back_as_it_was() -> None:
    aliases = Aliases()
    text = 'role "anna" is not user-1, and HOST-1.example is not db.acme.test'
    clean = redacted(text, aliases=aliases)
    assert unredacted(clean, aliases)[0] == text


def test_a_user_in_capitals_is_a_user_and_a_placeholder_is_none() -> None:
    text = "as SCOTT: USER@HOST, user=NAME, '%s'@'%s'"
    assert redacted(text, ("user", "SCOTT")) == text.replace("SCOTT", "user-1")


def test_common_names_do_not_mangle_other_words() -> None:
    known = (("user", "app"), ("host", "db"), ("user", "postgres"), ("user", "root"), ("database", "test"))
    text = "the application on db: postgresql listens; rootless; apparmor; the database; test failed; sshd-tests"
    assert redacted(text, *known) == text


def test_a_percent_encoded_name_is_replaced_by_an_alias_of_the_same_name() -> None:
    aliases = Aliases()
    text = "postgresql://billing%5Frw@db.acme.internal/x as billing_rw"
    clean = redacted(text, ("user", "billing_rw"), aliases=aliases)
    assert "billing" not in clean
    assert "user-1" in clean
    assert "USER-1" in clean.upper().split("//")[1]
    assert unredacted(clean, aliases)[0] == text


def test_notes_of_the_company_are_not_for_others() -> None:
    report = SCENARIOS["broken"]()
    assert report.diagnosis
    page = "page Anna at +49 30 123, dashboard grafana"
    findings = {each.id: tuple(replace(one, notes=page) for one in each.findings) for each in report.checks}
    noted = replace(
        report,
        diagnosis=replace(report.diagnosis, notes=page),
        checks=tuple(replace(each, findings=findings[each.id]) for each in report.checks),
    )
    clean = report_of(noted)
    assert "grafana" not in everything(clean)
    assert clean.redacted.removed["notes"] == 1


def test_what_only_evidence_names_is_replaced_too() -> None:
    text = 'no pg_hba.conf entry for host "10.44.5.6", user "ledger_ro", database "ledger", no encryption'
    clean = report_of(saying(text, "CNAME ledger.prod.acme.test"))
    shown = everything(clean)
    assert [name for name in ("10.44.5.6", "ledger", "acme") if name in shown] == []


def test_the_same_name_has_the_same_alias_in_the_next_ticket() -> None:
    aliases = Aliases()
    first = report_of(SCENARIOS["broken"](), aliases)
    again = Aliases.read(json.loads(json.dumps(aliases.document())))
    second = report_of(SCENARIOS["symptom"](), again)
    assert first.tunnel.bastion.host == second.tunnel.bastion.host
    assert first.facts["bastion.host_key"] == second.facts["bastion.host_key"]


@pytest.mark.parametrize("document", [[], {}, {"schema": "tunneldoctor.aliases/1", "aliases": {"a": 1}}])
def test_what_is_no_map_of_aliases_is_refused(document: object) -> None:
    with pytest.raises(ValueError):
        Aliases.read(document)


def test_a_map_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunneldoctor.report.aliases.MOST", 3)
    with pytest.raises(AliasesFull):
        redacted("a.test.corp b.test.corp c.test.corp d.test.corp")


def test_what_was_replaced_is_told_by_kind() -> None:
    told = removed_words([report_of(saying("10.1.2.3 and 10.1.2.4"))])
    assert re.search(r"replaced: \d+ hosts, \d+ addresses, \d+ users?", told)


def test_where_no_alias_is_left_the_address_is_not_shown_instead() -> None:
    """There are 515 networks /24 for documentation and benchmarks."""
    with pytest.raises(AliasesFull):
        redacted(" ".join(f"8.{number >> 8}.{number & 255}.7" for number in range(600)))


def test_thousands_of_networks_take_no_time_worth_the_name() -> None:
    """The runner's own limit would end it: what is free is not looked for from the start each time."""
    text = redacted(" ".join(f"2a00:{number:x}::1" for number in range(1, 15_000)))
    assert set(re.findall(r"\b2[0-9a-f]{3}:[0-9a-f]+:", text)) == {"2001:db8:"}


# --- whatever the names are -----------------------------------------------------------------------------------------

label = st.from_regex(r"[a-z][a-z0-9]{2,7}(-[a-z0-9]{2,4})?", fullmatch=True).filter(lambda each: len(each) > 3)
host = st.builds("{}.{}.{}".format, label, label, st.sampled_from(["corp", "internal", "acme", "net", "test"]))
user = st.from_regex(r"[a-z][a-z0-9_]{4,10}[0-9]", fullmatch=True)
v4 = st.one_of(
    st.builds("10.{}.{}.{}".format, *[st.integers(0, 255)] * 3),
    st.builds("192.168.{}.{}".format, *[st.integers(0, 255)] * 2),
    st.builds("{}.{}.{}.{}".format, st.integers(11, 99), *[st.integers(0, 255)] * 3),
)
v6 = st.builds("2a0{:x}:{:x}:{:x}:{:x}::{:x}".format, *[st.integers(1, 9)], *[st.integers(1, 0xFFFF)] * 4)
_FRAMES = (
    "{}",
    "({})",
    "'{}'",
    '"{}"',
    "{}:5432",
    "[{}]:22",
    "to {},",
    "{}.",
    "x@{}",
    "//{}/a",
    "={};",
    "{}/24",
    "-{}",
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(_FRAMES), st.one_of(host, v4, v6, user)), max_size=8), st.data())
def test_what_is_turned_back_is_what_it_was(pieces: list[tuple[str, str]], data: st.DataObject) -> None:
    noise = data.draw(st.text("ab.:-/@%~ \n1_\\'\"", max_size=30))
    text = " ".join(frame.format(word) for frame, word in pieces) + noise
    aliases = Aliases()
    assert unredacted(redacted(text, aliases=aliases), aliases)[0] == text


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("host-1.exampleuser2[]:/@%~ dv8::fe0.3"), max_size=40))
def test_a_text_that_looks_like_aliases_comes_back_too(text: str) -> None:
    aliases = Aliases()
    redacted("first.corp.test second.corp.test 10.1.1.1 anna@third.corp.test", aliases=aliases)
    assert unredacted(redacted(text, aliases=aliases), aliases)[0] == text


@settings(max_examples=40, deadline=None)
@given(host, host, user, user, user, st.lists(v4, min_size=2, max_size=4, unique=True), v6)
def test_no_name_of_the_report_is_in_any_format(
    bastion: str, db: str, name: str, app: str, database: str, addresses: list[str], far: str
) -> None:
    public, inner = addresses[:2]
    tunnel = replace(
        ORDERS,
        name=f"{database}-prod",
        hops=(replace(EDGE, host=far, username=name), replace(BASTION, host=bastion, username=name)),
        remote=Address(db, 5432),
        database=Database("postgresql", db, 5432, app, database),
    )
    texts = [
        f"{name}@{bastion}: Permission denied (publickey). from {public} to [{far}]:22",
        f'no pg_hba.conf entry for host "{inner}", user "{app}", database "{database}"',
        f"could not open /home/{name}/.ssh/{database}_ed25519: {bastion.upper()} said {inner}",
    ]
    facts = {**FACTS, "bastion.address": public, "database.address": inner}
    report = saying(*texts, tunnel=tunnel, facts=facts)
    diagnosis = report.diagnosis
    assert diagnosis
    step = Step(f"ask {app}", f"ssh -i ~/.ssh/{database}.pem {name}@{bastion} psql -h {db} -U {app} {database}")
    report = replace(report, diagnosis=replace(diagnosis, remedy=(step,), summary=f"{app} on {db}:5432 via {bastion}"))
    aliases = Aliases()
    clean = report_of(report, aliases)
    shown = everything(clean).lower()
    left = [each for each in (bastion, db, name, app, database, *addresses[:2], far) if _there(each, shown)]
    assert left == []
    assert essence(clean) == essence(report)
    assert said(report_from_json(unredacted(report_json(clean), aliases)[0])) == texts


def _there(name: str, text: str) -> bool:
    return re.search(rf"(?<![a-z0-9.:]){re.escape(name.lower())}(?![a-z0-9:]|\.[0-9a-z])", text) is not None


@settings(max_examples=80, deadline=None)
@given(st.lists(v4, min_size=2, max_size=12, unique=True))
def test_private_stays_private_public_stays_public_and_subnets_stay_together(addresses: list[str]) -> None:
    aliases = [ip_address(each) for each in redacted(" ".join(addresses)).split()]
    originals = [ip_address(each) for each in addresses]
    for old, new in zip(originals, aliases, strict=True):
        private = [net for net in map(ip_network, ("10.0.0.0/8", "192.168.0.0/16")) if old in net]
        assert all(new in net for net in private)
        assert private or new in ip_network("198.18.0.0/15") or not new.is_global
    for (old_a, new_a), (old_b, new_b) in combinations(zip(originals, aliases, strict=True), 2):
        together = [int(each) >> 8 for each in (old_a, old_b)], [int(each) >> 8 for each in (new_a, new_b)]
        assert (together[0][0] == together[0][1]) == (together[1][0] == together[1][1])
        assert new_a != new_b
