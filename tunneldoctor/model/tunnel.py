"""A tunnel as it was asked for: hops, target, database, and where each value came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tunneldoctor.model.secret import Reference
from tunneldoctor.model.words import Provider, Severity

#: Seconds that each stage of a hop may take when nothing else is said (``--timeout``).
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from, in words: ``tunneldoctor.toml:12``, ``--ssh-url``, ``~/.ssh/config``, ``default``."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a tunnel that could not be read. The ``config`` checks report it as a finding.

    ``key`` is the configuration key it is about, ``hop`` the hop (``via-1``, ``bastion``, ``database``, ``here``).
    """

    code: str
    hop: str
    key: str
    origin: Origin
    params: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or literal, IPv6 without brackets) and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH server on the way: a jump host (``via-1``, ``via-2``, …) or the ``bastion`` itself.

    ``host`` or ``username`` are None where they are missing or could not be read. ``known_hosts`` are paths, or
    None for OpenSSH's defaults; ``host_keys`` are pinned ``SHA256:…`` fingerprints, which replace known_hosts.
    ``agent`` is None, ``""`` for any key of the agent, or the fingerprint of the one key; ``agent_socket`` is where it
    listens, None for ``$SSH_AUTH_SOCK``. ``address_family`` is ``any``, ``inet`` or ``inet6`` (ssh_config(5)).
    """

    name: str
    host: str | None
    port: int = 22
    username: str | None = None
    private_keys: tuple[Reference, ...] = ()
    passphrase: Reference | None = None
    certificate: Reference | None = None
    password: Reference | None = None
    agent: str | None = None
    known_hosts: tuple[Reference, ...] | None = None
    host_keys: tuple[str, ...] = ()
    host_key_alias: str | None = None
    agent_socket: str | None = None
    address_family: str = "any"

    @property
    def address(self) -> Address | None:
        """Host and port, or None without a host."""
        return Address(self.host, self.port) if self.host else None


@dataclass(frozen=True, slots=True)
class Tls:
    """The encryption that the client's own connection string asks for, in libpq's words.

    ``mode``: ``disable``, ``allow``, ``prefer``, ``require``, ``verify-ca`` or ``verify-full``. ``written`` is the
    setting as the user wrote it (``sslMode=VERIFY_IDENTITY``), for the advice.
    """

    mode: str = "prefer"
    written: str = ""
    root_certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    server_name: str | None = None

    @property
    def required(self) -> bool:
        """True where the client refuses an unencrypted connection."""
        return self.mode in {"require", "verify-ca", "verify-full"}

    @property
    def verifies_issuer(self) -> bool:
        """True where the client checks who signed the certificate (also ``require`` with a root, as libpq does)."""
        return self.mode in {"verify-ca", "verify-full"} or (self.mode == "require" and bool(self.root_certificate))

    @property
    def verifies_name(self) -> bool:
        """True where the client checks the name in the certificate."""
        return self.mode == "verify-full"


@dataclass(frozen=True, slots=True)
class Database:
    """The database as the client's connection string names it.

    ``engine`` is ``postgresql``, ``mysql``, ``mariadb``, ``sqlserver``, ``redis``, ``mongodb``, ``oracle`` or ``tcp``;
    ``dialect`` is the form the string was written in: ``libpq``, ``sqlalchemy``, ``jdbc``, ``url`` or ``tcp``.
    ``host`` may be on loopback: then it is the tunnel's own end, and the tunnel's ``remote`` is the database.
    """

    engine: str
    host: str
    port: int
    user: str | None = None
    name: str | None = None
    password: Reference | None = None
    tls: Tls = Tls()
    dialect: str = "url"
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        """Host and port as the connection string has them."""
        return Address(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One tunnel, complete with what could not be read in it.

    ``hops`` go from the first SSH server to the bastion, which is last and always there. ``remote`` is the database
    as the bastion sees it. Times are seconds. ``origins`` maps a configuration key to where its value came from.
    ``words`` name it once more on the command line: its name, or the options that it was given by.
    """

    name: str
    hops: tuple[Hop, ...]
    remote: Address | None = None
    database: Database | None = None
    local_address: str = "127.0.0.1"
    local_port: int = 0
    connect_timeout: float = DEFAULT_TIMEOUT
    keepalive: float = 0.0
    idle_hold: float | None = None
    provider: Provider | None = None
    admin: Hop | None = None
    run_from: Hop | None = None
    origins: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[Problem, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def bastion(self) -> Hop:
        """The last hop."""
        return self.hops[-1]

    def origin(self, key: str) -> Origin:
        """Where *key*'s value came from; ``default`` where nobody gave one."""
        return self.origins.get(key, Origin("default"))
