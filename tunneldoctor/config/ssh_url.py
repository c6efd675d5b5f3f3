"""``ssh://user@host:port``, read so that what is wrong in it can be named."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.text import port_number, split_port
from tunneldoctor.model import visible

_FORM = "ssh://user@host:22"


@dataclass(frozen=True, slots=True)
class SshUrl:
    """What the URL says; None for what it leaves out. Whether ``host`` can be one is for the caller to see."""

    host: str
    port: int | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse(text: str) -> SshUrl:
    """Read *text*. Raises BadUrl, whose words never hold what may be a password."""
    authority = _authority(_after_scheme(text))
    userinfo, at, place = authority.rpartition("@")
    if "@" in userinfo:
        raise BadUrl("user", "there are two @ in it", _two_ats(userinfo, place))
    username, colon, password = userinfo.partition(":")
    host, port = _host_and_port(place, bare=not at)
    return SshUrl(
        host,
        port,
        decode(username, "user") or None,
        decode(password, "password") if colon else None,
    )


def _after_scheme(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() == "ssh":
        return rest
    if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,30}", scheme):
        raise BadUrl("scheme", f"it starts with {scheme}://, not with ssh://", _FORM)
    raise BadUrl("scheme", "it does not start with ssh://", _FORM)


def _authority(rest: str) -> str:
    authority, slash, path = _cut(rest)
    if not slash or not path:
        if not authority:
            raise BadUrl("host", "there is no host in it", _FORM)
        return authority
    if "@" in path:
        raise BadUrl("password", "there is a /, ? or # before the @", "write / as %2F, ? as %3F and # as %23")
    raise BadUrl("path", f"something follows the host after {slash!r}", f"end it after the port: {_FORM}")


def _cut(rest: str) -> tuple[str, str, str]:
    match = re.search(r"[/?#]", rest)
    return (rest[: match.start()], match[0], rest[match.end() :]) if match else (rest, "", "")


def _two_ats(userinfo: str, place: str) -> str:
    # Without a colon there is no password in it, so the URL can be shown as it should be.
    if ":" not in userinfo:
        return f"write the @ that belongs to the user name as %40: ssh://{userinfo.replace('@', '%40')}@{place}"
    return "write each @ that belongs to the user name or the password as %40"


def _host_and_port(place: str, *, bare: bool) -> tuple[str, int | None]:
    try:
        host, written = split_port(place)
    except ValueError:
        raise BadUrl("host", "its brackets do not hold an IPv6 address", "ssh://user@[2001:db8::5]:22") from None
    if not host:
        raise BadUrl("host", "there is no host in it", _FORM)
    if ":" in (written or ""):
        raise BadUrl("host", "there are several colons after the user", "put an IPv6 address in brackets")
    # The % before the interface of a link-local address is written %25 in a URL (RFC 6874).
    return host.replace("%25", "%") if ":" in host else host, _port(written, bare=bare)


def _port(written: str | None, *, bare: bool) -> int | None:
    if written is None:
        return None
    port = port_number(written)
    if port is None:
        # "ssh://tunnel:hunter2" has no @: what stands where the port belongs may be a password.
        shown = written if written.isdigit() or not bare else "what stands there"
        raise BadUrl("port", f"{visible(shown, 20)} is not a port", "write a number from 1 to 65535, 22 as a rule")
    return port


def decode(text: str, part: str) -> str:
    """Undo percent-encoding (RFC 3986 §2.1). Raises BadUrl where a ``%`` does not start a code."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise BadUrl(part, "a % in it is not followed by two hexadecimal digits", "write a % that is meant as %25")
    try:
        return unquote_to_bytes(text).decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise BadUrl(part, "a percent-encoded character in it is not UTF-8", "encode it as UTF-8") from None
