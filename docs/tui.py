"""``docs/tui.md``: the screens, and their keys from their bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.keys import format_key

from tunneldoctor.tui.keys import bindings

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = """\
# The screens

<!-- made by `make docs` from the bindings of the screens -->

`tunneldoctor` on a terminal shows the tunnels of the configuration file and the hosts of `~/.ssh/config`, each with the
state of its last run; `a` adds one to the file, whose comments stay. `tunneldoctor tui TUNNEL` goes straight on to the
examination: above, the way from you to the database; on the left, layers and checks; on the right, what was found, the
evidence, the fix and the page; below, the diagnosis. On quitting a summary of five lines stays on the terminal.

- `tunneldoctor tui --open FILE` shows a saved report, or a saved stream of events, and touches no network.
- Copying goes to the terminal's clipboard (OSC 52), else to the machine's own; the message says which.
- A passphrase or password is asked for on demand, with `a`, serves this session and is written down nowhere.
- Where something is no terminal, in a CI job and with `TERM=dumb` it says what to use instead.
- It is usable from 30 columns and 8 lines on. Signs and words say everything, colours only underline it; `NO_COLOR` is
  obeyed, and where the locale has no Unicode everything is ASCII. Light, dark and the terminal's own colours: `t`.

## Keys

Each has an id, by which another key can be given in the configuration file:

```toml
[keys]
"problem.next" = "tab"
"copy.fix" = "c"
```

| id | key | |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    return _TEXT + "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    for name, binding in bindings().items():
        keys = " ".join(f"`{format_key(key)}`" for key in binding.key.split(","))
        words = binding.tooltip or binding.description or name.replace(".", ": ")
        yield f"| `{name}` | {keys} | {words[0].upper()}{words[1:]} |"
