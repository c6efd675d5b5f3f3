"""Write the pages that are made from the program itself: ``python -m docs`` (``make docs``)."""

from pathlib import Path

from docs import codes, man, tui


def made() -> dict[Path, str]:
    """Each file that is made, with what it has to hold."""
    folder = Path(__file__).parent
    return {
        folder / "codes.md": codes.page(),
        folder / "tui.md": tui.page(),
        folder / "tunneldoctor.1": man.page(),
    }


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")
