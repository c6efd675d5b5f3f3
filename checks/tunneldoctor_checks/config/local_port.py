"""The tunnel's own end can listen where it is to."""

from __future__ import annotations

import errno
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Severity, Tunnel, Where, found

if TYPE_CHECKING:
    from tunneldoctor_checks.config._holder import Holder


def run(context: Context) -> Outcome:
    """Listen there for a moment, as the client would; nothing is accepted."""
    tunnel = context.tunnel
    try:
        _listen(tunnel.local_address, tunnel.local_port)
    except OSError as error:
        return _told(tunnel, error)
    return _beside(tunnel) if _may_be_called_localhost(tunnel) else Outcome()


def _may_be_called_localhost(tunnel: Tunnel) -> bool:
    """The client's own URL says localhost, which is ::1 first (RFC 6724), and the tunnel is at 127.0.0.1."""
    database = tunnel.database
    named = database is not None and database.host.lower().removesuffix(".") == "localhost"
    return named and tunnel.local_address == "127.0.0.1" and tunnel.local_port != 0


def _beside(tunnel: Tunnel) -> Outcome:
    """Somebody else at [::1] with the same port gets what is meant for the tunnel."""
    try:
        _listen("::1", tunnel.local_port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            found = _told(replace(tunnel, local_address="::1"), error).findings
            return Outcome(tuple(replace(each, severity=each.severity or Severity.WARNING) for each in found))
    return Outcome()


def _listen(address: str, port: int) -> None:
    ((family, kind, protocol, _, place), *_) = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
    )
    with socket.socket(family, kind, protocol) as listener:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # as ssh does for a LocalForward: what is left of old connections does not count
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(1)


def _told(tunnel: Tunnel, error: OSError) -> Outcome:
    seen = Evidence("errno", f"{error.strerror or error} ({errno.errorcode.get(error.errno or 0, 'resolver')})")
    params: dict[str, str | int] = {"local_address": tunnel.local_address, "port": tunnel.local_port}
    if error.errno == errno.EADDRINUSE:
        from tunneldoctor_checks.config._holder import find_holder

        return _in_use(find_holder(tunnel), params, seen)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return found(Finding("config.local-port-privileged", params, (seen,)))
    if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT} or isinstance(error, socket.gaierror):
        return found(Finding("config.local-address-unavailable", params, (seen,)))
    return Outcome(unknown=f"listening on the local port failed: {error.strerror or error}")


def _in_use(holder: Holder, params: dict[str, str | int], seen: Evidence) -> Outcome:
    evidence = (seen, Evidence("message", holder.text))
    severity = Severity.INFO if holder.is_this_tunnel else None
    return found(Finding("config.local-port-in-use", params | {"holder": holder.text}, evidence, severity))


CHECK = Check(
    id="config.local-port",
    layer=Layer.CONFIG,
    title="the tunnel's local port is free",
    where=Where.HERE,
    codes=(
        "config.local-address-unavailable",
        "config.local-port-in-use",
        "config.local-port-privileged",
    ),
    run=run,
)
