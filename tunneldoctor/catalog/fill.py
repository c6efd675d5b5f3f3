"""Fill named fields in braces with values: as they are in text, quoted for a POSIX shell in commands."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunneldoctor.model import Step, Value, visible

_FIELD = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}")


class Words(str):
    """A value of several words for a shell, each quoted on its own; as text they stand side by side."""

    __slots__ = ("words",)

    def __new__(cls, words: Sequence[str]) -> "Words":
        """From the *words*, unquoted."""
        made = super().__new__(cls, " ".join(words))
        made.words = tuple(words)
        return made

    words: tuple[str, ...]


def text(template: str, values: Mapping[str, Value]) -> str:
    """Fill *template*; a field without a value stays as ``{name}``, ``{{`` and ``}}`` are literal braces."""
    return _FIELD.sub(lambda match: _filled(match, values, quoted=False), template)


def command(template: str, values: Mapping[str, Value]) -> str:
    """The same with every value quoted as one word for a POSIX shell, :class:`Words` as several."""
    return _FIELD.sub(lambda match: _filled(match, values, quoted=True), template)


def whole_command(template: str, values: Mapping[str, Value]) -> str:
    """The same, or nothing at all where a field has no value: a command with a gap is of no use to anybody."""
    named = {match[1] for match in _FIELD.finditer(template) if match[1]}
    return command(template, values) if all(values.get(name) is not None for name in named) else ""


def unfilled(filled: str) -> bool:
    """Whether a field is left that had no value."""
    return any(match[1] for match in _FIELD.finditer(filled))


def step(template: Step, values: Mapping[str, Value]) -> Step:
    """*template* with text and command filled."""
    filled = command(template.command, values) if template.command else None
    return replace(template, text=text(template.text, values), command=filled)


def _filled(match: re.Match[str], values: Mapping[str, Value], quoted: bool) -> str:
    name = match.group(1)
    if name is None:
        return match.group(0)[0]
    value = values.get(name)
    if value is None:
        return match.group(0)
    if not quoted:
        return visible(str(value))
    return " ".join(_quote(visible(word)) for word in (value.words if isinstance(value, Words) else (str(value),)))


def _quote(word: str) -> str:
    """One word for a POSIX shell; a leading ``~/`` is left for the shell to expand."""
    return "~/" + shlex.quote(word[2:]) if word.startswith("~/") and len(word) > 2 else shlex.quote(word)
