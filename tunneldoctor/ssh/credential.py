"""The one thing that a hop's configuration has to log in with, loaded: for a login that is tried once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import paramiko

from tunneldoctor.model import Context, Hop, Reference, Secret, SecretUnavailable
from tunneldoctor.ssh.agent import Agent, AgentUnreachable, reach
from tunneldoctor.ssh.certificates import LARGEST, Certificate, CertificateError, problems, read
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.keys import examine
from tunneldoctor.ssh.userauth import PASSWORD

#: Share of the time left that the agent may take to say what it holds.
_SHARE = 0.3


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """``name`` is how it is spoken of (a fingerprint, never the secret), ``offer`` what is sent or signed with."""

    name: str
    offer: paramiko.PKey | Secret


@dataclass(frozen=True, slots=True)
class Lacking:
    """There is nothing that could be used; ``reason`` says why, in words."""

    reason: str


def load(context: Context, hop: Hop) -> Credential | Lacking:
    """What *hop* is logged in with: its key file, else a key of the agent, else its password.

    A certificate for the key goes with it where it is good for this user and this hour. Nothing is raised for what
    can't be read.
    """
    agent = _agent(context, hop)
    held = agent.identities if isinstance(agent, Agent) else ()
    wanted = (hop.agent or "").rstrip("=")
    trouble: list[str] = [agent] if isinstance(agent, str) else []
    identities = [*_files(context, hop, held, trouble), *(each for each in held if wanted in ("", each.fingerprint))]
    if identities:
        return _offer(context, hop, identities[0])
    if hop.password is None:
        nothing = "no key is given" if hop.agent is None else "the agent does not hold the key"
        return Lacking("; ".join(trouble) or nothing)
    try:
        return Credential(PASSWORD, context.secret(hop.password))
    except SecretUnavailable as error:
        return Lacking(f"the password can't be read: {error.reason}")


def _agent(context: Context, hop: Hop) -> Agent | str | None:
    """The agent, or why it does not answer; None where it is not to be asked."""
    if hop.agent is None:
        return None
    try:
        return context.closing(reach(context.remaining() * _SHARE, hop.agent_socket))
    except AgentUnreachable as error:
        return error.reason


def _files(context: Context, hop: Hop, held: tuple[Identity, ...], trouble: list[str]) -> Iterator[Identity]:
    """The keys that load; one that only the agent can open is taken from there. *trouble* hears of the others."""
    for reference in hop.private_keys:
        try:
            passphrase = context.secret(hop.passphrase).reveal() if hop.passphrase else None
            found = examine(context.secret(reference).reveal(), passphrase)
        except SecretUnavailable as error:
            trouble.append(f"{error.reference}: {error.reason}")
            continue
        if found.key is not None:
            yield Identity.of(str(reference), found.key)
        elif in_agent := next((each for each in held if each.fingerprint == found.public), None):
            yield in_agent
        else:
            trouble.append(f"{reference}: {', '.join(damage.code for damage in found.damages)}")


def _offer(context: Context, hop: Hop, identity: Identity) -> Credential:
    if identity.certificate is None and (certificate := _certificate(context, hop, identity)):
        identity = identity.certified(certificate, first=True)
    offer = identity.offers()[0]
    return Credential(identity.name_of(offer), offer)


def _certificate(context: Context, hop: Hop, identity: Identity) -> Certificate | None:
    """The first certificate of this key that is good now: the configured one, or the one beside the key file."""
    now = datetime.now(UTC)
    for data in _certificates(context, hop, identity):
        try:
            certificate = read(data)
        except CertificateError:
            continue
        wrong = {each.code for each in problems(certificate, hop.username, now)}
        if certificate.fingerprint == identity.fingerprint and not wrong - {"key.certificate-no-port-forwarding"}:
            return certificate
    return None


def _certificates(context: Context, hop: Hop, identity: Identity) -> Iterator[bytes]:
    if hop.certificate is not None:
        try:
            yield context.secret(hop.certificate).reveal()
        except SecretUnavailable:
            return
    reference = next((each for each in hop.private_keys if str(each) == identity.source), None)
    if hop.certificate is None and reference and (beside := _beside(reference)):
        yield beside


def _beside(reference: Reference) -> bytes | None:
    """``KEY-cert.pub``, which ssh picks up unasked."""
    if reference.scheme != "file":
        return None
    try:
        path = Path(f"{Path(reference.name).expanduser()}-cert.pub")
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, RuntimeError):  # no home folder for ~user
        return None
