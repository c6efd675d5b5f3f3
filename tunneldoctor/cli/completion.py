"""``tunneldoctor completion``: what a shell needs to complete commands, options, tunnels and codes."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

_VARIABLE = "_TUNNELDOCTOR_COMPLETE"


@click.command("completion", short_help="Print what a shell completes command lines with.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, tunnels and codes in a shell.

    \b
    bash:  eval "$(tunneldoctor completion bash)"        in ~/.bashrc
    zsh:   eval "$(tunneldoctor completion zsh)"         in ~/.zshrc
    fish:  tunneldoctor completion fish | source         in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "tunneldoctor", _VARIABLE).source())


def complete_tunnels(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The tunnels of the configuration file, where it can be read, and the Hosts of ~/.ssh/config."""
    from tunneldoctor.cli.failure import Failure
    from tunneldoctor.cli.tunnels import configuration, ssh_hosts

    try:
        names = [*configuration(context.params.get("config")).names(), *ssh_hosts()]
    except Failure:
        names = ssh_hosts()
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The codes that have a page."""
    from tunneldoctor.cli.checks import installed_catalog

    return [CompletionItem(code) for code in installed_catalog().codes() if code.startswith(incomplete.lower())]


def complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Files, which the shell itself knows best."""
    return [CompletionItem(incomplete, type="file")]


def complete_providers(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Whose commands the advice can show."""
    from tunneldoctor.model import Provider

    return [CompletionItem(str(each)) for each in Provider if each.startswith(incomplete.lower())]


def complete_checks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Layers and checks; *incomplete* may be a list of them, of which the last is completed."""
    from tunneldoctor.cli.checks import installed_packages
    from tunneldoctor.model import Layer

    *given, last = incomplete.split(",")
    names = [*Layer, *(check.id for package in installed_packages() for check in package.checks)]
    return [CompletionItem(",".join([*given, name])) for name in names if name.startswith(last.strip())]
