"""What the documents point to is there: files, headings, targets of make, keys of the configuration, facts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import DOCUMENTS, ROOT, blocks, name
from tunneldoctor.cli.options import FORMATS
from tunneldoctor.config import KEYS, load, option_name
from tunneldoctor.tui.keys import check

LINK = re.compile(r'(?:\]\(|src(?:set)?=")([^)"\s]+)')
CONFIGURATION = ROOT / "docs" / "configuration.md"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_each_link_leads_to_a_file_and_a_heading_that_are_there(document: Path) -> None:
    for link in LINK.findall(document.read_text("utf-8")):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not heading or heading in _headings(target), link


def _headings(document: Path) -> set[str]:
    """As GitHub makes anchors of them: lower case, no punctuation, dashes for blanks."""
    lines = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_each_target_of_make_is_one(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = re.findall(r"(?:`|\$ )make ([a-z]+)", document.read_text("utf-8"))
    assert set(shown) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_each_example_of_a_configuration_is_read(document: Path, tmp_path: Path) -> None:
    for text in blocks(document, "toml"):
        path = tmp_path / "tunneldoctor.toml"
        path.write_text(text, "utf-8")
        configuration = load(path, {"HOME": str(tmp_path)}, tmp_path)
        check(configuration.keys)
        for tunnel in configuration.names():
            problems = configuration.tunnel(tunnel, {}).problems
            assert {each.code for each in problems} <= {"config.missing-field"}  # an example may be a part of a tunnel
        assert set(tomllib.loads(text)) <= {"defaults", "tunnels", "keys", "notes"}


def test_each_key_of_a_tunnel_is_in_the_table_and_nothing_else() -> None:
    table = CONFIGURATION.read_text("utf-8").partition("| key |")[2].partition("\n\n")[0]
    told = [key for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(KEYS)


def test_each_format_is_told_to_programs() -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    assert [
        each for each in FORMATS if each != "text" and f"--{each}" not in text and f"--format {each}" not in text
    ] == []


def test_each_option_of_a_tunnel_is_named_as_the_documents_say() -> None:
    others = {key: option_name(key) for key in KEYS if option_name(key) != "--" + key.replace("_", "-")}
    assert others == {"connect_timeout": "--timeout"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_each_code_and_check_that_a_document_names_is_there(document: Path) -> None:
    from tunneldoctor.catalog import Catalog
    from tunneldoctor.model import Layer
    from tunneldoctor_checks import PACKAGE

    known = {*Catalog([PACKAGE.pages]).codes(), *(each.id for each in PACKAGE.checks)}
    layers = "|".join(Layer)
    told = set(re.findall(rf"\b((?:{layers})\.[a-z]+(?:-[a-z0-9]+)+)\b", document.read_text("utf-8")))
    assert {each.removesuffix("-md") for each in told} - known == set()
