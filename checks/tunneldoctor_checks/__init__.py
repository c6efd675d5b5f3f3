"""The built-in checks, registered through the same entry point as anybody's own.

A check is a module ``LAYER/name.py`` with a ``CHECK``; a code is a page ``LAYER/code-name.md``. Being there is being
registered, so that neither can be forgotten. What checks of one layer share is a module with a leading underscore
there; what several layers share stands here: the facts, the look from the bastion, the second vantage.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tunneldoctor.model import Check, CheckPackage, Layer

_HERE = Path(__file__).parent


def _checks() -> tuple[Check, ...]:
    names = [(layer, module.name) for layer in Layer for module in iter_modules([str(_HERE / layer)])]
    return tuple(import_module(f"{__name__}.{layer}.{name}").CHECK for layer, name in names if not name.startswith("_"))


PACKAGE = CheckPackage("tunneldoctor", _checks(), _HERE)
