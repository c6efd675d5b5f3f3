"""The program as users run it: a process of its own, in a folder and a home of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

Program = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-m", "tunneldoctor"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of the machine's own configuration, agent or keys."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    home = tmp_path / "home"
    home.mkdir()
    return kept | {"HOME": str(home), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "COLUMNS": "100"}


@pytest.fixture
def program(tmp_path: Path, environment: dict[str, str]) -> Program:
    """Run ``tunneldoctor`` with arguments in *tmp_path*; further variables by name."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


PAGE = """\
---
title: "{title}"
summary: "{summary}"
severity: {severity}
retry: {retry}
remedy:
  - text: "Mend it"
    command: "mend {{bastion_host}} {{word}}"
    run_on: bastion
  - text: "Mend it in the cloud"
    command: "aws mend"
    run_on: cloud
    provider: aws
verify:
  text: "It is mended"
  command: "look {{bastion_host}}"
---
## What it means
It is broken.

## How it shows
It shows.

## What else it could be
Nothing else.

## How to fix it
Mend it.

## How to make sure
Look at it.
"""

CHECKS = """\
import sys, time
from pathlib import Path
from tunneldoctor.model import *

def run(context):
{body}

CHECK = Check(id="config.company", layer=Layer.CONFIG, title="the company is content", where=Where.BASTION, run=run,
              codes=("config.company-fault", "config.company-complaint"))
PACKAGE = CheckPackage("company", (CHECK,), Path(__file__).parent / "pages")
"""


@pytest.fixture
def company(tmp_path: Path, environment: dict[str, str]) -> Callable[..., list[str]]:
    """Install a check of somebody's own, given the body of its function; returns arguments that run it alone.

    Its pages are an error, ``config.company-fault``, and a warning, ``config.company-complaint``.
    """

    def install(body: str, retry: str = "never") -> list[str]:
        folder = tmp_path / "site"
        metadata = folder / "company-1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: company\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text("[tunneldoctor.checks]\ncompany = company_checks:PACKAGE\n")
        (folder / "company_checks.py").write_text(CHECKS.format(body=indent(body, "    ")))
        pages = folder / "pages" / "config"
        pages.mkdir(parents=True)
        words = {"title": "{bastion_host} is broken", "summary": "The {word} of {bastion_host} is broken."}
        for name, severity in (("fault", "error"), ("complaint", "warning")):
            (pages / f"company-{name}.md").write_text(PAGE.format(severity=severity, retry=retry, **words))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), environment["PYTHONPATH"]]))
        return ["check", "--ssh-url", "ssh://tunnel@bastion.example.com", "--only", "config.company"]

    return install
