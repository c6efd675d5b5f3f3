"""``tunneldoctor pin``: show the host keys of a tunnel's servers, and write down those that were confirmed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.completion import complete_tunnels
from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import TunnelCommand, config_option, json_option, take_overrides, tunnel_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.cli.host_keys import Server
    from tunneldoctor.ssh.pins import Judgement

    #: A key that was confirmed, on the server that shows it.
    Confirmed = tuple[Server, Judgement]

#: How often the question is asked until it is answered.
_QUESTIONS = 3
_CONFIRM = "confirm a fingerprint, and give it with --fingerprint"


@click.command("pin", cls=TunnelCommand, short_help="Show host keys, and pin those that you confirm.")
@click.argument("tunnel", required=False, shell_complete=complete_tunnels)
@config_option
@click.option("--hop", metavar="HOP", help="Only this server: via-1, via-2 ... or bastion. Default: each.")
@click.option("--fingerprint", "fingerprints", multiple=True, metavar="SHA256:...",
              help="Pin the key that has this fingerprint, unasked; may be given several times.")  # fmt: skip
@click.option("--replace", is_flag=True, help="Pin a key also in place of another that is pinned now.")
@json_option
@tunnel_options
def command(
    tunnel: str | None,
    config: str | None,
    hop: str | None,
    fingerprints: tuple[str, ...],
    replace: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Show the host keys of the servers of TUNNEL and pin those that you confirm in its first known_hosts file.

    Nobody is logged in to the first server; one behind a jump host is reached through a login there, as check does
    it, once the jump host's own key is pinned. Nothing is written unless you type yes or the fingerprint, or give it
    with --fingerprint and the server shows a key that has it; --json asks nothing. A revoked key is never pinned.

    Exit status: 0 the keys are pinned (now, or they were before), 1 nothing was written, because a key was not
    confirmed, is not shown, differs from the pinned one or is revoked; 2 the command line or the file can't be used,
    3 the keys could not be read.
    """
    from tunneldoctor.cli.host_keys import servers
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.cli.tunnels import chosen_tunnels

    wanted = _wanted(fingerprints)
    names = [tunnel] if tunnel else []
    chosen = chosen_tunnels(config, names, everything=False, overrides=take_overrides(options))[0]
    with Stop() as stop:
        found = servers(chosen, hop, stop)
    if not as_json:
        _show(chosen, found)
    try:
        confirmed = _by_fingerprint(found, wanted, replace) if wanted else _asked(found, replace, as_json)
        _write(confirmed)
    except Failure as error:
        if as_json:
            _show_json(chosen.name, found, (), error.exit_code)
        raise
    status = _status(found, confirmed, bool(wanted))
    if as_json:
        _show_json(chosen.name, found, confirmed, status)
    return status


def _wanted(fingerprints: Sequence[str]) -> list[str]:
    from tunneldoctor.config.fingerprints import read_fingerprint

    try:
        return [read_fingerprint(each).rstrip("=") for each in fingerprints]
    except ValueError as error:
        raise Failure(f"--fingerprint: {error}") from error


def _by_fingerprint(found: Sequence[Server], wanted: Sequence[str], replace: bool) -> list[Confirmed]:
    """The keys that have the fingerprints, all of them, or :class:`Failure`; those that are pinned left out."""
    confirmed: list[Confirmed] = []
    for each in wanted:
        shown = [(server, key) for server in found for key in server.keys if key.presented == each]
        if not shown:
            unread = [f"{server.hop}: {server.trouble}" for server in found if server.trouble]
            raise Failure("; ".join(unread) or f"no server shows a key with {each}; nothing was written",
                          exit_code=3 if unread else 1)  # fmt: skip
        confirmed += [(server, key) for server, key in shown if not _is_pinned(key)]
    for server, key in confirmed:
        if why := _objection(server, key, replace):
            raise Failure(f"{server.hop}: {why}; nothing was written", exit_code=1)
    return confirmed


def _is_pinned(key: Judgement) -> bool:
    return key.trusted and not key.without_port


def _objection(server: Server, key: Judgement, replace: bool) -> str:
    """Why *key* can't be pinned, or nothing."""
    if server.by_configuration:
        return (
            f"host_key in the configuration pins this server, and known_hosts does not count: put {key.presented} there"
        )
    if key.trust == "revoked":
        return f"{key.presented} is revoked ({key.pins[0].place}), and a revoked key is never pinned"
    if server.file is None:
        return f"known_hosts is no file to write to; the line for it is: {server.pins.line(key)}"
    if key.trust == "changed" and not replace:
        return f"another {key.key_type} key is pinned ({key.pins[0].place}); --replace puts this one in its place"
    return ""


def _asked(found: Sequence[Server], replace: bool, quietly: bool) -> list[Confirmed]:
    """The keys that the user confirms; on no terminal none."""
    confirmed: list[Confirmed] = []
    for server in found:
        open_ = [] if _is_suspect(server, replace) else [key for key in server.keys if not _is_pinned(key)]
        if open_ and not quietly and sys.stdin is not None and sys.stdin.isatty():
            confirmed += [(server, key) for key in _answer(server, open_)]
    return confirmed


def _is_suspect(server: Server, replace: bool) -> bool:
    """True where a key speaks against the whole server: none of the others is offered for a mere yes."""
    return any(not _is_pinned(key) and _objection(server, key, replace) for key in server.keys)


def _answer(server: Server, keys: Sequence[Judgement]) -> Sequence[Judgement]:
    """Asked as ssh asks: ``yes`` is for all keys that can be pinned, a fingerprint for one."""
    question = f"Pin {server.pins.looked_up} in {server.file}? Type yes, no, or the fingerprint that you were given"
    for _ in range(_QUESTIONS):
        answer = click.prompt(question, default="no", show_default=False, err=True).strip()
        if answer.lower() in ("yes", "no"):
            return keys if answer.lower() == "yes" else ()
        if matching := [key for key in keys if key.presented == answer.rstrip("=")]:
            return matching
        note(f"no key here has {answer}")
    return ()


def _write(confirmed: Sequence[Confirmed]) -> None:
    from tunneldoctor.ssh.pinning import CannotPin, KnownHostsFile

    for server in dict.fromkeys(server.hop for server, _ in confirmed):
        keys = [(each, key) for each, key in confirmed if each.hop == server]
        own, file = keys[0][0], keys[0][0].file
        assert file is not None
        old = [pin for _, key in keys if key.trust == "changed" for pin in key.pins]
        try:
            KnownHostsFile(file).pin([own.pins.line(key) for _, key in keys], old)
        except CannotPin as error:
            raise Failure(f"{error}; nothing was written", exit_code=1) from error
        for _, key in keys:
            note(f"pinned {key.key_type} {key.presented} for {own.pins.looked_up} in {file}")


def _status(found: Sequence[Server], confirmed: Sequence[Confirmed], by_fingerprint: bool) -> int:
    """What came of it; what is left to do is said on stderr."""
    if by_fingerprint:
        return 0
    done = {server.hop for server, _ in confirmed}
    left = [server for server in found if server.keys and not server.settled and server.hop not in done]
    for server in left:
        reasons = dict.fromkeys(_objection(server, key, False) for key in server.keys if not key.trusted)
        note(f"{server.hop}: nothing was written: {'; '.join(filter(None, reasons)) or _CONFIRM}")
    if any(server.trouble for server in found):
        return 3
    return 1 if left else 0


def _show(tunnel: Any, found: Sequence[Server]) -> None:
    from tunneldoctor.cli.console import Output
    from tunneldoctor.cli.pin_text import document

    with Output(None) as output:
        output.write(document(tunnel, found))


def _show_json(name: str, found: Sequence[Server], written: Sequence[Confirmed], status: int) -> None:
    import json

    from tunneldoctor.cli.console import Output
    from tunneldoctor.cli.pin_text import as_json

    with Output(None) as output:
        output.write(json.dumps(as_json(name, found, written, status), indent=2), machine=True)
