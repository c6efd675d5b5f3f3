"""The pictures of the README (``make screens``)."""

import re
from pathlib import Path

import pytest

PICTURES = sorted((Path(__file__).parents[2] / "docs" / "screens").glob("*.svg"))


def test_there_is_one_for_a_dark_and_one_for_a_light_page() -> None:
    assert [path.stem for path in PICTURES] == ["examination-dark", "examination-light"]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_looking_at_a_picture_fetches_nothing_from_anywhere(path: Path) -> None:
    text = path.read_text()
    assert set(re.findall(r"https?://[^\s\"')]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text.replace("url(#", "")
    assert "publickey-refused" in text.replace("&#160;", " ")
