"""Imbalances beside the bars: plain Python from the trades, gaps, and freqtrade's own."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked, reference
from bars.freqtrade_flow import frame_of, populated
from bars.profile_reference import imbalanced, runs

from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.footprint_columns import ImbalanceRules, footprint_columns
from hydra_ft.types import FootprintColumns
from hydra_ft.types.flow import Flow, Footprint, TradeGrid, Trades

MINUTE = 60_000
SPAN = 30 * MINUTE
TRADES = made_trades(6_000, seed=5, span_ms=SPAN)
RULES = ImbalanceRules(ratio=2.0, stack=2, least_share=0.5)


def flow(trades: Trades = TRADES, until: int = SPAN) -> Flow:
    kept = picked(trades, np.flatnonzero(trades.time < START + until))
    return flow_of(kept, GRID, MINUTE, covered=(START, START + until))


def plain(levels: dict[int, list[int]]) -> dict[str, float]:
    """Columns of a bar from what was bought and sold at each tick."""
    held = {tick: (bought, sold) for tick, (bought, sold) in levels.items()}
    least = RULES.least_share * sum(map(sum, held.values())) / len(held)
    row: dict[str, float] = {"levels": len(held)}
    for side, ticks in zip(("buy", "sell"), imbalanced(held, RULES.ratio, least), strict=True):
        stretches = runs(ticks)
        longest = max(map(len, stretches), default=0)
        stacks = [s for s in stretches if len(s) >= RULES.stack]
        row[f"{side}_levels"] = len(ticks)
        row[f"{side}_stacks"] = len(stacks)
        row[f"{side}_longest"] = longest
        found = next((s for s in stacks if len(s) == longest), None)
        row[f"{side}_stack"] = (found[0] + found[-1]) / 20 if found else np.nan
    return row


def test_columns_are_those_of_plain_python_from_the_trades() -> None:
    found = footprint_columns(flow(), RULES)
    bars = reference(TRADES, GRID, MINUTE)
    for t, bar in enumerate(bars):
        for name, wanted in plain(bar.levels).items():
            value = getattr(found, name)[t]
            assert value == pytest.approx(wanted, nan_ok=True), (t, name)
    assert np.nansum(found.buy_stacks) > 3
    assert np.nansum(found.sell_stacks) > 3


def test_no_column_knows_what_comes_after_its_bar() -> None:
    early, whole = footprint_columns(flow(until=SPAN // 2)), footprint_columns(flow())
    for f in fields(FootprintColumns):
        np.testing.assert_array_equal(getattr(early, f.name), getattr(whole, f.name)[:15])


def test_a_bar_of_which_a_trade_is_missing_is_unknown_alone() -> None:
    torn = flow(picked(TRADES, np.delete(np.arange(6_000), 3_000)))
    row = int(TRADES.time[3_001] - START) // MINUTE
    found = footprint_columns(torn)
    for name in ("levels", "buy_levels", "sell_stacks", "buy_longest"):
        assert np.flatnonzero(np.isnan(getattr(found, name))).tolist() == [row], name
    bars = with_flow(candles(torn.bars), torn)
    assert bars.footprint is not None
    np.testing.assert_array_equal(bars.footprint.levels, found.levels)


def test_a_bar_whose_cells_are_no_longer_kept_is_unknown_and_not_without_levels() -> None:
    """Footprints are dropped before bars; a bar in which nothing traded has none and is known."""
    some = picked(TRADES, np.flatnonzero((TRADES.time - START) // MINUTE != 20))
    whole = flow(replace(some, id=np.arange(len(some))))
    cells = np.repeat(np.arange(30), np.diff(whole.footprint.offsets))
    # The first ten bars hold none any more, and the thirteenth lacks one.
    kept = np.flatnonzero((cells >= 10) & (np.arange(len(cells)) != np.argmax(cells == 12)))
    counts = np.bincount(cells[kept], minlength=30)
    footprint = Footprint(
        whole.footprint.grid,
        np.concatenate(([0], np.cumsum(counts))),
        *(getattr(whole.footprint, name)[kept] for name in ("bin", "buy", "sell")),
    )
    found = footprint_columns(replace(whole, footprint=footprint), RULES)
    unknown = [*range(10), 12]
    for name in ("levels", "buy_levels", "sell_stacks", "buy_longest"):
        assert np.flatnonzero(np.isnan(getattr(found, name))).tolist() == unknown, name
    assert found.levels[20] == 0
    known = np.setdiff1d(np.arange(30), unknown)
    expected = footprint_columns(whole, RULES)
    for f in fields(FootprintColumns):
        np.testing.assert_array_equal(
            getattr(found, f.name)[known], getattr(expected, f.name)[known]
        )


def planted() -> Trades:
    """One bar: at each level ten small sellers (1.0 in all) and one large buyer (5.0).

    By number sellers outweigh buyers, by volume it is the other way round. 100.0 to 100.2
    touch each other, 100.4 lies apart.
    """
    ticks = np.repeat([1000, 1001, 1002, 1004], 11)
    sizes, sides = np.tile([0.1] * 10 + [5.0], 4), np.tile([-1] * 10 + [1], 4)
    time = START + np.arange(44) * 100
    return trades_from(np.arange(44), time, ticks / 10, sizes, sides)


def test_a_stack_is_of_volume_and_of_levels_that_touch_where_freqtrade_s_is_neither() -> None:
    """Three levels in a row to freqtrade are two and one that lies apart."""
    made = flow_of(planted(), TradeGrid(0.1, 0.1), MINUTE, covered=(START, START + MINUTE))
    ours = footprint_columns(made)
    assert (ours.buy_levels[0], ours.buy_stacks[0], ours.buy_longest[0]) == (3, 0, 2)
    assert footprint_columns(made, ImbalanceRules(stack=2)).buy_stack[0] == pytest.approx(100.15)
    theirs = populated(frame_of(planted()), made.bars, "1m", scale=0.1).iloc[0]
    assert theirs["stacked_imbalances_bid"] == [100.0]
    assert theirs["stacked_imbalances_ask"] == []
