"""A code's page as one Markdown text: the words of its body with the steps of its front matter under their headings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tunneldoctor.catalog import Page
    from tunneldoctor.model import Step, Tunnel, Value

_FIX, _CAUSES, _VERIFY = "## How to fix it", "## What else it could be", "## How to make sure"
_PLACES = {"here": "here", "bastion": "on the bastion", "database": "on the database host", "cloud": "in the cloud"}
_ENGINES = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlserver": "SQL Server"}
_PROVIDERS = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud", "onprem": "on premises"}


def markdown(page: Page, tunnel: Tunnel | None = None) -> str:
    """*page* for a reader. With a *tunnel* its values are in the commands, and only what fits it shows."""
    from tunneldoctor.catalog import tunnel_values

    values = tunnel_values(tunnel, _hop(page), {}) if tunnel else {}
    looks = [each.step for each in page.next_steps]
    after = {
        _FIX: [line for step in page.remedy if _fits(step, tunnel) for line in _step(step, values)],
        _CAUSES: _causes(page) + [line for step in looks if _fits(step, tunnel) for line in _step(step, values)],
        _VERIFY: _step(page.verify, values) if page.verify else [],
    }
    return "\n".join([*_heading(page, values), *_body(page, values, after)]).rstrip() + "\n"


def _heading(page: Page, values: Mapping[str, Value]) -> list[str]:
    from tunneldoctor.catalog import text

    return [
        f"# {page.code}",
        "",
        f"**{text(page.title, values)}** ({page.severity})",
        "",
        text(page.summary, values),
        "",
    ]


def _body(page: Page, values: Mapping[str, Value], after: Mapping[str, list[str]]) -> Iterator[str]:
    """The body's lines; what belongs under a heading comes at the end of its section."""
    from tunneldoctor.catalog import command, text

    pending: list[str] = []
    fenced = False
    for line in page.body.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            yield from pending
            pending = after.get(line.strip(), [])
        yield command(line, values) if fenced else text(line, values)
    yield from ["", *pending] if pending else []


def _causes(page: Page) -> list[str]:
    if not page.causes:
        return []
    return ["These look the same from here, likeliest first:", "", *(f"- {cause}" for cause in page.causes), ""]


def _step(step: Step, values: Mapping[str, Value]) -> list[str]:
    from tunneldoctor.catalog import command, text

    engines = " and ".join(_ENGINES.get(each, each) for each in step.engines)
    whose = [_PROVIDERS[step.provider]] if step.provider else []
    where = ", ".join([_PLACES[step.run_on], *whose, *([engines] if engines else [])])
    if step.command is None:
        return [f"- {text(step.text, values)} ({where})", ""]
    lines = command(step.command, values).splitlines()
    return [f"- {text(step.text, values)} ({where}):", "", *(f"      {line}" for line in lines), ""]


def _fits(step: Step, tunnel: Tunnel | None) -> bool:
    """Whether the step is for this tunnel's provider and engine; all are where those are not known."""
    provider = tunnel.provider if tunnel else None
    engine = tunnel.database.engine if tunnel and tunnel.database else None
    of_the_engine = engine is None or not step.engines or engine in step.engines
    return of_the_engine and (provider is None or step.provider in (None, provider))


def _hop(page: Page) -> str:
    return "database" if page.code.startswith("db.") else "bastion"
