"""A defect of our own: a valid report, a log that only the user can read, and no traceback."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tunneldoctor.report import schema

SECRET = "correct-horse-battery-staple"


def log_named_in(text: str) -> Path:
    found = re.search(r"details are in (\S+?\.log)", text)
    assert found, text
    return Path(found[1])


def test_an_exception_in_a_check_is_an_error_in_a_valid_report_and_in_the_log(company, program) -> None:
    done = program(*company(f"local = '{SECRET}'\nraise ValueError('{SECRET} ' + context.hop.host)"), "--json")
    report = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema("report")).validate(report)
    (check,) = [check for check in report["checks"] if check["id"] == "config.company"]
    assert (done.returncode, report["verdict"], check["status"]) == (3, "inconclusive", "error")
    log = log_named_in(done.stderr)
    assert str(log) in check["reason"]
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "ValueError" in text
    assert "company_checks.py" in text
    assert SECRET not in text + done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["text", "json", "ndjson", "markdown", "junit", "prometheus"])
def test_an_examination_that_breaks_off_ends_with_a_document_all_the_same(company, program, tmp_path, name) -> None:
    command = company("return Outcome()")
    module = tmp_path / "site" / "company_checks.py"
    broken = f"codes=(), applies=lambda tunnel, policy: {{}}['{SECRET}'])\nPACKAGE"
    module.write_text(re.sub(r"codes=.*\nPACKAGE", broken, module.read_text()))
    done = program(*command, "--format", name)
    assert done.returncode == 3
    assert "KeyError" in log_named_in(done.stderr).read_text()
    assert done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    if name == "json":
        jsonschema.Draft202012Validator(schema("report")).validate(json.loads(done.stdout))


def test_a_log_that_cannot_be_written_is_no_second_defect(company, program, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = program(*company("raise ValueError('x')"), XDG_STATE_HOME=str(tmp_path / "file"))
    assert done.returncode == 3
    assert "no log could be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_package_that_cannot_be_loaded_is_named(company, program, tmp_path: Path) -> None:
    command = company("return Outcome()")
    (tmp_path / "site" / "company_checks.py").write_text("import nothing_like_it")
    done = program(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tunneldoctor: error: checks 'company' can't be loaded")
    assert len(done.stderr.splitlines()) == 1
