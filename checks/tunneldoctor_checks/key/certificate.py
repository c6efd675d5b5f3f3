"""The certificate fits the key, the user and the hour; and the keys are put in the order in which they are offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunneldoctor.model import (
    Check,
    Context,
    Evidence,
    Fact,
    Finding,
    Layer,
    Outcome,
    Ruling,
    SecretUnavailable,
    Severity,
    Value,
    Where,
    confirms,
    rules_out,
)
from tunneldoctor_checks.facts import AGENT_IDENTITIES, CERTIFICATE_FAULTS, FILE_IDENTITIES, IDENTITIES, USERNAME
from tunneldoctor_checks.key import _file

if TYPE_CHECKING:
    from tunneldoctor.ssh.certificates import Certificate, CertificateProblem
    from tunneldoctor.ssh.identity import Identity

_CODES = (
    "key.certificate-unreadable",
    "key.certificate-mismatch",
    "key.certificate-expired",
    "key.certificate-not-yet-valid",
    "key.certificate-wrong-principal",
    "key.certificate-no-principals",
    "key.certificate-no-port-forwarding",
    "key.certificate-is-host-certificate",
    "key.certificate-signed-with-sha1",
    "key.certificate-unknown-option",
    "key.certificate-shadows-key",
)
#: Causes of a refusal, and of a refused tunnel, that only a certificate can have.
_AT_THE_SERVER = (
    "auth.certificate-authority-untrusted",
    "auth.certificate-source-address",
    "auth.certificate-principal-not-authorized",
)
_FORWARDING = "key.certificate-no-port-forwarding"


@dataclass(slots=True)
class _Judged:
    """What all certificates of the hop came to; ``wrong`` maps a code to the words and params of a ruling."""

    findings: list[Finding] = field(default_factory=list)
    wrong: dict[str, tuple[str, Mapping[str, Value]]] = field(default_factory=dict)
    seen: list[Certificate] = field(default_factory=list)
    unknown: str | None = None


def run(context: Context) -> Outcome:
    """Join keys and certificates. What a server decides stays open: the findings are warnings, the login tells."""
    identities = _in_order(context.want(AGENT_IDENTITIES) or (), context.want(FILE_IDENTITIES) or ())
    judged = _Judged()
    if context.hop.certificate is not None:
        identities = _with_explicit(context, identities, judged)
    else:
        identities = tuple(_with_neighbour(context, each, judged) for each in identities)
    for identity in identities:
        if identity.certificate and identity.source == "agent":
            _judge(context, identity.certificate, "agent", judged)
    facts: dict[Fact[Any], Any] = {IDENTITIES: identities} if identities else {}
    if judged.wrong and len(identities) <= 1:  # of several keys nobody knows which one the server would have taken
        facts[CERTIFICATE_FAULTS] = tuple(confirms(code, *said) for code, said in judged.wrong.items())
    skipped = None if judged.seen or judged.findings or judged.unknown else "no certificate is used"
    rulings = _rulings(judged)
    return Outcome(tuple(judged.findings), facts, rulings=rulings, unknown=judged.unknown, skipped=skipped)


def _in_order(agent: tuple[Identity, ...], files: tuple[Identity, ...]) -> tuple[Identity, ...]:
    """pubkey_prepare in sshconnect2.c: keys of the agent that are configured, its others, then the files."""
    configured = {each.fingerprint for each in files}
    held = {each.fingerprint for each in agent}
    first = [each for each in agent if each.fingerprint in configured]
    others = [each for each in agent if each.fingerprint not in configured]
    return (*first, *others, *(each for each in files if each.fingerprint not in held))


def _with_explicit(context: Context, identities: tuple[Identity, ...], judged: _Judged) -> tuple[Identity, ...]:
    from tunneldoctor.ssh.certificates import CertificateError, read

    reference = context.hop.certificate
    assert reference is not None
    try:
        certificate = read(context.secret(reference).reveal())
    except SecretUnavailable as error:
        judged.unknown = f"the certificate can't be read: {error.reason}"
        return identities
    except CertificateError as error:
        _wrong(judged, "key.certificate-unreadable", {**_named(str(reference)), "reason": str(error)}, str(error))
        return identities
    _judge(context, certificate, str(reference), judged)
    owner = next((each for each in identities if each.fingerprint == certificate.fingerprint), None)
    if owner is None and identities:
        _mismatch(certificate, identities[0], str(reference), judged)
    usable = certificate.type == "user"  # ssh ignores any other CertificateFile
    return tuple(each.certified(certificate, first=True) if each is owner and usable else each for each in identities)


def _mismatch(certificate: Certificate, key: Identity, source: str, judged: _Judged) -> None:
    params = {**_named(source), "certified": certificate.fingerprint, "fingerprint": key.fingerprint}
    because = f"the certificate is for {certificate.fingerprint}, the key is {key.fingerprint}"
    _wrong(judged, "key.certificate-mismatch", params, because)


def _judge(context: Context, certificate: Certificate, source: str, judged: _Judged) -> None:
    from tunneldoctor.ssh.certificates import problems

    judged.seen.append(certificate)
    for problem in problems(certificate, context.want(USERNAME), datetime.now(UTC)):
        _report(certificate, problem, source, judged)


def _report(certificate: Certificate, problem: CertificateProblem, source: str, judged: _Judged) -> None:
    """ssh tries the plain key as well: a warning, until a login or a tunnel is refused."""
    severity = Severity.WARNING if problem.certain else Severity.INFO
    params = _params(certificate, problem, source)
    judged.findings.append(Finding(problem.code, params, (_evidence(certificate),), severity))
    judged.wrong[problem.code] = _because(problem), params


def _params(certificate: Certificate, problem: CertificateProblem, source: str) -> dict[str, Value]:
    return {**_named(source), "ca": certificate.ca_fingerprint, **problem.params}


def _named(source: str) -> dict[str, str]:
    """The source as configured, and its path where it is a file, for the commands."""
    return {"source": source, "certificate_path": source.removeprefix("file:")}


def _because(problem: CertificateProblem) -> str:
    said = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in problem.params.items())
    return f"the certificate says so ({said})"


def _evidence(certificate: Certificate) -> Evidence:
    from tunneldoctor.ssh.certificates import shown

    lines = [
        f"{certificate.key_type}, {certificate.type} certificate, key ID {certificate.key_id}",
        f"signed by {certificate.ca_fingerprint} ({certificate.signature_algorithm})",
        f"valid from {shown(certificate.valid_after)} to {shown(certificate.valid_before)}",
        f"principals: {', '.join(certificate.principals[:20]) or 'none'}",
        f"extensions: {', '.join(list(certificate.extensions)[:20]) or 'none'}",
    ]
    return Evidence("certificate", "\n".join(lines))


def _wrong(judged: _Judged, code: str, params: Mapping[str, Value], because: str) -> None:
    judged.findings.append(Finding(code, params, (Evidence("file", because),), Severity.WARNING))
    judged.wrong[code] = because, params


def _with_neighbour(context: Context, identity: Identity, judged: _Judged) -> Identity:
    """``KEY-cert.pub``, which ssh and many libraries pick up unasked."""
    from tunneldoctor.ssh.certificates import LARGEST, CertificateError, problems, read

    path = _neighbour(context, identity)
    if path is None:
        return identity
    try:
        with path.open("rb") as file:
            certificate = read(file.read(LARGEST + 1))
    except (CertificateError, OSError) as error:
        _shadows(judged, path, "key.certificate-unreadable", str(error), {"reason": str(error)})
        return identity
    judged.seen.append(certificate)
    if certificate.fingerprint != identity.fingerprint:
        said = f"it is for another key, {certificate.fingerprint}"
        both = {"certified": certificate.fingerprint, "fingerprint": identity.fingerprint}
        _shadows(judged, path, "key.certificate-mismatch", said, both)
        return identity
    for problem in problems(certificate, context.want(USERNAME), datetime.now(UTC)):
        if problem.certain and problem.code != _FORWARDING:
            _shadows(judged, path, problem.code, _because(problem), _params(certificate, problem, f"file:{path}"))
        else:
            _report(certificate, problem, f"file:{path}", judged)
    return identity.certified(certificate, first=False)


def _neighbour(context: Context, identity: Identity) -> Path | None:
    reference = next((each for each in context.hop.private_keys if str(each) == identity.source), None)
    path = _file.path_of(reference) if reference else None
    beside = path.with_name(f"{path.name}-cert.pub") if path else None
    try:
        return beside if beside is not None and beside.is_file() else None
    except OSError:
        return None


def _shadows(judged: _Judged, path: Path, code: str, reason: str, cause: Mapping[str, Value]) -> None:
    params = {"path": str(path), "reason": reason}
    judged.findings.append(
        Finding("key.certificate-shadows-key", params, (Evidence("file", f"{path}: {reason}"),), Severity.WARNING)
    )
    judged.wrong[code] = reason, {**_named(f"file:{path}"), **cause}


def _rulings(judged: _Judged) -> tuple[Ruling, ...]:
    """What is in order is out; whether what is wrong counts, the server decides."""
    if not judged.seen and not judged.wrong:
        because = "no certificate is offered"
        return tuple(rules_out(code, because) for code in (*_AT_THE_SERVER, *_CODES))
    fine = tuple(rules_out(code, "the certificate is in order there") for code in _CODES if code not in judged.wrong)
    if judged.seen and not any(each.source_addresses for each in judged.seen):
        because = "the certificate may be used from every address"
        fine = (*fine, rules_out("auth.certificate-source-address", because))
    return fine


CHECK = Check(
    id="key.certificate",
    layer=Layer.KEY,
    title="the certificate fits key, user and time",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.certificates",),
    wants=(FILE_IDENTITIES, AGENT_IDENTITIES, USERNAME),
    gives=(IDENTITIES, CERTIFICATE_FAULTS),
    codes=_CODES,
    run=run,
    equivalent="ssh-keygen -L -f {certificate}",
)
