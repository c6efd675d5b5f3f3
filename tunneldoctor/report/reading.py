"""What every format for people reads out of a report: order, names, durations, which finding is the diagnosis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tunneldoctor.model import (
    CheckReport,
    Diagnosis,
    Evidence,
    FindingReport,
    Hop,
    Layer,
    Place,
    Provider,
    Report,
    Severity,
    Status,
    Step,
)
from tunneldoctor.report.aliases import NOTES, REPLACED

#: The longest list of evidence that is shown unasked.
EVIDENCE_SHOWN = 6

_TOOLS = {
    Provider.AWS: "with the AWS CLI",
    Provider.AZURE: "with the Azure CLI",
    Provider.GCP: "with gcloud",
    Provider.ONPREM: "in your data centre",
}
_COUNTED = {
    Status.PASS: "ok",
    Status.WARN: "warned",
    Status.FAIL: "failed",
    Status.UNKNOWN: "unknown",
    Status.ERROR: "crashed",
    Status.BLOCKED: "not run",
    Status.SKIPPED: "skipped",
}


_UNTOLD = (Status.UNKNOWN, Status.ERROR, Status.BLOCKED)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the words about it, the hop it is on, and what was seen."""

    words: Diagnosis | FindingReport
    hop: str
    evidence: tuple[Evidence, ...]

    @property
    def open_causes(self) -> tuple[str, ...]:
        """The causes where more than one is left, else none: a certain fault has nothing to choose from."""
        return self.words.causes if len(self.words.causes) > 1 else ()


def place(check: CheckReport) -> str:
    """The stop on the path that a check belongs to: what is read before anything is sent belongs to here."""
    return "here" if check.layer in (Layer.CONFIG, Layer.KEY) else check.hop


def diagnosed_check(report: Report) -> CheckReport | None:
    """The check that the diagnosis is about: the one that found it, or the first that could not tell."""
    diagnosis = report.diagnosis
    if diagnosis is None:
        return None
    there = [check for check in report.checks if check.hop == diagnosis.hop]
    if diagnosis.code is not None:
        return next((check for check in there if diagnosed_finding(check, diagnosis)), None)
    untold = [check for check in there if check.layer == diagnosis.layer]
    return next((check for check in untold if check.status in _UNTOLD), None)


def diagnosed_finding(check: CheckReport, diagnosis: Diagnosis) -> FindingReport | None:
    """The finding of *check* that is the diagnosis, if it is there."""
    return next((each for each in check.findings if each.code == diagnosis.code and not each.ignored), None)


def diagnosed_fault(report: Report) -> Fault | None:
    """The diagnosis with its evidence; None when healthy."""
    if report.diagnosis is None:
        return None
    check = diagnosed_check(report)
    finding = diagnosed_finding(check, report.diagnosis) if check else None
    return Fault(report.diagnosis, report.diagnosis.hop, finding.evidence if finding else ())


def other_findings(report: Report) -> Iterator[tuple[CheckReport, FindingReport]]:
    """Every error and warning that counts and is not the diagnosis, in the order of the path."""
    main = diagnosed_check(report)
    for check in report.checks:
        diagnosed = diagnosed_finding(check, report.diagnosis) if check is main and report.diagnosis else None
        for finding in check.findings:
            if finding is not diagnosed and finding.severity != Severity.INFO and not finding.ignored:
                yield check, finding


def not_run(report: Report) -> dict[str, list[CheckReport]]:
    """The checks that should have run and never did, by the reason: ``, because of auth.publickey-refused``."""
    groups: dict[str, list[CheckReport]] = {}
    for check in report.checks:
        if check.status == Status.BLOCKED or (check.status == Status.UNKNOWN and not check.attempts):
            groups.setdefault(why_not_run(check), []).append(check)
    return groups


def why_not_run(check: CheckReport) -> str:
    """What kept a check from running, to be put right after its name; empty where nobody said."""
    if check.blocked_by:
        return f", because of {check.blocked_by.code or check.blocked_by.check}"
    return f" ({check.reason.removeprefix('not run: ')})" if check.reason else ""


def key_facts(report: Report, check: CheckReport) -> str:
    """What is worth knowing at a glance about the layer that *check* looks at, in a few words."""
    facts, hop = report.facts, check.hop
    match check.layer:
        case Layer.DNS:
            return _text(facts, f"{hop}.address")
        case Layer.SSH:
            return _text(facts, f"{hop}.software")
        case Layer.HOSTKEY:
            return _text(facts, f"{hop}.host_key")
        case Layer.AUTH:
            return next((f"as {each.username}" for each in report.tunnel.hops if each.name == hop), "")
        case Layer.FORWARD:
            return _text(facts, "database.address")
        case Layer.DB:
            return ", ".join(filter(None, (_text(facts, "database.version"), _text(facts, "database.tls"))))
        case Layer.IDLE:
            held = facts.get("idle.alive_after_seconds", facts.get("idle.survived_seconds"))
            return f"for {duration(held * 1000)} at least" if isinstance(held, int | float) else ""
    return ""


def _text(facts: Mapping[str, object], name: str) -> str:
    value = facts.get(name)
    return "" if value is None else str(value)


def duration(milliseconds: float) -> str:
    """A length of time for people: ``<1 ms``, ``38 ms``, ``1.2 s``, ``2 min 5 s``."""
    if milliseconds < 1:
        return "<1 ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


def latency(milliseconds: float) -> str:
    """A round trip for people: with a decimal below 10 ms, where it counts."""
    return f"{milliseconds:.1f} ms" if milliseconds < 9.95 else duration(milliseconds)


def hop_words(report: Report, name: str) -> str:
    """A hop and its address as it was asked for: ``bastion bastion.example.com:22``."""
    address = hop_address(report, name)
    return "you" if name == "here" else f"{name} {address}" if address else name


def hop_address(report: Report, name: str) -> str:
    """Where the hop is, by the name that the user gave; what was measured where none was given."""
    if name == "database":
        asked: object = report.tunnel.remote
    else:
        asked = next((hop.address for hop in report.tunnel.hops if hop.name == name), None)
    measured = next((hop.address for hop in report.path if hop.hop == name), None)
    return str(asked or measured or "")


def hop_url(hop: Hop) -> str | None:
    """The hop as the configuration would write it: ``ssh://jump@edge.example.com:22``; None without a host."""
    user = f"{hop.username}@" if hop.username else ""
    return f"ssh://{user}{hop.address}" if hop.address else None


def where(step: Step, hop: str) -> str:
    """Where to run a step's command. ``bastion`` is the SSH server that the finding is about, jump hosts included."""
    match step.run_on:
        case Place.HERE:
            return "here"
        case Place.BASTION:
            return f"on {hop}" if hop.startswith("via-") else "on the bastion"
        case Place.DATABASE:
            return "on the database"
    return _TOOLS[step.provider] if step.provider else "in the cloud shell"


def seen_from(evidence: Evidence) -> str:
    """Where something was seen."""
    return "here" if evidence.seen_from == Place.HERE else f"the {evidence.seen_from.value}"


def counts(report: Report) -> str:
    """``9 ok, 1 failed, 4 not run``: the engine's counts in words, without the zeros."""
    return ", ".join(f"{report.counts[each]} {word}" for each, word in _COUNTED.items() if report.counts.get(each))


def removed_words(reports: Iterable[Report]) -> str:
    """``removed: 2 passwords; replaced: 12 hosts, 3 users``: what was taken out of *reports*, by kind."""
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.redacted.removed)
    secrets = [_number_of(count, kind) for kind, count in total.items() if kind not in REPLACED]
    names = [_number_of(total[kind], kind) for kind in REPLACED if total[kind]]
    parts = {"removed": secrets, "replaced": names}
    return "; ".join(f"{verb}: {', '.join(words)}" for verb, words in parts.items() if words)


def _number_of(count: int, kind: str) -> str:
    plural = kind if kind == NOTES else f"{kind}es" if kind.endswith(("h", "s")) else f"{kind}s"
    return f"{count} {plural if count != 1 else kind}"


def verdict_words(report: Report) -> str:
    """The verdict; an interrupted run says so."""
    return report.verdict.value if report.complete else f"{report.verdict.value} (incomplete: interrupted)"
