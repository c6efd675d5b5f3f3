"""The JSON Schemas (draft 2020-12) of what the program writes, shipped beside this file."""

from __future__ import annotations

from typing import Any

#: What each schema refers to; a document of schemas is given out whole, so that nobody has to fetch a part of it.
_PARTS: dict[str, tuple[str, ...]] = {
    "report": (),
    "fleet": ("report",),
    "events": ("report",),
    "diff": ("report",),
    "pin": ("report",),
    "evidence": ("report",),
    "reading": ("report",),
    "repair-key": ("report",),
}

#: The names that :func:`schema` knows.
NAMES = tuple(_PARTS)


def schema(name: str = "report") -> dict[str, Any]:
    """The schema of the document *name*, complete. Raises KeyError for a name that is not in :data:`NAMES`."""
    parts = _PARTS[name]
    document = _read(name)
    if parts:
        document.setdefault("$defs", {}).update({part: _read(part) for part in parts})
    return document


def schema_json(name: str = "report") -> str:
    """The same as text."""
    import json

    return json.dumps(schema(name), indent=2) + "\n"


def _read(name: str) -> dict[str, Any]:
    import json
    from importlib.resources import files

    text = files("tunneldoctor.report").joinpath("schema", f"{name}-1.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
