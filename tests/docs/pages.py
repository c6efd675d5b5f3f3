"""The documents for people, and what stands in their code blocks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(document: Path) -> str:
    """The document as a person would name it."""
    return str(document.relative_to(ROOT))


def blocks(document: Path, language: str) -> list[str]:
    """The code blocks of *document* in that language."""
    return [text for found, text in _BLOCK.findall(document.read_text("utf-8")) if found == language]


def commands(document: Path) -> list[str]:
    """What stands behind the prompts of its consoles, with the lines that belong to it joined."""
    lines = "".join(blocks(document, "console")).replace("\\\n", " ").splitlines()
    return [" ".join(line.removeprefix("$ ").split()) for line in lines if line.startswith("$ ")]
