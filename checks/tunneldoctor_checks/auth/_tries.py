"""The tries of one login so far, and what the way in which each ended is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from tunneldoctor.ssh.transport import Refusal

CODES = (
    "auth.publickey-refused",
    "auth.publickey-not-offered",
    "auth.second-factor-required",
    "auth.too-many-attempts",
    "auth.password-refused",
    "auth.password-not-offered",
    "auth.password-change-required",
    "auth.agent-refused",
    "auth.closed-after-login",
    "auth.stalled",
    "auth.password-authentication-enabled",
    "auth.unclassified",
)
#: How a try ends other than by a plain refusal, and what that is called.
_ENDED = {
    "partial": "auth.second-factor-required",
    "prompts": "auth.second-factor-required",
    "password-change": "auth.password-change-required",
    "agent": "auth.agent-refused",
    "stalled": "auth.stalled",
    "closed": "auth.closed-after-login",
}
#: Where one of these ended a try, a key that may be the right one was not judged.
_UNTRIED = ("auth.too-many-attempts", "auth.agent-refused")


@dataclass(slots=True)
class Tries:
    """What was tried on a hop, and how each try ended; ``untried`` credentials were left, ``missing`` says why none
    was tried."""

    refused: list[tuple[str, Refusal]] = field(default_factory=list)
    untried: int = 0
    missing: str = "there is nothing to log in with that the server takes"

    @property
    def last(self) -> Refusal | None:
        """How the last try ended."""
        return self.refused[-1][1] if self.refused else None

    @property
    def methods(self) -> tuple[str, ...] | None:
        """What the server still offers; None before it has said so. It never hears of a key that did not sign."""
        answered = [each.methods for _, each in self.refused if each.kind != "agent"]
        return answered[-1] if answered else None

    @property
    def over(self) -> bool:
        """True where going on makes no sense: the connection is gone or does not answer."""
        return self.last is not None and self.last.kind in {"closed", "no-service", "stalled"}

    @property
    def asks_for_a_key_at_last(self) -> bool:
        """True where the password was right and keys are taken only now (``AuthenticationMethods password,publickey``).

        A key that was sent before was not looked at.
        """
        if self.last is None or not self.last.partial or "publickey" not in self.last.methods:
            return False
        return not any(code(each) == "auth.publickey-refused" for _, each in self.refused)

    def code(self, refusal: Refusal) -> str:
        """What *refusal* is called. A limit of tries is to blame only where it kept something from being tried."""
        return "auth.too-many-attempts" if refusal.too_many_tries and self.untried else code(refusal)

    def codes(self) -> list[str]:
        """One code for each way in which the tries ended; a first factor that was right is no fault of its own.

        Where a key was not judged, those that were say nothing: any of them may be somebody else's.
        """
        ended = [self.code(each) for _, each in self.refused[:-1] if not each.partial]
        codes = list(dict.fromkeys([*ended, self.code(self.refused[-1][1])]))
        return [each for each in codes if each in _UNTRIED][:1] or codes

    def evidence(self) -> Iterator[Evidence]:
        """Each try in a line, and what the server said at the end."""
        for name, refusal in self.refused:
            offered = f"; it still offers: {', '.join(refusal.methods)}" if refusal.methods else ""
            how = f" ({refusal.algorithm})" if refusal.algorithm else ""
            yield Evidence("message", f"{name}{how}: {refusal.kind} after {refusal.seconds:.3f} s{offered}")
            if refusal.text:
                yield Evidence("message", refusal.text)
        last = self.refused[-1][1]
        if last.disconnect:
            yield Evidence("message", f"the server disconnects, {last.disconnect[0]}: {last.disconnect[1]}")
        if last.end:
            yield Evidence("timing", f"the server ended the connection: {last.end}")
        for text in last.auth_banners[:5]:
            yield Evidence("message", f"the server's login banner: {text.strip()}")


def code(refusal: Refusal) -> str:
    """What *refusal* is called, taken by itself."""
    if not refusal.turned_down:
        return _ENDED.get(refusal.kind, "auth.unclassified")
    if refusal.method == "none":
        return "auth.password-not-offered"
    if refusal.method != "publickey":
        return "auth.password-refused"
    taken = refusal.too_many_tries or refusal.method in refusal.methods
    return "auth.publickey-refused" if taken else "auth.publickey-not-offered"
