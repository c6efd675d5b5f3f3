"""A configuration that could be read, and the tunnels in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tunneldoctor.config import file
from tunneldoctor.config.errors import ConfigError
from tunneldoctor.config.file import Document
from tunneldoctor.config.keys import option_name, read_option
from tunneldoctor.config.settings import Entry, Place, Settings, Surroundings
from tunneldoctor.config.tunnel import build
from tunneldoctor.model import Origin, Tunnel, visible
from tunneldoctor.nearest import nearest

#: Command-line options by the key of the configuration that each stands for; ``via`` and lists may hold several.
Overrides = Mapping[str, str | Sequence[str]]


def load(path: Path | None, environ: Mapping[str, str], cwd: Path) -> "Configuration":
    """Find and read the configuration file: *path* (``--config``) or the first that is there.

    Without any file the configuration is empty. Raises ConfigError where the file can't be used at all.
    """
    empty = without_file(environ, cwd)
    found = file.find(path, environ, cwd)
    return replace(empty, document=file.read(found, cwd)) if found else empty


def without_file(environ: Mapping[str, str], cwd: Path) -> "Configuration":
    """The configuration that has nothing in it, whatever files there are."""
    return Configuration(Document(), Surroundings(environ, _home(environ), cwd))


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file, the command line and ssh_config say of tunnels."""

    document: Document
    surroundings: Surroundings

    @property
    def path(self) -> Path | None:
        """The file that was read, or None."""
        return self.document.path

    @property
    def keys(self) -> Mapping[str, str]:
        """The TUI's keys by the ids of what they do."""
        return self.document.keys

    @property
    def notes(self) -> Path | None:
        """The folder of a company's own words about codes, where the file names one."""
        return self.document.notes

    def names(self) -> tuple[str, ...]:
        """The names of the file's tunnels, in its order."""
        return tuple(self.document.tunnels)

    def tunnel(self, name: str, overrides: Overrides) -> Tunnel:
        """The tunnel called *name*; *overrides* win over what the file says.

        What is wrong inside the tunnel is among its problems. Raises ConfigError where the file has no such tunnel
        or where an option can't be used at all.
        """
        if name not in self.document.tunnels:
            raise ConfigError(f"there is no tunnel {visible(name)!r}{self._instead(name)}")
        return build(name, self._settings(overrides, self.document.tunnels[name], self.document.defaults))

    def _instead(self, name: str) -> str:
        names = ", ".join(visible(each) for each in self.names()[:20])
        where = visible(str(self.path)) if self.path else "any configuration file"
        return nearest(name, self.names()) or (f"; {where} has {names}" if names else f" in {where}")

    def tunnel_from_options(self, overrides: Overrides) -> Tunnel:
        """A tunnel given by options alone, with the file's defaults where there is a file. Raises ConfigError."""
        settings = self._settings(overrides, self.document.defaults)
        tunnel = build("command line", settings)
        host = tunnel.bastion.host
        return build(host, settings) if host else tunnel

    def tunnel_from_ssh_host(self, host: str, overrides: Overrides) -> Tunnel | None:
        """The tunnel that the Host *host* of the user's ssh_config describes, or None where it has no such entry.

        Raises ConfigError where an option can't be used at all.
        """
        from tunneldoctor.config import ssh_host

        ssh = ssh_host.find(host, self.surroundings)
        if ssh is None:
            return None
        options = self._options(overrides)
        settings = Settings((options, self.document.defaults, ssh.place), self.surroundings, ssh)
        return build(host, settings)

    def _settings(self, overrides: Overrides, *places: Place) -> Settings:
        return Settings((self._options(overrides), *places), self.surroundings)

    def _options(self, overrides: Overrides) -> Place:
        return {key: self._option(key, value) for key, value in overrides.items()}

    def _option(self, key: str, value: str | Sequence[str]) -> Entry:
        name = option_name(key)
        try:
            read = read_option(key, value if isinstance(value, str) else tuple(value))
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None
        return Entry(read, Origin(name), self.surroundings.cwd, exposed=True)
