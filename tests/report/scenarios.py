"""All situations by name: those in which nothing is broken are here. Each is a function, so that they stay apart."""

from dataclasses import replace

from tests.report.samples import (
    ON_DATABASE,
    Scenario,
    checks,
    diagnosis,
    ended,
    facts,
    finding,
    healthy_check,
    path,
    report,
)
from tests.report.scenarios_broken import broken, hostile, jump_hosts, symptom
from tunneldoctor.model import (
    CheckReport,
    Diagnosis,
    Evidence,
    Layer,
    PathHop,
    Report,
    Severity,
    Status,
    Step,
    Verdict,
)


def healthy() -> Report:
    replica = finding(
        "db.read-only",
        Severity.INFO,
        title="db.internal.corp is a replica: writes are refused",
        summary="The server is in recovery.",
    )
    return report(checks(db_login=ended("db.login", Status.PASS, replica)), None, Verdict.HEALTHY)


def degraded() -> Report:
    clear = finding(
        "db.tls-off",
        Severity.WARNING,
        title="Password and data cross from the bastion to the database in clear",
        summary="sslmode=prefer was satisfied with no encryption: db.internal.corp answered N to the SSLRequest.",
        remedy=(
            Step("Turn on TLS in the database", "sudo -u postgres psql -c 'ALTER SYSTEM SET ssl = on'", ON_DATABASE),
            Step("Then ask for it: sslmode=verify-full"),
        ),
        verify=Step("The session is encrypted", "psql 'host=db.internal.corp sslmode=require' -c '\\conninfo'"),
        evidence=(Evidence("bytes", "N (0x4e) in answer to SSLRequest"),),
    )
    ignored = finding("idle.cutoff-expected", Severity.WARNING, ignored="--ignore idle.cutoff-expected@orders")
    found_in = checks(
        db_tls=ended("db.tls", Status.WARN, clear),
        idle_known_cutoffs=ended("idle.known-cutoffs", Status.PASS, ignored),
    )
    told = diagnosis(clear, "database", Layer.DB)
    return report(found_in, told, Verdict.DEGRADED, path=path(Status.PASS, Status.WARN), facts=facts("database.tls"))


def inconclusive() -> Report:
    told = Diagnosis(
        None,
        None,
        "database",
        Layer.DB,
        "The login to the database could not be checked",
        "The server asks for a password (SCRAM-SHA-256), and database_password is not set.",
        False,
        (),
        (),
        None,
        (
            Step(
                "Give the password by reference, in the configuration or as an option",
                "tunneldoctor check orders --database-password env:ORDERS_DB_PASSWORD",
            ),
        ),
        None,
    )
    reason = "the server asks for a password and none was given: set database_password"
    found_in = checks(db_login=ended("db.login", Status.UNKNOWN, reason=reason))
    return report(found_in, told, Verdict.INCONCLUSIVE, path=path(Status.PASS, Status.UNKNOWN))


def interrupted() -> Report:
    """Control-C while the bastion's port was being tried."""
    names = (
        "ssh.handshake",
        "hostkey.verify",
        "auth.login",
        "forward.open",
        "db.tls",
        "db.login",
        "idle.known-cutoffs",
    )
    waiting = {}
    for name in names:
        check = healthy_check(name)
        waiting[name.replace(".", "_").replace("-", "_")] = CheckReport(
            name, check.hop, check.layer, check.title, Status.UNKNOWN, "the run was interrupted"
        )
    trying = replace(ended("tcp.connect", Status.UNKNOWN, reason="the run was interrupted"), duration_ms=4200.0)
    found_in = checks(tcp_connect=trying, **waiting)
    told = Diagnosis(
        None,
        None,
        "bastion",
        Layer.TCP,
        "The run was interrupted",
        "What came after that is not known.",
        False,
        (),
        (),
        None,
        (),
        None,
    )
    return report(
        found_in,
        told,
        Verdict.INCONCLUSIVE,
        complete=False,
        exit_code=130,
        duration_ms=4213.0,
        path=(PathHop("here"), PathHop("bastion", "203.0.113.2:22", None, Status.UNKNOWN), PathHop("database")),
        facts=facts("database", "ssh", "bastion.s", "bastion.h", "bastion.l", "egress"),
    )


SCENARIOS: dict[str, Scenario] = {
    each.__name__.replace("_", "-"): each
    for each in (healthy, broken, symptom, degraded, inconclusive, interrupted, jump_hosts, hostile)
}
