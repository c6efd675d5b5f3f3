"""A saved run shows the same screens as it did while it ran."""

from pathlib import Path

from tests.tui.runs import events_of, sample, shown
from tests.tui.screen import screen_text
from tunneldoctor.report import event_line
from tunneldoctor.report.from_ndjson import events_from_ndjson


async def screens(events: list, tunnel=None) -> list[str]:
    async with shown(events, tunnel=tunnel) as it:
        texts = [screen_text(it.app)]
        for keys in (("l", "plus"), ("plus", "l"), ("enter", "plus", "end")):
            await it.pilot.press(*keys)
            await it.settle()
            texts.append(screen_text(it.app))
        return texts


async def test_what_was_saved_as_ndjson_shows_the_same_screens(tmp_path: Path) -> None:
    for name in ("broken", "jump-hosts"):
        report = sample(name)
        live = events_of(report)
        file = tmp_path / "events.ndjson"
        file.write_text("".join(map(event_line, live)), encoding="utf-8")
        with file.open("rb") as lines:
            saved = list(events_from_ndjson(lines))
        assert await screens(saved) == await screens(live, report.tunnel)
