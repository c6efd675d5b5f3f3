"""A runbook as Markdown: one document, or a folder with a file for each page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunneldoctor.runbook.parts import Part

#: What :func:`tunneldoctor.runbook.parts.link` writes.
_LINK = re.compile(r"\]\(#([a-z]+)\.([a-z0-9-]+)\)")
_DEEPEST = 6


def render_markdown(book: Part) -> str:
    """The whole as one document, with a table of contents."""
    contents = [line for part in book.parts for line in _contents(part, "")]
    sections = [line for part in book.parts for line in _section(part, 2)]
    return _joined([f"# {book.title}", "", book.text, *contents, "", *sections])


def render_folder(book: Part) -> Iterator[tuple[str, str]]:
    """Files by their paths: ``index.md`` with the symptoms and all codes, and ``layer/name.md`` for each page."""
    index = [f"# {book.title}", "", book.text]
    for part in book.parts:
        index += _index(part) if any(part.pages) else _section(part, 2)
    yield "index.md", _LINK.sub(r"](\1/\2.md)", _joined(index))
    for page in book.pages:
        layer, _, name = page.anchor.partition(".")
        yield f"{layer}/{name}.md", _LINK.sub(r"](../\1/\2.md)", _joined([f"# {page.title}", "", page.text]))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _contents(part: Part, indent: str) -> Iterator[str]:
    about = f": {part.about}" if part.about else ""
    yield f"{indent}- [{part.title}](#{part.anchor}){about}"
    for each in part.parts:
        yield from _contents(each, f"{indent}  ")


def _section(part: Part, level: int) -> Iterator[str]:
    """Anchors are written out: what a heading's own is called differs from one reader of Markdown to the next."""
    yield from (f'<a id="{part.anchor}"></a>', "", f"{'#' * level} {part.title}", "", _deeper(part.text, level - 1), "")
    for each in part.parts:
        yield from _section(each, level + 1)


def _index(part: Part) -> Iterator[str]:
    yield from (f"## {part.title}", "", part.text)
    for layer in part.parts:
        yield from (
            f"### {layer.title}",
            "",
            *(f"- [{page.title}](#{page.anchor}): {page.about}" for page in layer.pages),
        )
        yield ""


def _deeper(text: str, by: int) -> str:
    """*text* with its headings *by* levels further down; what stands in a fence is no heading."""
    lines = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        heading = re.match("#+(?= )", line) if not fenced else None
        lines.append("#" * min(heading.end() + by, _DEEPEST) + line[heading.end() :] if heading else line)
    return "\n".join(lines)
