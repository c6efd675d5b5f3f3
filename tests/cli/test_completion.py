"""What a shell is told that completes a command line, asked as bash asks (click's shell_completion)."""

from __future__ import annotations

import subprocess

import pytest


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["check", "--only", "dns.s"], ["dns.servers", "dns.slow"]),
        (["check", "--skip", "dns,tcp.c"], ["dns,tcp.connect"]),
        (["check", "--provider", "a"], ["aws", "azure"]),
        (["check", "--format", "ju"], ["junit"]),
        (["check", "--ignore", "dns.nx"], ["dns.nxdomain"]),
        (["check", "ord"], ["orders"]),
    ],
    ids=" ".join,
)
def test_names_are_completed(program, tmp_path, words: list[str], completed: list[str]) -> None:
    (tmp_path / "tunneldoctor.toml").write_text("[tunnels.orders]\n[tunnels.billing]\n")
    assert [line.removeprefix("plain,") for line in _complete(program, words)] == completed


@pytest.mark.parametrize("option", ["-o", "--config", "--private-key", "--known-hosts"])
def test_files_are_left_to_the_shell(program, option: str) -> None:
    assert _complete(program, ["check", option, "some"]) == ["file,some"]


def test_each_command_is_completed_and_bash_can_read_the_script(program) -> None:
    script = program("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    words = {line.removeprefix("plain,") for line in _complete(program, [""])}
    assert {"check", "tui", "ticket", "explain-evidence"} <= words


def _complete(program, words: list[str]) -> list[str]:
    variables = {"COMP_WORDS": " ".join(["tunneldoctor", *words]), "COMP_CWORD": str(len(words))}
    done = program(_TUNNELDOCTOR_COMPLETE="bash_complete", **variables)
    assert done.stderr == ""
    return list(done.stdout.split())
