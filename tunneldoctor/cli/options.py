"""Options that several commands share, and one option for each key of a tunnel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tunneldoctor.cli.completion import complete_checks, complete_files, complete_providers

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

F = TypeVar("F", bound="Callable[..., Any]")

FORMATS = ("text", "json", "ndjson", "markdown", "junit")

#: Key, what stands for its value in the help, and what it is. The order is that of the documentation.
_KEYS = (
    ("ssh_url", "URL", "The bastion: ssh://user@host:port."),
    ("bastion_host", "HOST", "The bastion's name or address."),
    ("bastion_port", "PORT", "The port its SSH server listens on."),
    ("bastion_username", "USER", "Who logs in there."),
    ("via", "URL", "A jump host in front of the bastion; may be given several times, in order."),
    ("private_key", "REF", "The key: file:PATH, env:NAME, keyring:SERVICE/USER or agent:."),
    ("private_key_passphrase", "REF", "The key's passphrase."),
    ("certificate", "REF", "The key's certificate."),
    ("bastion_password", "REF", "A password, where the bastion takes one."),
    ("known_hosts", "PATH", "The hosts we know; may be given several times."),
    ("host_key", "FINGERPRINT", "The bastion's pinned SHA256:... fingerprint; may be given several times."),
    ("remote_bind", "HOST:PORT", "The database as the bastion sees it."),
    ("local_port", "PORT", "The tunnel's own end; 0 picks one."),
    ("database", "URL", "The client's connection string: libpq, SQLAlchemy, JDBC or tcp://host:port."),
    ("database_password", "REF", "The database's password."),
    ("keepalive", "DURATION", "The SSH keepalive that the real client sends."),
    ("idle_hold", "DURATION", "How long a connection must survive unused."),
    ("provider", "NAME", "Whose commands the advice shows: aws, azure, gcp or onprem."),
    ("admin", "URL", "An account that may look around on the bastion, read-only."),
    ("admin_private_key", "REF", "Its key."),
    ("run_from", "URL", "Where the real client runs."),
)
_REPEATED = {"via", "known_hosts", "host_key"}
_COMPLETIONS = {
    "private_key": complete_files,
    "certificate": complete_files,
    "known_hosts": complete_files,
    "provider": complete_providers,
}


config_option = click.option(
    "--config",
    metavar="FILE",
    shell_complete=complete_files,
    help="The configuration file. Default: $TUNNELDOCTOR_CONFIG, ./tunneldoctor.toml, your own.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
color_option = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Default: auto."
)
_timeout_option = click.option(
    "--timeout", "--connect-timeout", "connect_timeout", metavar="DURATION", help="Of each stage of each hop: 10s."
)


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a result is to be shown."""

    format: str
    output: str | None
    color: str
    verbose: int
    quiet: bool


def tunnel_options(function: F) -> F:
    """One option for each key of a tunnel; they arrive under the keys' names, None or empty where not given."""
    for key, metavar, words in reversed(_KEYS):
        name = f"--{key.replace('_', '-')}"
        multiple = key in _REPEATED
        complete = _COMPLETIONS.get(key)
        function = click.option(name, key, metavar=metavar, multiple=multiple, help=words, shell_complete=complete)(
            function
        )
    return _timeout_option(function)


def take_overrides(options: dict[str, Any]) -> dict[str, Any]:
    """Take the tunnel's keys out of *options*, and return those that were given."""
    taken = {key: options.pop(key) for key in ("connect_timeout", *(key for key, _, _ in _KEYS))}
    return {key: value for key, value in taken.items() if value not in (None, ())}


def presentation_options(function: F) -> F:
    """The options of :class:`Presentation`; :func:`take_presentation` reads them."""
    decorators = (
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: text."),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            shell_complete=complete_files,
            help="Write the document there instead of to stdout.",
        ),
        color_option,
        click.option("-v", "--verbose", count=True, help="More: what passed, evidence; -vv also tells each step."),
        click.option("-q", "--quiet", is_flag=True, help="Less: one line where something is wrong, else nothing."),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def take_presentation(options: dict[str, Any]) -> Presentation:
    """Take the options of :func:`presentation_options` out of *options*."""
    names = ("as_json", "format_", "output", "color", "verbose", "quiet")
    as_json, format_, output, color, verbose, quiet = (options.pop(name) for name in names)
    if as_json and format_ not in (None, "json"):
        raise click.UsageError(f"--json and --format {format_} exclude each other")
    return Presentation("json" if as_json else format_ or "text", output, color, verbose, quiet)


class Duration(click.ParamType[float]):
    """``500ms``, ``10s``, ``5m``, ``1h``, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds, or a usage error."""
        from tunneldoctor.config import duration

        try:
            return duration(value)
        except ValueError as error:
            self.fail(f"{value!r} is {error}" if str(error).startswith("not ") else str(error), param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names of layers and checks with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names, without blanks around them."""
        return value if isinstance(value, tuple) else tuple(name.strip() for name in value.split(",") if name.strip())

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """The last of the names."""
        return complete_checks(ctx, param, incomplete)
