"""What the readers of connection strings share: the result, hosts, options."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.text import port_number, split_port
from tunneldoctor.model import Tls, visible

DEFAULT_PORTS = {
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "sqlserver": 1433,
    "redis": 6379,
    "mongodb": 27017,
    "oracle": 1521,
}

_SECRET = re.compile(r"pass(?!file)|pwd|secret|token|credential", re.IGNORECASE)


#: Drivers of SQLAlchemy that stand on libpq or do as it does; "" is its default, psycopg2.
_LIBPQ_DRIVERS = {"", "psycopg", "psycopg2", "psycopg_async", "asyncpg"}


@dataclass(frozen=True, slots=True)
class Client:
    """Who would read the string: ``dialect`` and ``driver`` as :class:`DatabaseUrl` has them."""

    engine: str
    dialect: str
    driver: str = ""

    @property
    def is_libpq(self) -> bool:
        """Whether libpq's files and variables count."""
        like_it = self.dialect == "libpq" or (self.dialect == "sqlalchemy" and self.driver in _LIBPQ_DRIVERS)
        return self.engine == "postgresql" and like_it


@dataclass(slots=True)
class DatabaseUrl:
    """What a connection string says. ``others`` are its further hosts; ``further_secrets`` names of options.

    ``origins`` tells of those options that don't stand in the string itself, in libpq's words, where they do.
    Whether ``host`` can be one is for the caller to see.
    """

    engine: str
    dialect: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    name: str | None = None
    options: dict[str, str] = field(default_factory=dict, repr=False)
    others: tuple[str, ...] = ()
    driver: str = ""
    tls: Tls = field(default_factory=Tls)
    further_secrets: tuple[str, ...] = ()
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """Who would read it."""
        return Client(self.engine, self.dialect, self.driver)

    def option(self, *names: str) -> tuple[str, str] | None:
        """The option called by one of *names*, as written: its name and its value. Case and ``-_ `` don't count."""
        wanted = {bare(name) for name in names}
        return next(((name, value) for name, value in self.options.items() if bare(name) in wanted), None)

    def said(self, *names: str) -> str | None:
        """The value of that option, or None."""
        found = self.option(*names)
        return found[1] if found else None

    def named(self, name: str) -> str:
        """*name* for a reader, with where the option stands if that is not the string."""
        origin = self.origins.get(name)
        return f"{name} (from {origin})" if origin else name

    def open_options(self) -> dict[str, str]:
        """The options without anything that may be secret."""
        return {
            name: value
            for name, value in self.options.items()
            if not secret_option(name) and not (self.password and self.password in value)
        }


def secret_option(name: str) -> bool:
    """True where an option's value is a secret, by its name."""
    return bool(_SECRET.search(name))


def bare(name: str) -> str:
    """An option's name as it is compared: case and ``-_ `` don't count."""
    return re.sub(r"[-_ ]", "", name).lower()


def take(options: dict[str, str], *names: str) -> str | None:
    """Remove every option called by one of *names* and return the value of the first, or None."""
    wanted = {bare(name) for name in names}
    found = [name for name in options if bare(name) in wanted]
    values = [options.pop(name) for name in found]
    return values[0] if values else None


def options_of(query: str, *, plus: bool) -> dict[str, str]:
    """The options after ``?``; of a repeated one (SQLAlchemy's ``host``) the values are joined by commas.

    *plus*: a ``+`` stands for a blank, as forms have it; libpq does not read it so.
    """
    options: dict[str, str] = {}
    undo = unquote_plus if plus else unquote
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name, value = undo(name), undo(value)
        if name:
            options[name] = f"{options[name]},{value}" if name == "host" and name in options else value
    return options


def hosts(written: list[str], default: int | None) -> list[tuple[str, int]]:
    """Host and port of each of *written*. Raises BadUrl; no port and no *default* is one of its reasons."""
    return [_host(each.strip(), default) for each in written]


def _host(written: str, default: int | None) -> tuple[str, int]:
    try:
        host, port = split_port(written)
    except ValueError:
        raise BadUrl("host", "its brackets do not hold an IPv6 address", "write [2001:db8::5]:5432") from None
    if not host:
        raise BadUrl("host", "there is no host in it", "write the database's host before its port")
    number = port_number(port) if port else default
    if port is None and number is None:
        raise BadUrl("port", "there is no port in it", "write the port after the host: host:5432")
    if number is None:
        # Anything but digits may be the beginning of a password with a slash in it.
        shown = visible(port, 20) if port and port.isascii() and port.isdigit() else "what stands there"
        raise BadUrl("port", f"{shown} is not a port", "write a number from 1 to 65535")
    return host, number
