"""What sshd tells a client in debug messages once a login has succeeded.

sshd collects them while it judges credentials, also those it turned down before on the same connection, and sends them
right after the login. Sources: OpenSSH auth2-pubkeyfile.c and auth.c (``auth_debug_add``), session.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_OPTIONS = re.compile(r"^(?P<place>.*?): key options:(?P<words>.*)$")
_NOT_PERMITTED = re.compile(r"Your (?:host|address) '([^']+)' is not permitted")

#: Words of a debug message, and the cause of a refused login that they prove. Certificates: sshkey.c,
#: sshkey_cert_check_authority.
_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"bad ownership or modes", re.IGNORECASE), "auth.bad-permissions"),
    (re.compile(r"Your host '.*' is not permitted to use this key"), "auth.from-mismatch"),
    (re.compile(r"Your address '.*' is not permitted to use this certificate"), "auth.certificate-source-address"),
    (re.compile(r"entry expired at"), "auth.key-expired"),
    (re.compile(r"Certificate invalid: expired"), "key.certificate-expired"),
    (re.compile(r"Certificate invalid: not yet valid"), "key.certificate-not-yet-valid"),
    (re.compile(r"Certificate lacks principal list"), "key.certificate-no-principals"),
    (re.compile(r"name is not a listed principal"), "key.certificate-wrong-principal"),
    (re.compile(r"does not contain an authorized principal"), "auth.certificate-principal-not-authorized"),
    (re.compile(r"bad key options:"), "auth.key-not-authorized"),
)


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What let the login in, and what it grants.

    ``place`` is ``…/authorized_keys:1``, or ``cert`` where TrustedUserCAKeys vouched. ``line`` holds the words granted
    by the line, None where there is none; ``certificate`` those granted by the certificate, None for a plain key.
    """

    place: str
    line: frozenset[str] | None
    certificate: frozenset[str] | None
    text: str

    @property
    def allows_forwarding(self) -> bool:
        """True where neither ``restrict`` nor ``no-port-forwarding`` nor the certificate takes forwarding away."""
        return self.line_allows and self.certificate_allows

    @property
    def line_allows(self) -> bool:
        """False where the line in authorized_keys takes forwarding away."""
        return self.line is None or "port-forwarding" in self.line

    @property
    def certificate_allows(self) -> bool:
        """False where the certificate lacks ``permit-port-forwarding``."""
        return self.certificate is None or "port-forwarding" in self.certificate

    @property
    def limits_destinations(self) -> bool:
        """True where ``permitopen=`` names the allowed destinations."""
        return "permitopen" in (self.line or ()) or "permitopen" in (self.certificate or ())


def key_options(messages: Iterable[str]) -> KeyOptions | None:
    """The options in force for the login; None where the server announced none.

    The last message counts: earlier ones may be of keys that were turned down. For a certificate that a
    ``cert-authority`` line vouches for there are two of the same place: first the line's, then the certificate's.
    """
    found = [match for match in map(_OPTIONS.match, messages) if match]
    if not found:
        return None
    last, words = found[-1], frozenset(found[-1]["words"].split())
    if last["place"] == "cert":
        return KeyOptions("cert", None, words, last[0])
    if len(found) > 1 and found[-2]["place"] == last["place"]:
        line = found[-2]
        return KeyOptions(last["place"], frozenset(line["words"].split()), words, f"{line[0]}\n{last[0]}")
    return KeyOptions(last["place"], words, None, last[0])


def refusal_causes(messages: Iterable[str]) -> dict[str, str]:
    """The causes of refused credentials that *messages* prove: code and message."""
    causes: dict[str, str] = {}
    for text in messages:
        for words, code in _CAUSES:
            if words.search(text):
                causes.setdefault(code, text)
    return causes


def egress_address(messages: Iterable[str]) -> str | None:
    """Our address as the server sees it, where a message names it."""
    for text in messages:
        if match := _NOT_PERMITTED.search(text):
            return match[1][:64]
    return None
