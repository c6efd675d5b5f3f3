"""A tunnel by hand: the real ``ssh -N -L``, the real client through it, and what they say."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.commands import Commands

if TYPE_CHECKING:
    from fixtures.lab.stage import Stage

#: Seconds that a person waits beyond the tunnel's own time-out before giving up on something that says nothing.
PATIENCE = 2.0

#: Lines that stand beside what is wrong and say nothing of it: a frame, psql's guesses, ssh's summing up.
_BESIDE = re.compile(
    r"@+$|This probably means|before or while processing|Is the server running|connection to server was lost"
    r"|Pseudo-terminal|Someone could be eavesdropping|It is also possible|IT IS POSSIBLE"
)
#: What differs between two runs of the same: addresses, paths, fingerprints, numbers but those of MySQL's errors.
_PASSING = re.compile(
    r"SHA256:[\w+/]+|\[?[0-9a-f]*(?::[0-9a-f]*){2,}\]?|(?:\d+\.){3}\d+|(?<!\w)~?/[^\s\"':]+|(?<!ERROR )(?<!\d)\d+", re.I
)
#: The lab's accounts, by the stage's words for them, and what they are called here.
_ACCOUNTS = {"user": "tunnel", "jump_user": "jump", "jump2_user": "jump2"}
_NAME = re.compile(r"[^\s/:@?&=,\[\]]{2,}")


@dataclass(frozen=True, slots=True)
class Heard:
    """What ``ssh`` and the database's client said, line by line; whether it works; the seconds that it took.

    ``general`` is the same text without the names, addresses, paths and numbers of this one tunnel: what a reader who
    has seen every fault before could know it by.
    """

    lines: tuple[str, ...]
    general: str
    works: bool
    seconds: float

    @property
    def shown(self) -> str:
        """The first and the last line that say something."""
        telling = [line for line in self.lines if not _BESIDE.match(line)]
        return " / ".join(dict.fromkeys([*telling[:1], *telling[-1:]]))


def by_hand(stage: Stage) -> Heard:
    """Go through the staged tunnel once. Nothing that was started is left."""
    commands, start = Commands(stage), time.monotonic()
    log = stage.folder / "by-hand.log"
    with log.open("wb") as standard_error:
        ssh = subprocess.Popen(
            stage.client.command(commands.ssh()), env=commands.env, cwd=stage.folder, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=standard_error,
        )  # fmt: skip
        try:
            works, said = _through(stage, commands) if _stands(ssh, commands.seconds + PATIENCE) else (False, "")
        finally:
            _end(ssh)
    text = f"{log.read_text(errors='replace')}\n{said}".replace(str(stage.folder), "~")
    for word, name in _ACCOUNTS.items():
        text = text.replace(str(stage.words.get(word, name)), name)
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    return Heard(lines, _general(lines, stage, commands), works, time.monotonic() - start)


def _stands(ssh: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the forward stands: ssh runs its LocalCommand then, whose word we wait for."""
    assert ssh.stdout is not None
    readable, _, _ = select.select([ssh.stdout], [], [], seconds)
    return bool(readable) and bool(ssh.stdout.readline())


def _through(stage: Stage, commands: Commands) -> tuple[bool, str]:
    """The database's client through the tunnel: whether it got in, and what it said."""
    try:
        done = subprocess.run(
            stage.client.command(commands.database()), env=commands.env, cwd=stage.folder, text=True, check=False,
            capture_output=True, timeout=commands.seconds + commands.idle + PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, ""
    return done.returncode == 0, done.stderr + (done.stdout if done.returncode else "")


def _end(ssh: subprocess.Popen[bytes]) -> None:
    """End it and the ssh of each jump host, which are its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(ssh.pid, signal.SIGKILL)
    ssh.wait(5)
    assert ssh.stdout is not None
    ssh.stdout.close()


def _general(lines: tuple[str, ...], stage: Stage, commands: Commands) -> str:
    settings = commands.settings
    hops = [hop if isinstance(hop, str) else str(hop.get("ssh_url")) for hop in settings.get("via", ())]
    urls = [*hops, *(str(settings.get(key, "")) for key in ("ssh_url", "database"))]
    own = [url.partition("//")[2].partition("?")[0] for url in urls] + [str(settings.get("remote_bind", ""))]
    own += [*_ACCOUNTS.values(), *(str(stage.words.get(key, "")) for key in ("bastion", "bastion_host"))]
    names = sorted(_NAME.findall(" ".join(own)), key=len, reverse=True)
    known = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names))
    return "\n".join(_PASSING.sub("…", known.sub("…", line)) for line in dict.fromkeys(lines))
