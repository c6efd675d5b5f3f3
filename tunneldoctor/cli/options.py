"""Options that several commands share, and one option for each key of a tunnel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tunneldoctor.cli.completion import complete_checks, complete_files, complete_providers
from tunneldoctor.cli.redaction import LEVELS, SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

F = TypeVar("F", bound="Callable[..., Any]")

FORMATS = ("text", "json", "ndjson", "markdown", "junit", "prometheus")

#: Key, what stands for its value in the help, and what it is. The order is that of the documentation.
_KEYS = (
    ("ssh_url", "URL", "The bastion, as in ssh://user@host:port."),
    ("bastion_host", "HOST", "The bastion's name or address."),
    ("bastion_port", "PORT", "The port its SSH server listens on."),
    ("bastion_username", "USER", "Who logs in there."),
    ("via", "URL", "A jump host in front of the bastion; may be given several times, in order."),
    ("private_key", "REF", "The key: file:PATH, env:NAME, keyring:SERVICE/USER or agent:."),
    ("private_key_passphrase", "REF", "The key's passphrase."),
    ("certificate", "REF", "The key's certificate."),
    ("bastion_password", "REF", "A password, where the bastion takes one."),
    ("known_hosts", "PATH", "A file with pinned host keys; may be given several times."),
    ("host_key", "FINGERPRINT", "The bastion's host key, as SHA256:...; may be given several times."),
    ("remote_bind", "HOST:PORT", "The database as the bastion sees it."),
    ("local_port", "PORT", "The tunnel's own end; 0 picks one."),
    ("database", "URL", "The client's own connection string, or tcp://host:port."),
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
no_history_option = click.option(
    "--no-history",
    is_flag=True,
    envvar="TUNNELDOCTOR_NO_HISTORY",
    show_envvar=True,
    help="Keep no report of this run, and look at none that was kept.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Default: auto, which is where the output is a terminal.",
)
redact_option = click.option(
    "--redact",
    type=click.Choice(LEVELS),
    default=SECRETS,
    help="topology: give hosts, addresses, users and paths other names too. Default: secrets.",
)
_timeout_option = click.option(
    "--timeout",
    "--connect-timeout",
    "connect_timeout",
    metavar="DURATION",
    help="For each stage of a hop. Default: 10s.",
)


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a result is to be shown."""

    format: str
    output: str | None
    color: str
    verbose: int
    quiet: bool
    redact: str = SECRETS


def is_of_tunnel(option: click.Parameter) -> bool:
    """*option* is one of :func:`tunnel_options`."""
    return option.name in {"connect_timeout", *(key for key, _, _ in _KEYS)}


class TunnelCommand(click.Command):
    """A command whose help shows the options of :func:`tunnel_options` apart from its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both lists to *formatter*."""
        own: list[tuple[str, str]] = []
        of_tunnel: list[tuple[str, str]] = []
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)):
                (of_tunnel if is_of_tunnel(option) else own).append(record)
        with formatter.section("Options"):
            formatter.write_dl(own)
        with formatter.section("The tunnel, or what is to differ from the file"):
            formatter.write_dl(of_tunnel)


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
        click.option("--format", "format_", type=click.Choice(FORMATS), help="What to write. Default: text."),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            shell_complete=complete_files,
            help="Write the document there instead of to stdout.",
        ),
        redact_option,
        color_option,
        click.option("-v", "--verbose", count=True, help="More: also what passed, with evidence; -vv: each step."),
        click.option("-q", "--quiet", is_flag=True, help="Less: one line where something is wrong, else nothing."),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


#: Connections that any bastion stands, and those of a measurement that may use more.
_POLITE, _MANY = 8, 24
#: The shortest and the longest silence that can be looked for, in seconds: two seconds, a day.
_SHORTEST, _LONGEST = 2.0, 86400.0


def cutoff_options(function: F) -> F:
    """The options of the measurement that looks for a cut-off; :func:`take_cutoff` reads them."""
    decorators = (
        click.option("--find-cutoff", is_flag=True, help="Find out after how long unused connections are cut."),
        click.option("--up-to", type=Duration(), metavar="DURATION", help="The longest silence tried. Default: 1h."),
        click.option("--precise", is_flag=True, help="Then narrow the bounds, which takes about as long again."),
        click.option("--connections", type=click.IntRange(2, 32), metavar="N",
                     help="Connections to the bastion; the database gets about as many sessions beside them. "
                     "Default: 8, or 24 with --yes."),
        click.option("--yes", is_flag=True, help="This bastion is fine with more than 8 connections."),
    )  # fmt: skip
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def take_cutoff(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of :func:`cutoff_options` out of *options*: fields of the policy. Raises UsageError."""
    names = ("find_cutoff", "up_to", "precise", "connections", "yes")
    find, up_to, precise, connections, yes = (options.pop(name) for name in names)
    if not find and (up_to is not None or precise or connections is not None or yes):
        raise click.UsageError("--up-to, --precise, --connections and --yes belong to --find-cutoff")
    if find and options.get("idle"):
        raise click.UsageError("holding a connection and --find-cutoff would disturb each other: one after the other")
    if connections is not None and connections > _POLITE and not yes:
        raise click.UsageError(
            f"{connections} connections at a time are more than a small bastion likes: add --yes if they are fine with "
            f"it, or take {_POLITE}"
        )
    if up_to is not None and not _SHORTEST <= up_to <= _LONGEST:
        raise click.UsageError(f"--up-to takes {_SHORTEST:g}s to {_LONGEST / 3600:g}h")
    number = connections or (_MANY if yes else _POLITE)
    return {"find_cutoff": find, "up_to": up_to or 3600.0, "precise": precise, "connections": number}


def take_presentation(options: dict[str, Any]) -> Presentation:
    """Take the options of :func:`presentation_options` out of *options*."""
    names = ("as_json", "format_", "output", "color", "verbose", "quiet", "redact")
    as_json, format_, output, color, verbose, quiet, redact = (options.pop(name) for name in names)
    if as_json and format_ not in (None, "json"):
        raise click.UsageError(f"--json and --format {format_} exclude each other")
    return Presentation("json" if as_json else format_ or "text", output, color, verbose, quiet, redact)


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
