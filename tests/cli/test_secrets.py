"""Secrets planted in every place where one can be given are in no output, whatever a check does with them."""

from pathlib import Path

import pytest

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
