"""A runbook as one HTML page that needs nothing but itself: it works from a file, from a mail, and on paper.

Its own security policy forbids whatever is not in it: scripts and styles but by their hashes, and any request. Markdown
becomes HTML with markdown-it-py, which escapes what is no Markdown of ours.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from tunneldoctor import __version__
from tunneldoctor.runbook.parts import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: A block of more lines is folded away behind a line that says how long it is.
_BLOCK_LINES = 15
_DEEPEST = 6
_CODE = re.compile(r"<code>([a-z]+\.[a-z0-9-]+)</code>")


def render_html(book: Part) -> str:
    """The whole page. The same runbook gives the same bytes."""
    codes = {page.anchor for page in book.pages}
    style, script = _file("page.css"), _file("page.js")
    return Template(_file("page.html")).substitute(
        title=_inline(book.title, strip=True),
        heading=_inline(book.title),
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'",
        style=style,
        script=script,
        intro=_html(book.text, 0),
        contents="\n".join(line for part in book.parts for line in _contents(part)),
        sections=_linked("\n".join(line for part in book.parts for line in _section(part, 2)), codes),
        version=escape(__version__),
        count=str(len(codes)),
    )


def _contents(part: Part) -> Iterator[str]:
    """The symptoms stand open; a layer's codes are folded away."""
    reference = f'<a href="#{escape(part.anchor)}">{_inline(part.title)}</a>'
    if not part.parts:
        yield f"<li>{reference}</li>"
    elif any(each.is_page for each in part.parts):
        yield f"<li><details><summary>{_inline(part.title)}</summary><ul>"
        yield from (line for each in part.parts for line in _contents(each))
        yield "</ul></details></li>"
    else:
        yield f"<h2>{reference}</h2><ul>"
        yield from (line for each in part.parts for line in _contents(each))
        yield "</ul>"


def _section(part: Part, level: int) -> Iterator[str]:
    element = "article" if not part.parts else "section"
    name = f"<code>{escape(part.title)}</code>" if part.is_page else _inline(part.title)
    yield f'<{element} id="{escape(part.anchor)}"><h{level}>{name}</h{level}>'
    yield _html(part.text, level - 1)
    for each in part.parts:
        yield from _section(each, level + 1)
    yield f"</{element}>"


def _linked(html: str, codes: set[str]) -> str:
    """Where a page mentions another code, it leads there."""

    def linked(match: re.Match[str]) -> str:
        return f'<a href="#{match[1]}">{match[0]}</a>' if match[1] in codes else match[0]

    return _CODE.sub(linked, html)


def _html(text: str, deeper: int) -> str:
    rendered: str = _markdown().render(text, {"deeper": deeper})
    return rendered


def _inline(text: str, strip: bool = False) -> str:
    rendered: str = _markdown().renderInline(text)
    return re.sub(r"<[^>]*>", "", rendered) if strip else rendered


@cache
def _markdown() -> MarkdownIt:
    """CommonMark without HTML and without images, which would be fetched; full addresses become links."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "linkify": True}).enable("linkify").disable("image")
    assert reader.linkify
    reader.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    reader.linkify.add("//", None)
    reader.add_render_rule("heading_open", _heading)
    reader.add_render_rule("heading_close", _heading)
    reader.add_render_rule("code_block", _block)
    reader.add_render_rule("fence", _block)
    return reader


def _heading(self: Any, tokens: Sequence[Token], at: int, options: Any, env: dict[str, int]) -> str:
    level = min(int(tokens[at].tag[1:]) + env.get("deeper", 0), _DEEPEST)
    return f"<h{level}>" if tokens[at].nesting > 0 else f"</h{level}>\n"


def _block(self: Any, tokens: Sequence[Token], at: int, options: Any, env: dict[str, int]) -> str:
    text = tokens[at].content.rstrip("\n")
    block = f"<pre><code>{escape(text)}</code></pre>\n"
    lines = text.count("\n") + 1
    return f"<details><summary>{lines} lines</summary>{block}</details>\n" if lines > _BLOCK_LINES else block


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _file(name: str) -> str:
    return files("tunneldoctor.runbook").joinpath(name).read_text(encoding="utf-8")
