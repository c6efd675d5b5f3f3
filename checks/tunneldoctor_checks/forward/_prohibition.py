"""What a session already knows about the causes of a prohibited destination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Ruling, confirms, rules_out

if TYPE_CHECKING:
    from tunneldoctor.ssh.debug import KeyOptions
    from tunneldoctor.ssh.transport import OpenFailure, Transport

_OF_CERTIFICATES: tuple[str, ...] = ("forward.certificate-restricted", "key.certificate-no-port-forwarding")
_RESTRICTED: tuple[str, ...] = ("forward.key-restricted", *_OF_CERTIFICATES)
_OF_KEYS = (*_RESTRICTED, "forward.key-permitopen")
_CHANGE = "auth.password-change-required"
#: Rules of the server for everybody, or for a user.
_OF_SERVERS = ("forward.disabled-in-sshd", "forward.permit-open")


def prohibition_rulings(session: Transport, failure: OpenFailure, faults: Iterable[Ruling] = ()) -> Iterator[Ruling]:
    """Rulings on the causes of ``forward.prohibited``: by what let us in, by what sshd announced then, by the words.

    *faults* are those of the certificate, which count where it is what let us in.
    """
    from tunneldoctor.ssh.debug import key_options

    yield from _by_credential(session.login_algorithm, session.software)
    if "-cert-v01@" in session.login_algorithm:
        yield from (fault for fault in faults if fault.code in _OF_CERTIFICATES)
    options = key_options(session.debug_messages)
    if options and session.login_algorithm:
        yield from _by_options(options)
    yield from _by_words(session.software, failure.text)


def _by_credential(algorithm: str, software: str) -> Iterator[Ruling]:
    """A password that must be changed forbids every forward; sshd without PAM does not say so (auth-passwd.c)."""
    if algorithm or not software.startswith("OpenSSH"):
        yield rules_out(_CHANGE, "nothing was said of a password that must be changed")
    if not algorithm:
        yield from _out(_OF_KEYS, "no key was used")
    elif "-cert-v01@" in algorithm:
        yield rules_out("forward.key-restricted", "the certificate was accepted, the plain key was not used")
    else:
        yield from _out(_OF_CERTIFICATES, "the plain key was accepted, no certificate was used")


def _out(codes: Iterable[str], because: str) -> Iterator[Ruling]:
    return (rules_out(code, because) for code in codes)


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
    yield from _out(_RESTRICTED, f"port-forwarding is granted; {said}")
    if not options.limits_destinations:  # with it the destination may still be listed, and closed by sshd's own rules
        yield rules_out("forward.key-permitopen", f"no permitopen; {said}")


def _by_words(software: str, text: str) -> Iterator[Ruling]:
    """Sources: dropbear svr-tcpfwd.c and svr-authpubkeyoptions.c; asyncssh connection.py; gliderlabs/ssh tcpip.go."""
    if software.startswith("dropbear"):
        yield from _out((*_OF_CERTIFICATES, "forward.permit-open"), "dropbear knows no PermitOpen and no certificates")
    elif software.startswith("AsyncSSH"):
        yield from _by_asyncssh(text)
    elif text == "port forwarding is disabled":
        yield from _out(_OF_KEYS, "the server's words are about its own rules, not about the key")


def _by_asyncssh(text: str) -> Iterator[Ruling]:
    """It looks at the key's options first, in words of its own, then asks the program that it is part of."""
    if text.startswith("Port forwarding not permitted to "):
        yield confirms("forward.key-permitopen", f"the server says: {text}")
        return
    if text == "Port forwarding not permitted":
        yield from _out((*_OF_SERVERS, "forward.key-permitopen"), "asyncssh says so of a restricted key only")
    else:
        yield from _out(_OF_KEYS, "asyncssh would have said so in words of its own")
