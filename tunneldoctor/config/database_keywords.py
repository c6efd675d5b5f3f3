"""Connection strings of names and values: libpq's ``host=db dbname=orders``; those of ADO.NET and ODBC are told."""

import re
from collections.abc import Iterator

from tunneldoctor.config.errors import BadUrl

_FIRST = re.compile(r"\s*[A-Za-z][A-Za-z0-9_ ]{0,40}=")
#: ``Server=db;…``, ``Data Source=…``, ``Driver={…};…``
_ADO = re.compile(r"\s*(?:\w+ +\w+\s*=|\w+\s*=\s*(?:\{[^}]*\}|[^\s;']*);)")
# fe-connect.c, conninfo_parse: a value is quoted, or ends at white space; after a backslash any character is itself.
_PAIR = re.compile(
    r"""\s*([^\s=]+)\s*=\s*
    (?:'((?:\\.|[^'\\])*)'|((?:\\.|[^\s'\\])(?:\\.|[^\s\\])*)?)
    (?=\s|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_AS_URL = "write it as postgresql://user@host:5432/name, mysql://… or sqlserver://host:1433;databaseName=name;user=…"
_QUOTES = r"write name='value' with \' for a quote inside"


def looks_like_keywords(text: str) -> bool:
    """True where *text* begins with a name and ``=``, as no URL does."""
    return _FIRST.match(text) is not None


def parse_keywords(text: str) -> dict[str, str]:
    """The options of libpq's keyword form. Raises BadUrl; its words hold nothing of *text*."""
    if _ADO.match(text):
        raise BadUrl("scheme", "it is a connection string of ADO.NET or ODBC, which is not read here", _AS_URL)
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _PAIR.match(text, at)
        if match is None:
            raise BadUrl("whole", "a name without a value, or a quote that is not closed", _QUOTES)
        value = match[2] if match[2] is not None else match[3] or ""
        yield match[1].lower(), re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        at = match.end()
