import pytest

from tunneldoctor.config import duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("10s", 10), ("5m", 300), ("1h", 3600), ("0s", 0), ("1.5s", 1.5)]
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "s", "10 s", "10 parsecs", "-1s", "1e3s", "10S", "1h30m", "٣s", "inf", "9999h", "10s\n"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|week"):
        duration(text)
