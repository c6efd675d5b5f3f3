"""What ssh_config says of one host, by ``ssh -G`` where there is an ssh, else by paramiko."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunneldoctor.config.settings import Surroundings
from tunneldoctor.config.ssh_config import SshConfigText
from tunneldoctor.model import visible

#: Seconds that ``ssh -G`` may take: ``Match exec`` and CanonicalizeHostname can make it wait.
PATIENCE = 5.0

#: Keywords in lower case with all their values.
Options = Mapping[str, tuple[str, ...]]


class LookupFailed(Exception):
    """ssh itself can't use its configuration, or did not answer; the text is its first line."""


def user_config(surroundings: Surroundings) -> Path:
    """The user's ssh_config."""
    return surroundings.home / ".ssh" / "config"


def lookup(host: str, surroundings: Surroundings, user: str | None = None, port: int | None = None) -> Options:
    """Every option for *host*, asked for with *user* and *port* where given. Raises LookupFailed."""
    ssh = shutil.which("ssh", path=surroundings.environ.get("PATH"))
    if ssh is None:
        return _by_paramiko(host, surroundings, user, port)
    command = [ssh, "-G", *_other_home(surroundings)]
    command += ["-l", user] if user else []
    command += ["-p", str(port)] if port else []
    return _options(_run([*command, "--", host], surroundings))


def _other_home(surroundings: Surroundings) -> list[str]:
    """ssh looks for its configuration in the home of the password database; ``$HOME`` may be another."""
    config = user_config(surroundings)
    return ["-F", str(config)] if config != _real_home() / ".ssh" / "config" and config.is_file() else []


def _real_home() -> Path:
    try:
        import pwd

        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):
        return Path.home()


def _run(command: list[str], surroundings: Surroundings) -> str:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(surroundings.environ),
        start_new_session=True,
    )
    with process:
        try:
            out, error = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _end(process)
            raise LookupFailed(f"ssh -G did not end within {PATIENCE:.0f} s") from None
    if process.returncode:
        lines = [line for line in error.decode(errors="replace").splitlines() if line.strip()]
        raise LookupFailed(visible(lines[0].strip(), 300) if lines else f"ssh -G ended with {process.returncode}")
    return out.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End ssh and what its ``Match exec`` has started: they are a session of their own."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _options(output: str) -> Options:
    options: dict[str, list[str]] = {}
    for line in output.splitlines():
        keyword, _, value = line.partition(" ")
        options.setdefault(keyword.lower(), []).append(value.strip())
    return {keyword: tuple(values) for keyword, values in options.items()}


def _by_paramiko(host: str, surroundings: Surroundings, user: str | None, port: int | None) -> Options:
    """paramiko knows neither Include nor every Match; the first is done for it, the second fails."""
    from paramiko import SSHConfig, SSHException

    text = SshConfigText(user_config(surroundings), surroundings.home)
    if word := text.beyond_paramiko(host):
        raise LookupFailed(f"ssh is not installed, and Match {word} can't be decided without it")
    try:
        found = SSHConfig.from_text(text.flat(host)).lookup(host)
    except (SSHException, ValueError, KeyError, ImportError) as error:
        raise LookupFailed(f"ssh is not installed, and its configuration can't be read without it: {error}") from None
    options = {keyword: _tuple(said) for keyword, said in dict[str, Any](found).items() if said is not None}
    options["localforward"] = tuple(_as_ssh_has_it(each) for each in options.get("localforward", ()))
    if user:
        options["user"] = (user,)
    if port:
        options["port"] = (str(port),)
    options.setdefault("user", (surroundings.environ.get("USER") or surroundings.environ.get("LOGNAME") or "root",))
    return options


def _tuple(said: Any) -> tuple[str, ...]:
    return tuple(said) if isinstance(said, list) else (str(said),)


def _as_ssh_has_it(forward: str) -> str:
    """``5432 db:5432`` or ``5432/db/5432``: the target with a colon."""
    listen, _, target = forward.partition(" ")
    return f"{listen} {target.strip()}"


def values(options: Options, keyword: str) -> list[str]:
    """What *keyword* says, without ``none``."""
    return [each for each in options.get(keyword, ()) if each and each.lower() != "none"]


def value(options: Options, keyword: str) -> str | None:
    """The first of it, or None."""
    return next(iter(values(options, keyword)), None)
