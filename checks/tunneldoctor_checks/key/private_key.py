"""The private key is there, is undamaged, and opens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tunneldoctor.model import (
    Check,
    Context,
    Evidence,
    Finding,
    Layer,
    Outcome,
    Policy,
    Reference,
    SecretUnavailable,
    Severity,
    Tunnel,
    Where,
)
from tunneldoctor_checks.facts import AGENT_IDENTITIES, FILE_IDENTITIES
from tunneldoctor_checks.key import _file

if TYPE_CHECKING:
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.keys import Examination

#: Anybody may read these: their mode is no fault.
_NOTHING_SECRET = ("key.public-key-given", "key.certificate-given", "key.path-given", "key.empty")


@dataclass(slots=True)
class _Look:
    """What one configured key came to."""

    findings: list[Finding] = field(default_factory=list)
    identity: Identity | None = None
    unknown: str | None = None
    in_agent: bool = False

    @property
    def broken(self) -> bool:
        """True where OpenSSH would not use the key as it stands."""
        return any(finding.severity in (None, Severity.ERROR) for finding in self.findings)

    @property
    def sound(self) -> bool:
        """True for a key that OpenSSH would use as it stands."""
        return self.in_agent or (self.identity is not None and not self.broken)


def applies(tunnel: Tunnel, policy: Policy) -> str | None:
    """There may be only an agent or a password."""
    return None if any(hop.private_keys for hop in tunnel.hops) else "the tunnel names no private key"


def run(context: Context) -> Outcome:
    """Examine each configured key; a fault in one is an error only where no other is left."""
    references = context.hop.private_keys
    if not references:
        return Outcome(skipped="this hop names no private key")
    agent = {each.fingerprint for each in context.want(AGENT_IDENTITIES) or ()}
    passphrase, why = _passphrase(context)
    patience = context.remaining() / 2 / len(references)
    looks = [_look(context, reference, passphrase, why, agent, patience) for reference in references]
    if any(look.sound for look in looks):
        findings = tuple(each for look in looks for each in (look.findings if look.sound else _softened(look)))
        unknown = None
    else:
        findings = tuple(each for look in looks for each in look.findings)
        unknown = next((look.unknown for look in looks if look.unknown), None)
    identities = tuple(look.identity for look in looks if look.identity)
    return Outcome(findings, {FILE_IDENTITIES: identities} if identities else {}, unknown=unknown)


def _softened(look: _Look) -> list[Finding]:
    """With another good key, ssh passes over this one: an absent file is nothing, a damaged one worth a word."""
    kept = [each for each in look.findings if each.code not in ("key.not-found", "key.passphrase-missing")]
    return [_mild(each) for each in kept]


def _mild(finding: Finding) -> Finding:
    return replace(finding, severity=Severity.WARNING) if finding.severity is not Severity.INFO else finding


def _passphrase(context: Context) -> tuple[bytes | None, str]:
    reference = context.hop.passphrase
    if reference is None:
        return None, "the key is encrypted and no passphrase is configured: set private_key_passphrase"
    try:
        return context.secret(reference).reveal(), "the passphrase is empty"
    except SecretUnavailable as error:
        return None, f"the key is encrypted and its passphrase can't be read: {error.reason}"


def _look(
    context: Context, reference: Reference, passphrase: bytes | None, why: str, agent: set[str], patience: float
) -> _Look:
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.keys import examine

    try:
        data = context.secret(reference).reveal()
    except SecretUnavailable as error:
        return _absent(reference, error)
    examination = examine(data, passphrase, patience)
    damages = _findings(examination, reference)
    harmless = any(each.code in _NOTHING_SECRET for each in damages)
    look = _Look([*([] if harmless else _file.permissions(reference)), *damages])
    look.in_agent = examination.public in agent and not _file.permissions(reference)
    if examination.key is not None:
        look.identity = Identity.of(str(reference), examination.key)
    if any(finding.code == "key.passphrase-missing" for finding in look.findings):
        if look.in_agent:
            look.findings = [each for each in look.findings if each.code != "key.passphrase-missing"]
        look.unknown = why
    elif look.identity is None and not look.broken:
        look.unknown = "the key can't be opened here, or not in the time that there is (--timeout)"
    return look


def _absent(reference: Reference, error: SecretUnavailable) -> _Look:
    """A dangling reference that is no file is reported by the checks of the configuration."""
    if reference.scheme != "file":
        return _Look(unknown=error.reason)
    params = {
        "path": reference.name, "private_key": reference.name, "source": str(reference), "reason": error.reason
    }  # fmt: skip
    code = {"missing": "key.not-found", "too-large": "key.not-a-key", "not-a-file": "key.not-a-key"}.get(error.kind)
    if code == "key.not-a-key":
        params["what"] = "more than 1 MiB" if error.kind == "too-large" else _file.kind(reference)
    seen = (Evidence("file", error.reason), *_file.facts(reference))
    return _Look([Finding(code or "key.unreadable", params, seen)])


def _findings(examination: Examination, reference: Reference) -> list[Finding]:
    path = reference.name if reference.scheme == "file" else None  # of this key, where the tunnel names several
    about = {"source": str(reference), "private_key": path, "fingerprint": examination.public}
    findings = []
    for damage in examination.damages:
        seen = (Evidence("bytes", damage.seen),) if damage.seen else ()
        severity = Severity.WARNING if damage.code == "key.passphrase-missing" else damage.severity
        findings.append(Finding(damage.code, {**about, **damage.params}, seen, severity))
    return findings


CHECK = Check(
    id="key.private-key",
    layer=Layer.KEY,
    title="the private key is undamaged and opens",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.keys",),
    wants=(AGENT_IDENTITIES,),
    gives=(FILE_IDENTITIES,),
    codes=(
        "key.not-found",
        "key.unreadable",
        "key.permissions-too-open",
        "key.empty",
        "key.public-key-given",
        "key.certificate-given",
        "key.path-given",
        "key.not-a-key",
        "key.putty-format",
        "key.sshcom-format",
        "key.crlf-line-endings",
        "key.escaped-newlines",
        "key.newlines-lost",
        "key.truncated",
        "key.missing-final-newline",
        "key.stray-text",
        "key.encoded-twice",
        "key.wrong-encoding",
        "key.corrupt",
        "key.openssh-cannot-load",
        "key.passphrase-missing",
        "key.passphrase-wrong",
        "key.type-unsupported",
        "key.cipher-unsupported",
        "key.too-short",
        "key.security-key",
    ),
    applies=applies,
    run=run,
    equivalent="ssh-keygen -y -f {private_key} > /dev/null",
)
