"""What ssh_config says of one host, by ``ssh -G`` where there is an ssh, else by our own reading."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tunneldoctor.config.settings import Surroundings
from tunneldoctor.config.ssh_config import Asked, expand_host, read
from tunneldoctor.model import visible

#: Seconds that ``ssh -G`` may take: ``Match exec`` and CanonicalizeHostname can make it wait.
PATIENCE = 5.0

_SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
# What ssh says and goes on (readconf.c, oDeprecated and oUnsupported; ssh.c, -t).
_ONLY_WARNED = re.compile(r"Deprecated option|Unsupported option|Pseudo-terminal will not")

#: What counts where nothing is said (ssh_config(5)).
_KNOWN_HOSTS = {
    "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
    "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
}

#: Keywords in lower case with all their values.
Options = Mapping[str, tuple[str, ...]]


class LookupFailed(Exception):
    """ssh itself can't use its configuration, or did not answer; the text is its first line."""


def user_config(surroundings: Surroundings) -> Path:
    """The user's ssh_config."""
    return surroundings.home / ".ssh" / "config"


def lookup(
    host: str, surroundings: Surroundings, user: str | None = None, port: int | None = None, *, jumped: bool = False
) -> Options:
    """Every option for *host*, asked for with *user* and *port* where given. Raises LookupFailed.

    *jumped*: it is reached through another host already, so that its own ProxyJump does not count (ssh(1), -J).
    """
    config = user_config(surroundings)
    # ssh looks for its configuration in the home of the password database; $HOME may be another.
    elsewhere = config != _real_home() / ".ssh" / "config" and config.is_file()
    ssh = shutil.which("ssh", path=surroundings.environ.get("PATH"))
    if ssh is None:
        return _by_ourselves(host, surroundings, config, None if elsewhere else _SYSTEM_CONFIG, user, port)
    command = [ssh, "-G", *(["-F", str(config)] if elsewhere else [])]
    command += ["-l", user] if user else []
    command += ["-p", str(port)] if port else []
    command += ["-o", "ProxyJump=none"] if jumped else []
    return _options(_run([*command, "--", host], surroundings))


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
        lines = [line.strip() for line in error.decode(errors="replace").splitlines()]
        told = [line for line in lines if line and not _ONLY_WARNED.search(line)]
        raise LookupFailed(visible(told[0], 300) if told else f"ssh -G ended with {process.returncode}")
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


def _by_ourselves(
    host: str, surroundings: Surroundings, config: Path, system: Path | None, user: str | None, port: int | None
) -> Options:
    """The same as ``ssh -G`` for the keywords that are used here. Raises LookupFailed where only ssh can tell."""
    environ = surroundings.environ
    local_user = environ.get("USER") or environ.get("LOGNAME") or "root"
    found = read(config, surroundings.home, Asked(host, user, port, local_user), system)
    if found.fault:
        raise LookupFailed(f"ssh is not installed, and without it: {found.fault}")
    options = {keyword: list(said) for keyword, said in found.options.items()}
    if _needs_dns(host, options):
        raise LookupFailed("ssh is not installed, and CanonicalizeHostname can't be decided without it")
    options["hostname"] = [expand_host(options.get("hostname", [host])[0], host).lower()]
    options["user"] = [user] if user else options.get("user", [local_user])
    options["port"] = [str(port)] if port else options.get("port", ["22"])
    for keyword, files in _KNOWN_HOSTS.items():
        options.setdefault(keyword, [files])
    for keyword in ("connecttimeout", "serveraliveinterval"):
        if keyword in options:
            options[keyword] = [_seconds(options[keyword][0])]
    return {keyword: tuple(said) for keyword, said in options.items()}


def _needs_dns(host: str, options: Mapping[str, list[str]]) -> bool:
    """True where ssh would look the name up in further domains (ssh_config(5), CanonicalizeHostname)."""
    wanted = options.get("canonicalizehostname", ["no"])[0] in {"yes", "true", "always"}
    dots = options.get("canonicalizemaxdots", ["1"])[0]
    return wanted and "canonicaldomains" in options and host.count(".") <= int(dots if dots.isdigit() else 1)


def _seconds(written: str) -> str:
    """``1h30m`` as ssh prints it (sshd_config(5), TIME FORMATS)."""
    units = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    if not re.fullmatch(r"(?:[0-9]{1,9}[smhdw]?)+", written.lower()):
        return written
    parts = re.findall(r"([0-9]+)([smhdw]?)", written.lower())
    return str(sum(int(number) * units[unit] for number, unit in parts))


def values(options: Options, keyword: str) -> list[str]:
    """What *keyword* says, without ``none``."""
    return [each for each in options.get(keyword, ()) if each and each.lower() != "none"]


def value(options: Options, keyword: str) -> str | None:
    """The first of it, or None."""
    return next(iter(values(options, keyword)), None)
