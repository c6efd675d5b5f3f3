"""Who we are, and whom we trust, on one host of ssh_config."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.config.references import expand
from tunneldoctor.config.settings import Surroundings
from tunneldoctor.config.ssh_lookup import Options, value, values
from tunneldoctor.model import Reference

# What ssh tries when no IdentityFile is given (ssh_config(5), IdentityFile; readconf.c, fill_default_options).
_DEFAULT_KEYS = {f"id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")}
_DEFAULT_KNOWN_HOSTS = {"known_hosts", "known_hosts2", "ssh_known_hosts", "ssh_known_hosts2"}


@dataclass(frozen=True, slots=True)
class SshFiles:
    """The files and the agent that ssh would use for *host*, with *options* as ``ssh -G`` gives them."""

    host: str
    options: Options
    surroundings: Surroundings

    def identities(self) -> tuple[tuple[Reference, ...], str | None]:
        """The keys that ssh would offer from files, and the agent where it would be asked."""
        paths = [self._path(each) for each in values(self.options, "identityfile")]
        there = [path for path in paths if path.is_file() and path.suffix != ".pub"]
        if not there and not all(path.name in _DEFAULT_KEYS for path in paths):
            there = [path for path in paths if path.suffix != ".pub"]  # asked for by name: that it is absent counts
        agent = self._agent()
        if agent is not None and value(self.options, "identitiesonly") == "yes":
            agent = next(filter(None, map(_fingerprint, paths)), None)
            if agent:
                there = [path for path in there if path.is_file()]
        return tuple(Reference("file", str(path)) for path in there), agent

    def agent_socket(self) -> str | None:
        """The socket of the agent that is asked where it is not that of ``$SSH_AUTH_SOCK``, else None."""
        asked = self._identity_agent()
        return None if asked in {"SSH_AUTH_SOCK", "none"} else str(self._path(asked))

    def _identity_agent(self) -> str:
        """``SSH_AUTH_SOCK``, ``none`` or a path (ssh_config(5), IdentityAgent)."""
        asked = (self.options.get("identityagent") or ("SSH_AUTH_SOCK",))[0]
        if re.fullmatch(r"\$\w+", asked):
            return self.surroundings.environ.get(asked[1:]) or "none"
        return asked.lower() if asked.lower() == "none" else asked

    def _agent(self) -> str | None:
        asked = self._identity_agent()
        there = self.surroundings.environ.get("SSH_AUTH_SOCK") if asked == "SSH_AUTH_SOCK" else asked != "none"
        return "" if there else None

    def certificate(self) -> Reference | None:
        """The first certificate, or None."""
        paths = [self._path(each) for each in values(self.options, "certificatefile")]
        return Reference("file", str(paths[0])) if paths else None

    def known_hosts(self) -> tuple[Reference, ...] | None:
        """The lists of hosts; None where they are OpenSSH's own."""
        files = [
            each
            for keyword in ("userknownhostsfile", "globalknownhostsfile")
            for each in " ".join(self.options.get(keyword, ())).split()
        ]
        if all(Path(each).name in _DEFAULT_KNOWN_HOSTS and _is_default_folder(each) for each in files):
            return None
        there = (each for each in files if each.lower() not in {"none", "/dev/null"})
        return tuple(Reference("file", str(self._path(each))) for each in there)

    def _path(self, written: str) -> Path:
        """Undo the tokens that ``ssh -G`` leaves in a path (ssh_config(5), TOKENS)."""
        tokens = {
            "%": "%",
            "d": str(self.surroundings.home),
            "h": value(self.options, "hostname") or self.host,
            "n": self.host,
            "p": value(self.options, "port") or "22",
            "r": value(self.options, "user") or "",
            "u": self.surroundings.environ.get("USER", ""),
            "k": value(self.options, "hostkeyalias") or self.host,
        }
        text = re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), written)
        text = re.sub(r"\$\{(\w+)\}", lambda match: self.surroundings.environ.get(match[1], match[0]), text)
        return expand(text, self.surroundings.cwd, self.surroundings)


def _is_default_folder(path: str) -> bool:
    return Path(path).parent.name == ".ssh" or str(Path(path).parent) == "/etc/ssh"


def _fingerprint(path: Path) -> str | None:
    """``SHA256:…`` of the public half beside *path*, or in it; None where there is none."""
    public = path if path.suffix == ".pub" else path.with_name(path.name + ".pub")
    try:
        if not public.is_file():  # opening a FIFO would wait for its writer
            return None
        with public.open("rb") as file:
            blob = base64.b64decode(file.read(65536).split()[1], validate=True)
    except (OSError, IndexError, binascii.Error):
        return None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
