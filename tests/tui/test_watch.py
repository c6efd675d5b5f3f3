"""The history of a watch: what was lost is not zero, and can be told from the slowest answer without any colour."""

from tests.tui.runs import events_of, sample, shown
from tests.tui.screen import screen_text
from tunneldoctor.tui.state import again, fold_all
from tunneldoctor.tui.watch import bars, history


def test_a_lost_probe_is_a_full_bar_which_no_latency_is() -> None:
    assert bars([10.0, None, 100.0, 0.0]).plain == "▂█▇▁"


def test_each_stop_has_its_last_value_its_spread_and_its_losses() -> None:
    lines = history([{"bastion": 20.0, "database": 30.0}, {"bastion": 24.0, "database": None}], 80).plain.splitlines()
    assert lines[0].endswith("24 ms, 20 ms to 24 ms; none of 2 lost")
    assert lines[1].endswith("lost, 30 ms to 30 ms; 1 of 2 lost (█)")


async def test_the_history_is_there_from_the_second_run_on() -> None:
    async with shown(events_of(sample("healthy"))) as it:
        assert "of 2 lost" not in screen_text(it.app)
        it.screen.show(fold_all(again(it.screen.state), events_of(sample("healthy"))))
        await it.settle()
        assert "24 ms to 24 ms; none of 2 lost" in screen_text(it.app)
