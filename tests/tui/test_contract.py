"""The screens read events and ask the engine to run or to stop: they measure nothing and decide nothing."""

import ast
from pathlib import Path

import tunneldoctor.tui

FOLDER = Path(tunneldoctor.tui.__file__).parent
FORBIDDEN = ("tunneldoctor_checks", "tunneldoctor.net", "tunneldoctor.ssh", "tunneldoctor.database", "tunneldoctor.cli",
             "tunneldoctor.bastion", "tunneldoctor.idle", "paramiko", "dns", "socket", "ssl", "psutil")  # fmt: skip


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_no_screen_imports_what_looks_at_a_tunnel() -> None:
    for path in FOLDER.glob("*.py"):
        for name in imports(path):
            assert not any(name == each or name.startswith(f"{each}.") for each in FORBIDDEN), f"{path.name}: {name}"


def test_only_the_bridge_runs_an_examination_and_only_through_what_the_command_line_uses() -> None:
    users = {
        path.name for path in FOLDER.glob("*.py") if "tunneldoctor.examination.examination.Examination" in imports(path)
    }
    assert users == {"bridge.py"}
    for path in FOLDER.glob("*.py"):
        assert "tunneldoctor.engine.Run" not in imports(path), path.name
