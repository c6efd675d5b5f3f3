"""What an entry of ssh_config(5) asks for that is not done here, in words for ``config.ssh-config-unsupported``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunneldoctor.config.ssh_lookup import Options, value
from tunneldoctor.model import Severity, visible

# ssh -W as the older way of saying ProxyJump.
_PROXY_W = re.compile(
    r"(?:exec\s+)?(?:\S*/)?ssh\s+(?:-[qxTaA]+\s+)*(?:-W\s*\[?%h\]?:%p\s+(?P<a>[\w.@:-]+)|(?P<b>[\w.@:-]+)\s+-W\s*\[?%h\]?:%p)"
)
_ON, _OFF = {"yes", "true", "ask"}, {"no", "false", "off"}


@dataclass(frozen=True, slots=True)
class Unsupported:
    """One option, why it is not followed, and how much that matters (None: without it there is no way)."""

    option: str
    reason: str
    severity: Severity | None = None


#: Keyword, how it is written, and what its use here would be. They may make ssh fare otherwise than told here.
_OTHERWISE = (
    ("bindaddress", "BindAddress", "connections leave from the address that the system chooses, not from this one"),
    ("bindinterface", "BindInterface", "connections leave by the interface that the system chooses, not by this one"),
    ("knownhostscommand", "KnownHostsCommand", "its program is not run here: pin the host's key in known_hosts"),
)


def jump_of(command: str) -> str | None:
    """The jump host that a ProxyCommand of ``ssh -W`` goes through, or None for any other program."""
    match = _PROXY_W.fullmatch(command)
    return (match["a"] or match["b"]) if match else None


def unsupported(options: Options, *, has_identity: bool) -> Iterator[Unsupported]:
    """All of it in *options*. *has_identity*: there is a key to log in with."""
    command = value(options, "proxycommand")
    if command and not jump_of(command):
        program = visible(command.split()[0], 60)
        reason = f"the way to this host is a program ({program}), which is not run here; a ProxyJump is followed"
        yield Unsupported("ProxyCommand", reason)
    if value(options, "pkcs11provider"):
        reason = "a key on a smart card or token is not used here; give private_key"
        yield Unsupported("PKCS11Provider", reason, Severity.WARNING if has_identity else None)
    for keyword, shown, reason in _OTHERWISE:
        if value(options, keyword):
            yield Unsupported(shown, reason, Severity.WARNING)
    yield from _of_host_keys(options)
    yield from _of_methods(options)


def _of_host_keys(options: Options) -> Iterator[Unsupported]:
    """They matter where the host's key is unknown or revoked, which nobody can see from here: told, not counted."""
    if value(options, "stricthostkeychecking") in {*_OFF, "accept-new"}:
        reason = "a host whose key is not known is refused here, whatever it says"
        yield Unsupported("StrictHostKeyChecking", reason, Severity.INFO)
    if value(options, "nohostauthenticationforlocalhost") in _ON:
        reason = "the key of a host on loopback is looked at all the same"
        yield Unsupported("NoHostAuthenticationForLocalhost", reason, Severity.INFO)
    if value(options, "verifyhostkeydns") in _ON:
        yield Unsupported("VerifyHostKeyDNS", "SSHFP records are not looked up here", Severity.INFO)
    if value(options, "revokedhostkeys"):
        reason = "the list is not read here; @revoked lines of known_hosts are"
        yield Unsupported("RevokedHostKeys", reason, Severity.INFO)


def _of_methods(options: Options) -> Iterator[Unsupported]:
    methods = set(filter(None, (value(options, "preferredauthentications") or "").split(",")))
    offered = methods or {"publickey", "password"}
    if value(options, "pubkeyauthentication") in _OFF:
        offered -= {"publickey"}
    if value(options, "passwordauthentication") in _OFF:
        offered -= {"password"}
    if not offered & {"publickey", "password", "keyboard-interactive"}:
        option = "PreferredAuthentications" if methods else "PubkeyAuthentication"
        yield Unsupported(option, "only logins by key and by password are tried here, and the entry allows neither")
    elif value(options, "hostbasedauthentication") in _ON:
        reason = "logins by the client machine's own key are not tried here"
        yield Unsupported("HostbasedAuthentication", reason, Severity.INFO)
