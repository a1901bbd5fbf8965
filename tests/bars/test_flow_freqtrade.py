"""Freqtrade's own order flow is the oracle for what it computes rightly."""

from __future__ import annotations

import numpy as np
from bars.flow_reference import GRID, START, made_trades
from bars.freqtrade_flow import assert_as_freqtrade, frame_of, populated, trades_of

from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.footprint import imbalances
from hydra_ft.types.flow import TradeGrid

MINUTE = 60_000


def test_volumes_delta_its_extremes_and_the_count_are_freqtrades() -> None:
    trades = made_trades(4_000, seed=11, span_ms=300_000)
    bars = flow_of(trades, GRID, MINUTE).bars
    frame = frame_of(trades)
    assert_as_freqtrade(populated(frame, bars, "1m", 0.1), bars)
    again = trades_of(frame)
    assert np.array_equal(again.side, trades.side)
    assert np.array_equal(again.id, trades.id)


def test_the_levels_of_a_bar_are_freqtrades_where_its_bins_are_ticks() -> None:
    trades = made_trades(900, seed=12, span_ms=120_000)
    flow = flow_of(trades, GRID, MINUTE)
    theirs = populated(frame_of(trades), flow.bars, "1m", 0.1)["orderflow"]
    for i, levels in enumerate(theirs):
        cells = slice(flow.footprint.offsets[i], flow.footprint.offsets[i + 1])
        found = {round(price / 0.1): level for price, level in levels.items()}
        assert sorted(found) == flow.footprint.bin[cells].tolist()
        for side, lots in (("ask", flow.footprint.buy), ("bid", flow.footprint.sell)):
            wanted = [found[b][f"{side}_amount"] for b in sorted(found)]
            np.testing.assert_allclose(GRID.quantities(lots[cells]), wanted, atol=1e-9)


def test_where_freqtrade_counts_trades_we_weigh_volume() -> None:
    """As many trades of a hundred times the size are no imbalance to it."""
    small, large = 0.01, 1.0
    prices = [100.0, 100.1, 100.2] * 2 + [99.9, 100.3]
    sizes = [small] * 3 + [large] * 3 + [small] * 2
    sides = [1, 1, 1, -1, -1, -1, 1, 1]
    n = len(prices)
    dense = trades_from(np.arange(n), START + np.arange(n), prices, sizes, sides)
    found = flow_of(dense, TradeGrid(0.1, 0.01), MINUTE)
    theirs = populated(frame_of(dense), found.bars, "1m", 0.1)
    assert theirs["stacked_imbalances_bid"][0] == []
    assert imbalances(found.footprint, 3.0, 3).sell_stacks.tolist() == [1]


def test_where_freqtrade_calls_gaps_adjacent_we_do_not() -> None:
    """100, 105, 110 are neighbours to it at a scale of 0.5."""
    prices, n = np.repeat([100.0, 105.0, 110.0, 115.0], 3), 12
    sides = np.repeat([-1, -1, -1, 1], 3)
    apart = trades_from(np.arange(n), START + np.arange(n), prices, np.ones(n), sides)
    flow = flow_of(apart, TradeGrid(0.5, 0.01), MINUTE)
    found = imbalances(flow.footprint, 2.0, 2)
    assert found.sell_stacks.tolist() == [0]
    assert found.sell_longest.tolist() == [1]
    theirs = populated(frame_of(apart), flow.bars, "1m", 0.5, stack=2)
    assert theirs["stacked_imbalances_bid"][0] == [100.0]
