"""Secrets planted in every place where one can be given are in no output, whatever a check does with them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.report.samples import ORDERS
from tests.report.scenarios import SCENARIOS
from tests.report.secret_corpus import SHAPES, corpus
from tunneldoctor.report import report_json

URL, FILE, ENV, LITERAL, PASSPHRASE = (f"{word}-Pl4nted-{word}" for word in ("url", "file", "env", "text", "phrase"))
KEY_LINES = (
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
    "Ak3yThatNobodyMayEverSee0123456789Ak3yThat",
)
SECRETS = (URL, FILE, ENV, LITERAL, PASSPHRASE, KEY_LINES[1])

CONFIGURATION = f"""\
[tunnels.orders]
ssh_url = "ssh://tunnel@bastion.example.com"
private_key = "file:key"
private_key_passphrase = "file:passphrase"
bastion_password = "{LITERAL}"
database = "postgresql://app:{URL}@db.internal:5432/orders"

[tunnels.billing]
ssh_url = "ssh://tunnel:{URL}@bastion.example.com"
private_key = "env:KEY"
bastion_password = "file:password"
database = "postgresql://app@db.internal:5432/orders?password={URL}"
database_password = "env:PASSWORD"
"""

#: A check that is as careless as can be with every secret it can lay its hands on.
CARELESS = """\
hop, database = context.hop, context.tunnel.database
references = [*hop.private_keys, hop.passphrase, hop.password, database.password if database else None]
texts = [context.secret(each).reveal().decode() for each in references if each]
for text in texts:
    context.progress(f"trying {text}")
if crash := False:
    raise ValueError(" ".join(texts))
evidence = tuple(Evidence("message", f"it said {text}") for text in texts)
return found(Finding("config.company-fault", {"word": " ".join(texts)}, evidence), measured={"bastion.word": texts[0]})
"""


@pytest.fixture
def planted(company, program, tmp_path: Path):
    """Run ``check`` on the tunnels of CONFIGURATION, with the careless check among all others."""
    key = "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *KEY_LINES, "-----END OPENSSH PRIVATE KEY-----", ""])
    for name, content in {"key": key, "passphrase": PASSPHRASE, "password": FILE}.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION)

    def run(*arguments: str, body: str = CARELESS):
        company(body)
        return program("check", *arguments, "--only", "config,key", KEY=key, PASSWORD=ENV)

    return run


@pytest.mark.parametrize("name", ["text", "json", "ndjson", "markdown", "junit", "prometheus"])
@pytest.mark.parametrize("arguments", [["orders"], ["billing"], ["--all"]], ids=" ".join)
def test_no_secret_is_in_any_format(planted, name: str, arguments: list[str]) -> None:
    done = planted(*arguments, "--format", name, "-vv")
    assert done.returncode == 1
    assert "config.company-fault" in done.stdout
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []


def test_no_secret_is_in_the_log_of_a_crash(planted, tmp_path: Path) -> None:
    done = planted("--all", "--json", "-vv", body=CARELESS.replace("crash := False", "True"))
    logs = [path.read_text() for path in tmp_path.rglob("defect-*.log")]
    assert logs
    assert "ValueError" in "".join(logs)
    assert [secret for secret in SECRETS if secret in "".join([done.stdout, done.stderr, *logs])] == []


def test_no_secret_of_an_option_is_in_an_error_or_in_the_report(company, program) -> None:
    command = company("return Outcome()")
    database = f"postgresql://app:{URL}@db.internal/orders"
    for arguments in (
        ["--database", database, "--database-password", LITERAL],
        ["--databse", database],
        [f"--databse={database}"],
        ["--database", database, "--timeout", LITERAL],
        [database],
    ):
        done = program(*command, *arguments, "--json")
        assert [secret for secret in (URL, LITERAL) if secret in done.stdout + done.stderr] == [], arguments


#: A check that passes on what a server said, of which nobody knows that there are secrets in it.
GULLIBLE = """\
import json
texts = json.loads(Path("said.json").read_text())
for text in texts:
    context.progress(text, said=text)
evidence = tuple(Evidence("message", text) for text in texts)
return found(Finding("config.company-fault", {"word": texts[0]}, evidence), measured={"bastion.word": texts[1]})
"""


def test_what_has_the_shape_of_a_secret_is_in_no_output_of_any_command(company, program, tmp_path: Path) -> None:
    said = list(corpus(len(SHAPES)))
    secrets = [secret for _, _, secret in said]
    (tmp_path / "said.json").write_text(json.dumps([text for _, text, _ in said]))
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION.replace("bastion.example.com", "127.0.0.1:1"))
    company(GULLIBLE)
    kept = tmp_path / "home" / ".local" / "state"
    outputs = []
    for arguments in (
        ["check", "orders", "-vv"],
        ["check", "orders", "--format", "ndjson"],
        ["show", "orders", "--json"],
        ["ticket", "orders", "--last", "-o", "-"],
        ["diff", "orders", "orders"],
        ["list", "--json"],
        ["show", "\n".join(text for _, text, _ in said)],
    ):
        done = program(*arguments)
        assert done.stdout + done.stderr
        outputs += [done.stdout, done.stderr]
    files = [path.read_text() for path in kept.rglob("*.json")]
    assert files
    assert "[removed: " in outputs[0]
    assert [secret for secret in [*secrets, *SECRETS] if secret in "".join([*outputs, *files])] == []


def test_what_others_wrote_is_cleaned_when_it_is_read(program, tmp_path: Path) -> None:
    """A report that an older version, or another program, left secrets in; and a log."""
    said = list(corpus(len(SHAPES)))
    report = SCENARIOS["broken"]()
    facts = {f"bastion.fact-{number}": text for number, (_, text, _) in enumerate(said)}
    (tmp_path / "report.json").write_text(report_json(replace(report, facts=facts, tunnel=ORDERS)))
    lines = [f"debug1: {text}" for _, text, _ in said]
    refused = f"tunnel@{said[26][1]}: Permission denied (publickey)."
    (tmp_path / "log.txt").write_text("\n".join([*lines, refused]))
    for arguments in (
        ["show", "report.json", "-v"],
        ["ticket", "--from", "report.json", "-o", "-"],
        ["diff", "report.json", "report.json", "--json"],
        ["read", "log.txt"],
        ["read", "log.txt", "--json"],
    ):
        done = program(*arguments)
        assert done.stdout
        assert [secret for _, _, secret in said if secret in done.stdout + done.stderr] == [], arguments
