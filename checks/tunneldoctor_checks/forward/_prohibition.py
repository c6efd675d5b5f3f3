"""What a session already knows about the causes of a prohibited destination."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Ruling, confirms, rules_out

if TYPE_CHECKING:
    from tunneldoctor.ssh.debug import KeyOptions
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.transport import Transport

_RESTRICTED = ("forward.key-restricted", "forward.certificate-restricted", "key.certificate-no-port-forwarding")


def prohibition_rulings(session: Transport, identities: tuple[Identity, ...]) -> Iterator[Ruling]:
    """Rulings on the causes of ``forward.prohibited``, from what sshd announced after the login of *session*."""
    from tunneldoctor.ssh.debug import key_options

    if not any(identity.certificate for identity in identities):
        for code in ("forward.certificate-restricted", "key.certificate-no-port-forwarding"):
            yield rules_out(code, "no certificate was used")
    options = key_options(session.debug_messages)
    if options:
        yield from _by_options(options)


def _by_options(options: KeyOptions) -> Iterator[Ruling]:
    """sshd announces the options of what let the login in (OpenSSH auth.c, auth_log_authopts)."""
    said = f"the server says: {options.text}"
    if not options.line_allows:
        code = "forward.key-restricted" if options.certificate is None else "forward.certificate-restricted"
        yield confirms(code, f"port-forwarding is missing; {said}")
    if not options.certificate_allows:
        yield confirms("key.certificate-no-port-forwarding", f"port-forwarding is missing; {said}")
    if not options.allows_forwarding:
        return
    for code in _RESTRICTED:
        yield rules_out(code, f"port-forwarding is granted; {said}")
    if not options.limits_destinations:  # with it the destination may still be listed, and closed by sshd's own rules
        yield rules_out("forward.key-permitopen", f"no permitopen; {said}")
