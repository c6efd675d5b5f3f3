"""``docs/codes.md``: the exit statuses, and every code by layer, from the front matter of its page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunneldoctor.catalog import Catalog
from tunneldoctor.model import Layer
from tunneldoctor.runbook.parts import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunneldoctor.catalog import Page

_PAGES = Path(__file__).parents[1] / "checks" / "tunneldoctor_checks"
_LINK = "../checks/tunneldoctor_checks"

_HEAD = """\
# Exit statuses and codes

<!-- made by `make docs` from the front matter of the pages -->

The exit status of `tunneldoctor check`, `idle` and `demo` is the same in every format:

| status | meaning |
| --- | --- |
| 0 | every tunnel healthy; warnings are allowed unless `--fail-on warning` |
| 1 | at least one tunnel has a failure |
| 2 | the command line or the configuration file can't be used; nothing was checked |
| 3 | no failure was found, but something that had to be checked could not be |
| 130, 143, 129 | interrupted by SIGINT, SIGTERM, SIGHUP; what was found so far is printed, with `complete` false |

Of several tunnels the worst counts: 1 before 3 before 0. What the other commands mean by theirs is in their `--help`.

## Codes

A code names what is wrong, not how it was found, and keeps its meaning between versions. `tunneldoctor explain CODE`
shows its page, `tunneldoctor list codes --json` this list for programs. A *symptom* leaves several causes open, which
its page lists; the examination subtracts those that the evidence rules out. The severity is the most that it can be.
"""


def page() -> str:
    """The whole page."""
    pages = sorted(Catalog([_PAGES]), key=lambda each: each.code)
    return "\n".join([_HEAD, *(line for layer in Layer for line in _section(layer, pages))])


def _section(layer: Layer, pages: list[Page]) -> Iterator[str]:
    yield f"### {layer.value}: {LAYERS[layer]}\n\n| code | | what it says |\n| --- | --- | --- |"
    for each in pages:
        prefix, _, name = each.code.partition(".")
        if prefix == layer.value:
            kind = f"{each.severity.value}, symptom" if each.causes else each.severity.value
            title = each.title.replace("|", "\\|").replace("<", "&lt;")
            yield f"| [{each.code}]({_LINK}/{prefix}/{name}.md) | {kind} | {title} |"
    yield ""
