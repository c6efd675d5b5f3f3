"""What ``tunneldoctor pin`` shows: keys, what is pinned, and how to confirm a fingerprint by another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tunneldoctor.cli.host_keys import Server
    from tunneldoctor.model import Step, Tunnel
    from tunneldoctor.ssh.pins import Judgement

#: The page whose steps tell how to read a fingerprint where the server itself is.
_PAGE = "hostkey.unknown"


def document(tunnel: Tunnel, found: Sequence[Server]) -> str:
    """All servers, and the ways to confirm where something is still to be pinned."""
    from tunneldoctor.model import visible_lines

    lines = [line for server in found for line in _server(server)]
    if any(server.keys and not server.settled for server in found):
        lines += ["Confirm a fingerprint where the server is, not over this network:", *_ways(tunnel), ""]
    return visible_lines("\n".join(lines).rstrip("\n"))


def _server(server: Server) -> Iterator[str]:
    yield f"{server.hop}  {server.pins.looked_up}"
    if server.trouble:
        yield f"  {server.trouble}"
    for key in server.keys:
        yield f"  {key.key_type:<20} {key.presented}  {_state(server, key)}"
        for pin in key.pins if key.trust == "changed" else ():
            yield f"  {'':<20} {pin.fingerprint}  is pinned now ({pin.place})"
    if server.by_configuration:
        yield "  host_key in the configuration pins this server; known_hosts does not count"
    yield ""


def _state(server: Server, key: Judgement) -> str:
    if server.by_configuration:
        return "pinned by host_key" if key.trusted else "not the one that host_key pins"
    if key.trusted:
        return f"pinned without its port ({key.pins[0].place})" if key.without_port else f"pinned ({key.pins[0].place})"
    if key.trust == "changed":
        return "NOT THE PINNED ONE: --replace pins it instead"
    return f"REVOKED ({key.pins[0].place})" if key.trust == "revoked" else "not pinned"


def _ways(tunnel: Tunnel) -> Iterator[str]:
    from tunneldoctor.catalog import tunnel_values
    from tunneldoctor.catalog.fill import step
    from tunneldoctor.cli.checks import installed_catalog

    page = installed_catalog().find(_PAGE)
    values = tunnel_values(tunnel, "bastion", {})
    for each in page.remedy if page else ():
        if each.run_on != "here" and each.provider in (None, tunnel.provider or each.provider):
            filled: Step = step(each, values)
            yield f"  {f'{filled.provider}: ' if filled.provider else ''}{filled.text}"
            yield f"      {filled.command}"


def as_json(name: str, found: Sequence[Server], written: Sequence[tuple[Server, Judgement]], status: int) -> Any:
    """The document of ``--json``."""
    now = {(server.hop, key.presented) for server, key in written}
    return {
        "schema": "tunneldoctor.pin/1",
        "tunnel": name,
        "exit_code": status,
        "servers": [
            {
                "hop": server.hop,
                "name": server.pins.looked_up,
                "known_hosts": str(server.file) if server.file else None,
                "pinned_by_configuration": server.by_configuration,
                "trouble": server.trouble or None,
                "keys": [_key(server, key, (server.hop, key.presented) in now) for key in server.keys],
            }
            for server in found
        ],
    }


def _key(server: Server, key: Judgement, written: bool) -> dict[str, Any]:
    return {
        "type": key.key_type,
        "fingerprint": key.presented,
        "state": str(key.trust),
        "pins": [{"place": pin.place, "type": pin.key_type, "fingerprint": pin.fingerprint} for pin in key.pins],
        "line": server.pins.line(key),
        "written": written,
    }
