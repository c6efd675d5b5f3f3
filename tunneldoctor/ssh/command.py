"""One command on an SSH server: a ``session`` channel, an ``exec`` request, what came back, all of it bounded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.ssh.paramiko_overrides import request

if TYPE_CHECKING:
    from paramiko import Channel

#: Bytes of each of the two outputs that are kept.
LARGEST_OUTPUT = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to.

    ``started`` is False where the server did not take the request, None without an answer to it. ``exit_status`` is
    None where the command was killed or did not end. ``truncated``: there was more output than is kept. ``timed_out``:
    it had not ended in time; what had come by then is there.
    """

    started: bool | None
    stdout: bytes = b""
    stderr: bytes = b""
    exit_status: int | None = None
    truncated: bool = False
    timed_out: bool = False


def run_command(channel: Channel, command: str, text: bytes, deadline: float) -> Ran:
    """Run *command* with *text* on its standard input, until *deadline* (monotonic). Closes *channel*.

    Raises nothing for what the server does.
    """
    try:
        started = request(channel, "exec", command, timeout=_left(deadline))
        return _read(channel, text, deadline) if started else Ran(started, timed_out=started is None)
    finally:
        channel.close()


def _read(channel: Channel, text: bytes, deadline: float) -> Ran:
    timed_out = not _written(channel, text, deadline)
    stdout = b""
    while not timed_out and len(stdout) <= LARGEST_OUTPUT:
        channel.settimeout(_left(deadline))
        try:
            piece = channel.recv(_PIECE)
        except TimeoutError:
            timed_out = True
            break
        if not piece:
            break
        stdout += piece
    cut = len(stdout) > LARGEST_OUTPUT
    stderr = _waiting_errors(channel)
    if not timed_out and not cut:
        timed_out = not channel.status_event.wait(_left(deadline))
    status = channel.exit_status if channel.exit_status >= 0 else None
    cut = cut or len(stderr) > LARGEST_OUTPUT
    return Ran(True, stdout[:LARGEST_OUTPUT], stderr[:LARGEST_OUTPUT], status, cut, timed_out)


def _written(channel: Channel, text: bytes, deadline: float) -> bool:
    """False where the command does not take its input in time; one that has ended without reading it is no matter."""
    channel.settimeout(_left(deadline))
    try:
        channel.sendall(text)
        channel.shutdown_write()
    except TimeoutError:
        return False
    except OSError:
        pass  # what it said before it ended is still to be read
    return True


def _waiting_errors(channel: Channel) -> bytes:
    """What has come on standard error: all of it, once standard output has ended (RFC 4254 §5.3, one EOF for both)."""
    stderr = b""
    while channel.recv_stderr_ready() and len(stderr) <= LARGEST_OUTPUT:
        stderr += channel.recv_stderr(_PIECE)
    return stderr


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
