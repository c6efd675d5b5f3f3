"""Commands for a provider: AWS's are read by its own command line program, the others name their documentation.

No request leaves the machine. The program reads the whole command and checks every option and value against the
service's own description; where it would send the request, it is handed a sample answer, made from the description of
the answer, which ``--query`` must find its names in.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.checks.commands.advice import CATALOG, all_commands
from tunneldoctor.catalog import command
from tunneldoctor.model import Provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.checks.commands.advice import Command

COMMANDS = all_commands()
#: A value for each field, of the kind that it has.
FIELDS = {
    "ip": "203.0.113.10",
    "egress_address": "198.51.100.7",
    "bastion_port": 2222,
    "remote_port": 5432,
    "database_port": 5432,
    "database_host": "db.internal",
    "database_user": "app",
    "bastion_username": "tunnel",
}
_AWS = re.compile(r"(?<![\w-])aws (?=[a-z0-9-]+ [a-z])")


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of ``aws`` in a line of shell, those in ``$(…)`` and behind ``xargs`` included."""
    for found in _AWS.finditer(line):
        text = line[found.end() :]
        inner = _substituted(text)
        given = ["GIVEN"] if line[: found.start()].endswith("xargs -n1 ") else []
        yield [*_arguments(text if inner is None else inner), *given]


def _substituted(text: str) -> str | None:
    """*text* up to the parenthesis that closes the substitution that it stands in; None where it stands in none."""
    depth = 0
    for place, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return text[:place]
    return None


def _arguments(text: str) -> list[str]:
    """The words up to the end of the command; what a substitution gives is one word."""
    text = re.sub(r"\$\(date [^()]*\)", "2026-11-22T09:00:00Z", text.replace("INSTANCE", "i-0123456789abcdef0"))
    while "$(" in text:
        text = re.sub(r"\$\([^()]*\)", "GIVEN", text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    return list(itertools.takewhile(lambda word: not set(word) <= set("|;&<>"), lexer))


def _sample(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
    """An answer to the request, of the shape that the service's description says; there is no second page."""
    from botocore.awsrequest import AWSResponse
    from botocore.utils import ArgumentGenerator

    shape = model.output_shape
    answer = ArgumentGenerator(use_member_names=True).generate_skeleton(shape) if shape else {}
    found = {name: value for name, value in answer.items() if name not in {"NextToken", "Marker", "NextMarker"}}
    return AWSResponse("", 200, {}, None), {**found, "ResponseMetadata": {}}


def _aws(arguments: list[str]) -> tuple[int, str]:
    """Have the AWS command line program read *arguments*: its exit status and what it says."""
    from awscli.clidriver import create_clidriver

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        driver = create_clidriver()
        driver.session.register("before-call", _sample)
        try:
            status = driver.main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
    return status, said.getvalue()


def _complaint(arguments: list[str]) -> str:
    """What is wrong with the call; empty where nothing is."""
    status, said = _aws(arguments)
    filtered = "[?" in shlex.join(arguments)  # a sample does not hold the name that is looked for
    if status == 0 and "--query" in arguments and not filtered and (not said.strip() or "None" in said):
        return f"--query names what is not in the answer: {said}"
    return said if status else ""


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account, no region of the user's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("advised", [each for each in COMMANDS if _AWS.search(each.template)], ids=str)
def test_the_aws_program_takes_the_command(advised: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("awscli", reason="AWS's command line program is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tunnel.pub").write_text(f"ssh-ed25519 {'A' * 68}")
    for arguments in calls(command(advised.template, FIELDS)):
        assert _complaint(arguments) == "", shlex.join(arguments)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["ec2", "describe-instances", "--filter-by", "x"], "--filter-by"),
        (["ec2", "describe-instances", "--filters", "Nome=ip-address"], "Nome"),
        (["ec2", "describe-instances", "--query", "Reservations[].Instances[].[Id]"], "--query"),
    ],
    ids=["option", "value", "query"],
)
def test_a_command_that_aws_would_not_take_is_noticed(arguments: list[str], complaint: str) -> None:
    pytest.importorskip("awscli", reason="AWS's command line program is not installed")
    assert complaint in _complaint([*arguments, "--output", "text"])


_DOCUMENTED = re.compile(r"(?<![\w-])(az|gcloud) [a-z]")


@pytest.mark.parametrize("advised", [each for each in COMMANDS if _DOCUMENTED.search(each.template)], ids=str)
def test_a_command_whose_program_cannot_be_had_names_its_documentation(advised: Command) -> None:
    for code in advised.codes:
        assert CATALOG.page(code).sources.get(advised.template), code


@pytest.mark.parametrize(("program", "provider"), [("aws", "aws"), ("az", "azure"), ("gcloud", "gcp")])
def test_the_program_of_a_provider_is_advised_to_its_customers_alone(program: str, provider: str) -> None:
    calling = re.compile(rf"(?<![\w.-]){program} [a-z]")
    assert {each.provider for each in COMMANDS if calling.search(each.template)} == {Provider(provider)}
