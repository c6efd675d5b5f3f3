"""What else the server would forward to: trials that hurt nobody, after a destination was prohibited."""

from __future__ import annotations

from collections.abc import Iterator

from tunneldoctor.model import Address, Check, Context, Layer, Outcome, Ruling, Where, rules_out
from tunneldoctor_checks.facts import FORWARD_REFUSED, SESSION, TARGET

#: Seconds for each trial at most.
_EACH = 3.0
#: What forbids a login any forward, in either direction.
_FORBIDDING = ("forward.key-restricted", "forward.certificate-restricted", "auth.password-change-required")
#: What sshd says of a listener that no rule forbids but the lists of permitted ones (channels.c).
_BY_LIST = "port forwarding refused"
#: sshd compares PermitOpen and permitopen letter by letter (channels.c, open_match): other spellings of one host.
_SPELLINGS = {"localhost": "127.0.0.1", "127.0.0.1": "localhost", "::1": "localhost"}


def run(context: Context) -> Outcome:
    """Ask for the bastion's own SSH port, for another spelling of the target, and for a listener stopped at once."""
    from tunneldoctor.ssh.forwarding import classify

    failure = context.need(FORWARD_REFUSED)
    if classify(failure) != "forward.prohibited":
        return Outcome(skipped="the destination was not prohibited")
    return Outcome(rulings=tuple(_other_destination(context)) or tuple(_listener(context)))


def _other_destination(context: Context) -> Iterator[Ruling]:
    target = context.want(TARGET)
    tried = [Address("127.0.0.1", context.hop.port)]
    if target:
        tried += [Address(host, target.port) for host in _other_spellings(target.host)]
    for address in tried:
        if address == target or not _allowed(context, address):
            continue
        because = f"the same login may forward to {address}: only some destinations are closed"
        for code in ("forward.disabled-in-sshd", *_FORBIDDING):
            yield rules_out(code, because)
        return


def _allowed(context: Context, address: Address) -> bool:
    """True where the server would connect, whether or not somebody listens there."""
    from tunneldoctor.ssh.forwarding import CONNECT_FAILED, OpenFailure, classify

    result = context.need(SESSION).open(address, max(0.1, min(_EACH, context.remaining() / 4)))
    if isinstance(result, OpenFailure):
        return result.code == CONNECT_FAILED and classify(result) != "forward.prohibited"
    result.close()
    return True


def _other_spellings(host: str) -> list[str]:
    lower = host.lower().rstrip(".")
    others = [lower, _SPELLINGS.get(lower, lower)]
    return [other for other in dict.fromkeys(others) if other != host]


def _listener(context: Context) -> Iterator[Ruling]:
    """What a listener granted proves (OpenSSH serverloop.c, server_input_global_request).

    The key may forward, and DisableForwarding is off. ``AllowTcpForwarding remote`` is still possible, unless sshd
    has announced the word ``permitopen``: that it does only where local forwarding is on (auth.c, auth_log_authopts).
    One refused proves nothing more, as sshd refuses with ``AllowTcpForwarding local`` as well as with ``no``; unless
    only PermitListen or permitlisten forbid it, which sshd says in words of their own (channels.c).
    """
    from tunneldoctor.ssh.debug import key_options

    session = context.need(SESSION)
    granted = session.may_listen(max(0.1, min(_EACH, context.remaining() / 4)))
    if not granted and _BY_LIST not in session.debug_messages:
        return
    for code in _FORBIDDING:
        yield rules_out(code, "the same login may have the bastion listen for it, which a restricted one may not")
    options = key_options(session.debug_messages)
    if options and options.limits_destinations:
        because = "sshd announces permitopen, which it does with local forwarding on, and lets us listen"
        yield rules_out("forward.disabled-in-sshd", because)


CHECK = Check(
    id="forward.trial",
    layer=Layer.FORWARD,
    title="what else the server would forward to was tried",
    where=Where.EACH_HOP,
    run=run,
    needs=(FORWARD_REFUSED, SESSION),
    wants=(TARGET,),
)
