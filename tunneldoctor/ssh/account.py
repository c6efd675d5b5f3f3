"""An account on an SSH server that may run commands there: one further login, and what a script says.

Used to look around, from the bastion or from another machine. What fails is told in words: it says nothing about the
tunnel under examination.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.model import Address, BudgetSpent, Context, Hop, Secret, visible
from tunneldoctor.net.connect import ConnectFailure, connect_first
from tunneldoctor.net.resolve import Resolved, SystemLookup
from tunneldoctor.net.scope import is_literal
from tunneldoctor.ssh.command import Ran
from tunneldoctor.ssh.credential import Credential, Lacking, load
from tunneldoctor.ssh.forwarding import OpenFailure
from tunneldoctor.ssh.handshake import HandshakeFailure
from tunneldoctor.ssh.host_trust import judge
from tunneldoctor.ssh.known_hosts import TooManyLines
from tunneldoctor.ssh.pinned import pinned
from tunneldoctor.ssh.pins import Pins
from tunneldoctor.ssh.transport import Transport
from tunneldoctor.ssh.userauth import password_method

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream
    from tunneldoctor.ssh.userauth import Refusal

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.3
#: Seconds for a shell to say that it is one; it reads its start-up files first.
_FIRST_WORD = 5.0
#: Characters of what came instead of a shell that are shown.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script came to; text that is not UTF-8 shows as ``\\xNN``, control characters are still in it.

    ``exit_status`` is None where it was killed or did not end. ``truncated``: there was more output than is kept.
    ``timed_out``: it had not ended in time; what had come by then is there. ``problem`` says in words why the script
    was not run at all.
    """

    stdout: str = ""
    stderr: str = ""
    exit_status: int | None = None
    truncated: bool = False
    timed_out: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class NotIn:
    """The account can't be used; ``reason`` says why, in words."""

    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """Logged in on *hop*; a shell there runs scripts."""

    hop: Hop
    transport: Transport

    def run(self, script: str, timeout: float) -> Answer:
        """Have ``sh`` run *script* there, with nothing on its standard input, within *timeout* seconds.

        What the user's start-up files print is cut off.
        """
        mark = f"tunneldoctor-{secrets.token_hex(8)}"
        # The braces have sh read all of the script before it begins, so that no command in it can eat the rest.
        text = f"printf '\\n%s\\n' {mark}\n{{\n{script}\n}} </dev/null\n"
        ran = self.transport.execute("sh -s", text.encode("utf-8", "surrogateescape"), max(0.1, timeout))
        if isinstance(ran, OpenFailure):
            return Answer(problem=_no_session(ran))
        _, marked, stdout = ran.stdout.partition(f"\n{mark}\n".encode())
        if not marked:
            return Answer(problem=_no_shell(ran), timed_out=ran.timed_out)
        return Answer(_text(stdout), _text(ran.stderr), ran.exit_status, ran.truncated, ran.timed_out)

    def close(self) -> None:
        """Log out; may be called twice, from any thread."""
        self.transport.close()


def log_in(context: Context, hop: Hop, through: Transport | None = None, *, known_as: str = "") -> Account | NotIn:
    """Log in on *hop* once, within what *context* has left, and see that a shell answers there.

    *through* is the session on the server in front of it, where there is one. *known_as* is the name of the hop for
    the manners of the run, where the same account may have been tried there. Nothing is sent to a host whose key is
    not pinned, and nobody is asked twice.
    """
    address = hop.address
    if address is None or hop.username is None:
        return NotIn("its host or user is missing or can't be read")
    credential = load(context, hop)
    if isinstance(credential, Lacking):
        return NotIn(credential.reason)
    try:
        pins, _ = pinned(hop, address, context.secret, _left(context))
        _within_manners(context, hop, known_as or hop.name, credential)
    except (BudgetSpent, TooManyLines, OSError) as error:
        return NotIn(str(error))
    stream = _through(context, address, through) if through else _connected(context, hop, address)
    if isinstance(stream, str):
        return NotIn(stream)
    transport = _verified(context, address, stream, pins)
    if isinstance(transport, str):
        return NotIn(transport)
    refusal = _authenticated(context, hop.username, transport, credential)
    if refusal is not None:
        if refusal.kind in {"refused", "closed"}:
            context.budget.refused(known_as or hop.name)
        return NotIn(f"{hop.username}@{address} did not let {credential.name} in: {_how(refusal)}")
    return with_a_shell(context, hop, transport)


def with_a_shell(context: Context, hop: Hop, transport: Transport) -> Account | NotIn:
    """The account that *transport* is logged in to, if a shell answers there."""
    account = Account(hop, transport)
    answer = account.run(":", min(_FIRST_WORD, _left(context)))
    if answer.problem:
        return NotIn(f"{hop.username}@{hop.address} is logged in, but {answer.problem}")
    return account


def _left(context: Context) -> float:
    return max(0.1, context.remaining() - _MARGIN)


def _within_manners(context: Context, hop: Hop, known_as: str, credential: Credential) -> None:
    """Ask the run's manners for one login and one connection, before anything is opened. Raises BudgetSpent."""
    context.budget.login(known_as, credential.name)
    if isinstance(credential.offer, Secret):
        context.budget.password(f"ssh {hop.address}")
    context.budget.bare_connection(hop.name)


def _connected(context: Context, hop: Hop, address: Address) -> Stream | str:
    addresses: tuple[str, ...] = (address.host,)
    if not is_literal(address.host):
        found = SystemLookup(address.host, hop.address_family).wait(_left(context), context.cancelled)
        if not isinstance(found, Resolved):
            return f"{address.host} was not resolved: {found or 'no answer in time'}"
        addresses = found.addresses
    result = connect_first(addresses, address.port, _left(context), cancelled=context.cancelled)
    if isinstance(result, ConnectFailure):
        return f"{address} was not reached: {'; '.join(map(str, result.attempts)) or 'no time was left'}"
    return context.closing(result.socket)


def _through(context: Context, address: Address, session: Transport) -> Stream | str:
    result = session.open(address, _left(context))
    if isinstance(result, OpenFailure):
        said = "no answer in time" if result.timed_out else result.text or f"reason {result.code}"
        return f"{address} was not reached through the hop in front of it: {said}"
    return context.closing(result)


def _verified(context: Context, address: Address, stream: Stream, pins: Pins) -> Transport | str:
    """Key exchange, then the same judgement of the host key as for the tunnel's own hops."""
    made = Transport.handshake(stream, timeout=_left(context), preferred_host_key_types=pins.key_types())
    if isinstance(made, HandshakeFailure):
        return f"{address} did not complete the SSH handshake: {made.stage} after {made.seconds:.1f} s"
    transport = context.closing(made)
    judgement = judge(pins, transport.host_key)
    if judgement.trusted:
        return transport
    transport.close()
    return f"the host key of {address}, {judgement.presented}, is not trusted ({judgement.trust}): nothing was sent"


def _authenticated(context: Context, username: str, transport: Transport, credential: Credential) -> Refusal | None:
    """Sign or send once; for a password the server is asked first which of the two ways it takes."""
    if not isinstance(credential.offer, Secret):
        return transport.authenticate(username, credential.offer, _left(context))
    asked = transport.ask_methods(username, _left(context))
    method = password_method(asked.methods) if asked else None
    if method is None:
        return asked
    return transport.authenticate(username, credential.offer, _left(context), method=method)


def _how(refusal: Refusal) -> str:
    offered = f", it takes {', '.join(refusal.methods)}" if refusal.methods else ""
    said = f" ({visible(refusal.text, _SHOWN)})" if refusal.text else ""
    return f"{refusal.kind}{said}{offered}"


def _no_session(failure: OpenFailure) -> str:
    if failure.timed_out:
        return "the server did not answer when it was asked for a session"
    return f"the server opens no session for it: {visible(failure.text or f'reason {failure.code}', _SHOWN)}"


def _no_shell(ran: Ran) -> str:
    """Why the mark did not come back. nologin(8), false(1), sshd's own words (session.c), bash -r, whatever else."""
    said = visible((ran.stdout + ran.stderr).strip(), _SHOWN)
    if ran.started is False:
        return "the server runs no commands for it"
    if ran.timed_out:
        return "no shell answered in time" + (f"; it said: {said}" if said else "")
    if "not available" in said or "nologin" in said:
        return f"its shell lets nobody in (nologin): {said}"
    if not said:
        return f"its shell ended without a word, exit status {ran.exit_status}, as /bin/false does"
    if ran.exit_status in (126, 127) or "restricted" in said:
        return f"its shell does not run sh: {said}"
    return f"another command runs there whatever is asked for (ForceCommand, or command= of the key): {said}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
