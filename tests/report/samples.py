"""Reports to render, made by hand with fixed times: one a situation that a reader may be in."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tunneldoctor.model import (
    Address,
    BlockedBy,
    CheckReport,
    Database,
    Diagnosis,
    FindingReport,
    Hop,
    Layer,
    PathHop,
    Place,
    Provider,
    Redacted,
    Reference,
    Report,
    Severity,
    Status,
    Step,
    Tls,
    Tunnel,
    Value,
    Vantage,
    Verdict,
)

STARTED = datetime(2026, 11, 22, 3, 4, 5, 123000, tzinfo=UTC)
EDGE = Hop("via-1", "edge.example.com", 2222, "jump")
BASTION = Hop(
    "bastion", "bastion.example.com", 22, "tunnel", private_keys=(Reference("file", "~/.ssh/orders_ed25519"),)
)
ORDERS = Tunnel(
    "orders",
    (BASTION,),
    remote=Address("db.internal.corp", 5432),
    database=Database("postgresql", "db.internal.corp", 5432, "app", "orders", tls=Tls("verify-full")),
    provider=Provider.AWS,
)
FACTS: Mapping[str, Value] = {
    "bastion.address": "203.0.113.2",
    "bastion.latency_ms": 24.1,
    "bastion.software": "OpenSSH_9.2p1",
    "bastion.host_key": "SHA256:uNiVztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o",
    "ssh.kex": "curve25519-sha256",
    "egress_address": "198.51.100.7",
    "database.address": "10.0.3.17",
    "database.version": "15.18",
    "database.tls": "TLSv1.3",
    "database.latency_ms": 25.3,
}
# id, hop, title, started and took in milliseconds
_CHECKS = (
    ("config.tunnel", "here", "the configuration is complete", 0.1, 0.2),
    ("config.local-port", "here", "the local port is free", 0.1, 0.3),
    ("key.private-key", "bastion", "the private key can be used", 0.2, 3.4),
    ("key.certificate", "bastion", "the certificate fits the key", None, None),
    ("dns.resolve", "bastion", "the bastion's name resolves", 0.3, 12.1),
    ("tcp.connect", "bastion", "the bastion's port answers", 12.6, 24.3),
    ("ssh.handshake", "bastion", "both sides agree on algorithms", 37.0, 61.7),
    ("hostkey.verify", "bastion", "the host key is the pinned one", 98.9, 0.4),
    ("auth.login", "bastion", "the bastion accepts the key", 99.4, 38.0),
    ("forward.open", "database", "the bastion reaches the database", 138.0, 27.9),
    ("db.tls", "database", "the database's certificate is trusted", 166.1, 80.4),
    ("db.login", "database", "the database accepts the login", 246.8, 165.5),
    ("db.client-files", "database", "the files of the connection string can be read", 0.2, 0.2),
    ("idle.known-cutoffs", "database", "nothing known cuts an idle connection", 138.0, 0.6),
)


def checks(**changes: CheckReport) -> tuple[CheckReport, ...]:
    """A healthy run's checks; *changes* by id with underscores replace some of them."""
    return tuple(changes.get(id_.replace(".", "_").replace("-", "_")) or healthy_check(id_) for id_, *_ in _CHECKS)


def healthy_check(id_: str) -> CheckReport:
    """The check *id_* as it ends when all is well."""
    _, hop, title, started, took = next(row for row in _CHECKS if row[0] == id_)
    layer = Layer(id_.split(".")[0])
    if took is None:
        return CheckReport(id_, hop, layer, title, Status.SKIPPED, reason="no certificate is configured")
    return CheckReport(id_, hop, layer, title, Status.PASS, None, None, started, took, 1)


def ended(id_: str, status: Status, *findings: FindingReport, reason: str | None = None) -> CheckReport:
    """The check *id_* with another end."""
    return replace(healthy_check(id_), status=status, findings=findings, reason=reason)


def blocked(id_: str, by: str, code: str | None) -> CheckReport:
    """The check *id_*, which never ran."""
    check = healthy_check(id_)
    return CheckReport(
        id_, check.hop, check.layer, check.title, Status.BLOCKED, f"needs what {by} gives", BlockedBy(by, code)
    )


def finding(code: str, severity: Severity = Severity.ERROR, **rest: object) -> FindingReport:
    """A finding whose cause is certain unless *rest* says otherwise."""
    values: dict[str, object] = {
        "title": code,
        "summary": code,
        "params": {},
        "symptom": None,
        "causes": (code,),
        "ruled_out": (),
        "next_step": None,
        "remedy": (),
        "verify": None,
        "ignored": None,
        "evidence": (),
    }
    return FindingReport(code, severity, **{**values, **rest})  # type: ignore[arg-type]


def diagnosis(of: FindingReport, hop: str, layer: Layer) -> Diagnosis:
    """The diagnosis that a finding becomes."""
    return Diagnosis(
        of.code,
        of.symptom,
        hop,
        layer,
        of.title,
        of.summary,
        len(of.causes) == 1,
        of.causes,
        of.ruled_out,
        of.next_step,
        of.remedy,
        of.verify,
    )


def report(all_checks: tuple[CheckReport, ...], told: Diagnosis | None, verdict: Verdict, **rest: object) -> Report:
    """A report of *all_checks*, counted as the engine counts."""
    statuses = [check.status for check in all_checks]
    exit_codes = {Verdict.BROKEN: 1, Verdict.INCONCLUSIVE: 3}
    values: dict[str, object] = {
        "tunnel": ORDERS,
        "vantage": Vantage("laptop.example.net", "198.51.100.7"),
        "started_at": STARTED,
        "finished_at": STARTED + timedelta(milliseconds=412.7),
        "duration_ms": 412.7,
        "complete": True,
        "exit_code": exit_codes.get(verdict, 0),
        "path": path(Status.PASS, Status.PASS),
        "facts": FACTS,
        "redacted": Redacted(),
        "counts": {status: statuses.count(status) for status in Status},
    }
    return Report(checks=all_checks, diagnosis=told, verdict=verdict, **{**values, **rest})  # type: ignore[arg-type]


def path(bastion: Status | None, database: Status | None) -> tuple[PathHop, ...]:
    """Here, the bastion and the database; None is a stop that was not reached."""
    return (
        PathHop("here"),
        PathHop("bastion", "203.0.113.2:22", 24.1, bastion),
        PathHop("database", "10.0.3.17:5432" if database else None, 25.3 if database else None, database),
    )


def facts(*left_out: str) -> dict[str, Value]:
    """What was measured, without the facts whose names start in one of the given ways."""
    return {name: value for name, value in FACTS.items() if not name.startswith(left_out)}


HERE, ON_BASTION, ON_DATABASE, CLOUD = Place.HERE, Place.BASTION, Place.DATABASE, Place.CLOUD
LOGIN = Step(
    "The key is accepted",
    "ssh -i ~/.ssh/orders_ed25519 -o IdentitiesOnly=yes -N -L 0:db.internal.corp:5432 tunnel@bastion.example.com",
)
Scenario = Callable[[], Report]
