"""Texts that real programs printed, read back: what was broken is named, and nothing more certain than the text."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tunneldoctor.catalog import Catalog
from tunneldoctor.model import Hop, Tunnel
from tunneldoctor.pasted import Told, blocks, scan, told
from tunneldoctor_checks import PACKAGE

TEXTS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text())["text"]
PUBLIC: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("public.toml").read_text())["text"]
CATALOG = Catalog.of([PACKAGE])
PAGES = list(CATALOG)
SOMEBODY = Tunnel("TUNNEL", (Hop("bastion", None),), None)
#: Shares of the texts, of what was reached when they were collected.
EXACT, EXACT_OR_IN_THE_SET = 0.38, 0.78


def read(text: str | bytes) -> list[Told]:
    data = text.encode() if isinstance(text, str) else text
    return told(scan(blocks(io.BytesIO(data)), PAGES), CATALOG, SOMEBODY)


def outcome(text: dict[str, Any]) -> str:
    findings = read(text["text"])
    if not findings:
        return "silent"
    first = findings[0].finding
    if first.causes == (text["cause"],):
        return "exact"
    return "in the set" if text["cause"] in (*first.causes, first.code) else "missed"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text["name"])
def test_nothing_is_certain_that_the_text_leaves_open(text: dict[str, Any]) -> None:
    for each in read(text["text"])[:1]:
        certain = len(each.finding.causes) == 1
        assert not certain or text["cause"] in (*each.finding.causes, each.finding.code, each.finding.symptom)


def test_most_texts_name_what_was_broken_or_the_set_that_holds_it() -> None:
    outcomes = [outcome(text) for text in TEXTS]
    assert len(TEXTS) >= 80
    assert outcomes.count("exact") >= EXACT * len(TEXTS)
    assert outcomes.count("exact") + outcomes.count("in the set") >= EXACT_OR_IN_THE_SET * len(TEXTS)


@pytest.mark.parametrize("text", PUBLIC, ids=lambda text: text["thread"])
def test_what_people_quote_in_public_threads_is_known(text: dict[str, Any]) -> None:
    first = read(text["text"])[0].finding
    assert text["shows"] in {first.code, first.symptom}
    assert text.get("holds", first.causes[0]) in first.causes
