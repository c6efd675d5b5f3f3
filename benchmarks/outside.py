"""The whole program, interpreter and all, beside ``ssh -N -L`` and ``psql``; its memory; how soon ``--help`` is up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, median, spread
from benchmarks.scene import Scene, check_command, far, near, program
from fixtures.lab import client, postgres
from fixtures.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.lab.session import Lab

#: What must not be loaded to say what the options are.
HEAVY = ("paramiko", "dns", "textual", "rich", "cryptography", "OpenSSL", "psutil", "asyncio")
_ENDING = (
    "import sys, resource\nsys.argv = sys.argv[1:]\nfrom tunneldoctor.cli import main\ntry:\n    main()\nfinally:\n"
)
_MODULES = f"    print(len(sys.modules), *[n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr)\n"
#: The high-water mark of this program itself (proc(5)); rusage would count its parent's, from before the exec.
_MEMORY = "    print([l.split()[1] for l in open('/proc/self/status') if 'VmHWM' in l][0], file=sys.stderr)\n"


def measure(lab: Lab, pairs: int) -> list[Figure]:
    """Both distances, memory and start-up."""
    figures = []
    with far(lab) as scene:
        figures += _beside_by_hand(scene, pairs, "40 ms away", 1.35)
        figures.append(_memory(scene))
    with near(lab) as scene:
        figures += _beside_by_hand(scene, pairs, "on loopback", 2.3)
    return [*figures, *(figure for option in ("--help", "--version") for figure in _start_up(option, pairs))]


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _beside_by_hand(scene: Scene, pairs: int, where: str, bound: float) -> list[Figure]:
    own: list[float] = []
    hand: list[float] = []
    for number in range(pairs + 1):
        mine, theirs = _timed(lambda: _whole(scene)), _timed(_by_hand(scene))
        if number:  # the first is for the caches
            own.append(mine)
            hand.append(theirs)
    ratios = [mine / theirs for mine, theirs in zip(own, hand, strict=True)]
    detail = f"{median(own):.0f} ms beside {median(hand):.0f} ms by hand; {spread(ratios, 'x')}"
    return [Figure(f"whole program beside ssh and psql, {where}", median(ratios), "x", bound, detail)]


def _whole(scene: Scene) -> None:
    command = check_command(scene, "--json")
    done = subprocess.run(command, env=scene.stage.env, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise OSError(done.stdout[-2000:] + done.stderr[-2000:])


def _by_hand(scene: Scene) -> Callable[[], None]:
    """``ssh -f`` returns once the forward stands; it is ended by its control socket, outside the clock."""
    stage, port = scene.stage, free_port()
    control = stage.folder / f"control-{port}"
    options = [f"UserKnownHostsFile={stage.folder}/known_hosts", "ExitOnForwardFailure=yes", "BatchMode=yes"]
    who = f"{stage.words['user']}@127.0.0.1"
    ssh = [
        "ssh",
        "-F",
        "none",
        "-p",
        str(scene.port),
        "-i",
        str(stage.words["private_key"]),
        "-o",
        "IdentitiesOnly=yes",
    ]
    ssh += [word for option in options for word in ("-o", option)]
    forward = [*ssh, "-f", "-N", "-M", "-S", str(control), "-L", f"{port}:db.internal:{stage.words['db_port']}", who]
    words = f"host=db.internal hostaddr=127.0.0.1 port={port} user=app dbname=orders sslmode=verify-full"
    psql = ["psql", "-X", "-w", f"{words} sslrootcert={stage.folder}/ca.pem", "-tc", "select 1"]

    def work() -> None:
        env = {**stage.env, "PGPASSWORD": postgres.PASSWORD}
        subprocess.run(forward, env=env, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
        subprocess.run(psql, env=env, check=True, capture_output=True, timeout=30)
        subprocess.Popen(["ssh", "-F", "none", "-S", str(control), "-O", "exit", who], stderr=subprocess.DEVNULL)

    return work


def _wrapped(script: str, argv: Sequence[str], env: dict[str, str]) -> list[str]:
    """Run the program with something to say at its end; the last line of its standard error, in words."""
    command = [sys.executable, "-c", _ENDING + script, *argv]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr.splitlines()[-1].split()


def _memory(scene: Scene) -> Figure:
    argv = ["tunneldoctor", "check", client.TUNNEL, "--config", str(scene.stage.config), "--json"]
    (kilobytes,) = _wrapped(_MEMORY, argv, scene.stage.env)
    return Figure("peak memory of a check", int(kilobytes) / 1024, "MiB", 120)


def _start_up(option: str, runs: int) -> list[Figure]:
    def run() -> None:
        subprocess.run([*program(), option], check=True, capture_output=True, timeout=30)

    run()
    taken = [_timed(run) for _ in range(max(runs, 5))]
    modules, *heavy = _wrapped(_MODULES, ["tunneldoctor", option], dict(os.environ))
    return [
        Figure(f"tunneldoctor {option}", median(taken), "ms", 120, spread(taken)),
        Figure(f"heavy libraries that {option} loads", len(heavy), "", 0, f"{' '.join(heavy)} {modules} modules"),
    ]
