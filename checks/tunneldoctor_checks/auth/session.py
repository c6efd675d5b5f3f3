"""The server keeps the session that it has just granted: a look beside the way, which delays nothing."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Value, Where, found
from tunneldoctor_checks.facts import SESSION

#: Seconds kept back of the deadline, and those that an answer is waited for at most: some servers never give one.
_MARGIN, _LONGEST = 0.2, 3.0


def run(context: Context) -> Outcome:
    """Ask the server something that needs no understanding, and see whether it is still there to answer."""
    session = context.need(SESSION)
    seconds = session.round_trip(min(_LONGEST, context.remaining() - _MARGIN))
    if seconds is not None:
        return Outcome(measured=_latency(context, seconds))
    if session.is_active or context.cancelled.is_set():
        return Outcome()  # a server that answers no such question may still forward
    evidence = [Evidence("timing", f"the server ended the connection: {session.end or 'without a word'}")]
    if session.disconnect:
        evidence.append(Evidence("message", f"disconnect {session.disconnect[0]}: {session.disconnect[1]}"))
    evidence += [Evidence("message", f"the server's login banner: {text.strip()}") for text in session.auth_banners[:5]]
    params = {"username": context.hop.username, "how": "accepted the login and hung up right after it"}
    return found(Finding("auth.closed-after-login", params, tuple(evidence)))


def _latency(context: Context, seconds: float) -> dict[str, Value]:
    """The time of one SSH round trip. A first hop has that of its TCP connect too; behind it there is only this."""
    hop, measured = context.hop.name, round(seconds * 1000, 1)
    further = hop != context.tunnel.hops[0].name
    seen: dict[str, Value] = {f"{hop}.ssh_latency_ms": measured}
    return seen | {f"{hop}.latency_ms": measured} if further else seen


CHECK = Check(
    id="auth.session",
    layer=Layer.AUTH,
    title="the server keeps the session after the login",
    where=Where.EACH_HOP,
    run=run,
    needs=(SESSION,),
    codes=("auth.closed-after-login",),
)
