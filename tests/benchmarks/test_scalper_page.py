"""The figures of docs/scalp.md: counted on made bars, and as the page says on recorded ones."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bars.synthetic import START
from commands.scalper_market import DAY, PLAN, events, missed, tape
from signals.test_scalp import TEN_SECONDS, lively

from benchmarks.recorded.scalper import (
    BEGIN,
    COST,
    END,
    Market,
    counted,
    hit_table,
    markets,
    missed_table,
    outcome_table,
    outcomes,
    replaced,
    report,
)
from hydra_ft.bars.candles import bars_from
from hydra_ft.signals.scalp import ScalpRules

PAGE = Path(__file__).parents[2] / "docs" / "scalp.md"
HOME = os.environ.get("HYDRA_TEST_DATA", "")


def planned() -> Market:
    """A day in which the signal comes each hour, with what follows as planned."""
    made = tape(days=1)
    bars = bars_from(
        made.time, TEN_SECONDS, (made.open, made.high, made.low, made.close), made.volume
    )
    return Market("made", bars)


def test_signals_end_as_the_tape_plans_them() -> None:
    found = outcomes(planned().bars, ScalpRules())
    events_of_day = list(events(1).values())
    # Those that come at :20 of a minute have no plan, and time ends them.
    assert (found.target, found.stop) == (
        events_of_day.count("target"),
        events_of_day.count("stop"),
    )
    assert found.time == events_of_day.count("time") + len(missed(1))
    assert len(found.net) == len(events_of_day) + len(missed(1))
    assert min(found.net) < -0.007 - COST < 0 < max(found.net)
    assert set(PLAN) == {"target", "stop", "time"}


def test_a_stop_comes_first_in_a_bar_that_reaches_both() -> None:
    bars = lively((150,), n=260)
    high, low = bars.high.copy(), bars.low.copy()
    high[152], low[152] = 1.05 * high[152], 0.95 * low[152]
    found = outcomes(replace(bars, high=high, low=low), ScalpRules())
    assert (found.target, found.stop) == (0, 1)


def test_two_bars_of_six_are_counted_at_a_minute() -> None:
    closes = START + TEN_SECONDS * np.arange(1, 7)
    assert counted(closes).tolist() == [False, False, False, False, True, True]


def test_the_tables_say_what_was_planned() -> None:
    market = planned()
    hits = hit_table([market]).splitlines()[-1]
    assert hits.startswith(f"| made | 10 s | 24 | {DAY // TEN_SECONDS - 50} |")
    assert hits.endswith(f"| {24 + 24} |")
    # Half of them close at :50 or with their minute, the others at :30.
    assert "| 0.6 % | 48 | 24 (50 %) | 48 | 24 (50 %) |" in missed_table(market)
    silent = Market("silent", lively((), n=60))
    assert len(outcome_table([market, silent]).splitlines()) == 3


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert replaced(page, f"{BEGIN}\nnew\n{END}") == f"before\n{BEGIN}\nnew\n{END}\nafter"
    with pytest.raises(ValueError, match="were not there"):
        replaced("no marks", "new")


@pytest.mark.ci
@pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data")
def test_the_page_has_the_figures_of_the_recorded_data() -> None:
    """F-B5: the page is what the script makes."""
    written = PAGE.read_text(encoding="utf-8")
    assert replaced(written, report(markets(Path(HOME)))) == written
