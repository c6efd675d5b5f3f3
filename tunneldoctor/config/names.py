"""Hosts and users as written, with what is wrong in them noted."""

from tunneldoctor.config.settings import Draft
from tunneldoctor.config.text import Cleaned, clean, host_fault
from tunneldoctor.model import Origin, Severity, visible


def read_host(written: str, hop: str, key: str, origin: Origin, draft: Draft, code: str) -> str | None:
    """The host that *written* names, or None where it can't be one; what is wrong is noted under *code*."""
    cleaned = clean(written)
    host = cleaned.text
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not _is_url(host):
        note_invisible(cleaned, "host", hop, key, origin, draft)
        if " " in host or not host:
            return None
    if fault := host_fault(host):
        draft.problem(code, hop, key, origin, part="host", **_advice(host, fault, key))
        return None
    return host


def _is_url(host: str) -> bool:
    """True where *host* is more than a host, so that a password may be in it."""
    return "@" in host or "://" in host


def read_username(written: str, hop: str, key: str, origin: Origin, draft: Draft) -> str | None:
    """The user that *written* names, or None for nobody. Databases have users of several words, systems have none."""
    cleaned = clean(written)
    if key == "database" and cleaned.text == written:
        return written or None
    note_invisible(cleaned, "user name", hop, key, origin, draft, blank_inside_breaks=False)
    return cleaned.text or None


def note_invisible(
    cleaned: Cleaned,
    what: str,
    hop: str,
    key: str,
    origin: Origin,
    draft: Draft,
    *,
    blank_inside_breaks: bool = True,
) -> None:
    """Note what was found in a name that can't be seen, if anything was."""
    only_blanks = cleaned.harmless or (not blank_inside_breaks and "U+0020 " in cleaned.found and " " in cleaned.text)
    if cleaned.found:
        severity = Severity.WARNING if only_blanks else None
        draft.problem(
            "config.invisible-characters",
            hop,
            key,
            origin,
            severity,
            what=what,
            characters=cleaned.found,
            name=visible(cleaned.text, 80),
        )


def _advice(host: str, fault: str, key: str) -> dict[str, str]:
    """What is wrong with *host*. It is shown only where no password can be in it."""
    if "://" in host:
        return {"reason": f"{key} holds a whole URL", "correction": "write the host alone, or the URL as ssh_url"}
    if "@" in host:
        return {"reason": f"{key} has an @ in it", "correction": "write the host alone, and the user in its own key"}
    name, colon, port = host.partition(":")
    if colon and port.isdigit():
        return {"reason": f"{key} has a port in it", "correction": f"write {name}, and {port} in its own key"}
    shown = visible(host, 80)
    return {"reason": f"'{shown}' can't be a host: {fault}", "correction": "write a host name or an IP address"}
