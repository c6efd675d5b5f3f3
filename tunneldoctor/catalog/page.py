"""One page: what a code means and what to do about it, read from Markdown with front matter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from tunneldoctor.model import NextStep, Place, Provider, Retry, Severity, Step

#: The headings of every page's body, in this order.
HEADINGS = ("What it means", "How it shows", "What else it could be", "How to fix it", "How to make sure")
_KEYS = {
    "title", "summary", "severity", "causes", "may_be", "retry", "remedy", "next_steps", "verify", "signs",
    "counter_signs",
}  # fmt: skip
_SIGN_KEYS = {"by", "line", "beside", "unless", "because"}
_STEP_KEYS = {"text", "command", "run_on", "provider", "engine", "splits", "source", "script"}
#: What pages call engines, where several have the same commands.
_FAMILIES = {"mysql": ("mysql", "mariadb")}


class PageError(ValueError):
    """A page can't be used; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What another program prints where this code is the matter, or, on a cause, where it is not.

    ``by`` is the program (``ssh``, ``sshd``, ``libpq`` …), ``line`` a regular expression for what stands within one
    line, in which a space is any white space; its named groups fill the page's fields. It counts only where ``beside``
    is found somewhere in the same text and ``unless`` is not; where ``unless`` has groups of the same names, it takes
    back only what has the same values there. ``because`` is for a sign that speaks against the code.
    """

    by: str
    line: str
    beside: str | None = None
    unless: str | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A code's page. ``title``, ``summary`` and the steps still have their named fields in braces.

    ``causes`` is empty for a root cause; a symptom lists its root causes there, likeliest first. ``may_be`` lists
    what a root cause turns out to be where a further look confirms it (silence that was a port waiting for TLS).
    ``signs`` are the lines of other programs that show this code, ``counter_signs`` those that speak against it.
    ``sources`` maps a command that can't be tried by the tests to the documentation that it was taken from.
    ``notes`` are a company's own words about the code, as plain Markdown.
    """

    code: str
    path: Path
    title: str
    summary: str
    severity: Severity
    causes: tuple[str, ...]
    may_be: tuple[str, ...]
    retry: Retry
    remedy: tuple[Step, ...]
    next_steps: tuple[NextStep, ...]
    verify: Step | None
    sources: Mapping[str, str]
    body: str
    signs: tuple[Sign, ...] = ()
    counter_signs: tuple[Sign, ...] = ()
    notes: str | None = None

    @property
    def is_symptom(self) -> bool:
        """True where several root causes look the same."""
        return bool(self.causes)


def read(path: Path) -> Page:
    """Read the page at *path*, whose folder and name are its code. Raises PageError, OSError."""
    front, body = _split(path)
    unknown = set(front) - _KEYS
    if unknown:
        raise PageError(f"{path}: unknown keys in the front matter: {', '.join(sorted(unknown))}")
    try:
        return _page(path, front, body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PageError(f"{path}: {type(error).__name__}: {error}") from error


def _page(path: Path, front: Mapping[str, Any], body: str) -> Page:
    return Page(
        code=f"{path.parent.name}.{path.stem}",
        path=path,
        title=str(front["title"]),
        summary=str(front["summary"]),
        severity=Severity(front.get("severity", "error")),
        causes=tuple(front.get("causes") or ()),
        may_be=tuple(front.get("may_be") or ()),
        retry=Retry(front.get("retry", "never")),
        remedy=tuple(read_step(each) for each in front.get("remedy") or ()),
        next_steps=tuple(
            NextStep(read_step(each), frozenset(each["splits"])) for each in front.get("next_steps") or ()
        ),
        verify=read_step(front["verify"]) if front.get("verify") else None,
        sources={str(each["command"]).strip(): str(each["source"]) for each in _steps(front) if each.get("source")},
        body=body,
        signs=tuple(_sign(each) for each in front.get("signs") or ()),
        counter_signs=tuple(_sign(each) for each in front.get("counter_signs") or ()),
    )


def _sign(each: Mapping[str, Any]) -> Sign:
    if unknown := set(each) - _SIGN_KEYS:
        raise ValueError(f"unknown keys in a sign: {', '.join(sorted(unknown))}")
    line, beside, unless = str(each["line"]), each.get("beside"), each.get("unless")
    for pattern in filter(None, (line, beside, unless)):
        re.compile(pattern)
    return Sign(str(each["by"]), line, beside, unless, str(each.get("because", "")))


def _steps(front: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for key in ("remedy", "next_steps") for each in front.get(key) or ()]


def _split(path: Path) -> tuple[dict[str, Any], str]:
    import yaml

    start, _, rest = path.read_text(encoding="utf-8").partition("---\n")
    front, found, body = rest.partition("\n---\n")
    if start.strip() or not found:
        raise PageError(f"{path}: the page must start with front matter between two lines of ---")
    try:
        values = yaml.load(front, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise PageError(f"{path}: front matter is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise PageError(f"{path}: front matter must be keys and values")
    return values, body.strip() + "\n"


def read_step(each: Mapping[str, Any]) -> Step:
    """The step that *each* describes. Raises KeyError, ValueError."""
    unknown = set(each) - _STEP_KEYS
    if unknown:
        raise ValueError(f"unknown keys in a step: {', '.join(sorted(unknown))}")
    provider, engine = each.get("provider"), each.get("engine")
    return Step(
        text=str(each["text"]),
        command=_command(each),
        run_on=Place(each.get("run_on", "here")),
        provider=Provider(provider) if provider else None,
        engines=_FAMILIES.get(engine, (engine,)) if engine else (),
    )


def _command(each: Mapping[str, Any]) -> str | None:
    """The command, in which ``{script}`` stands for the file that ``script: PACKAGE/FILE`` names, taken as it is."""
    command = str(each.get("command") or "").strip()
    if "script" not in each:
        return command or None
    package, _, file = str(each["script"]).partition("/")
    try:
        script = files(package).joinpath(file).read_text("utf-8").strip()
    except (ImportError, OSError) as error:
        raise ValueError(f"no script {each['script']}: {error}") from error
    return command.replace("{script}", script.replace("{", "{{").replace("}", "}}"))
