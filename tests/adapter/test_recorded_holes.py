"""Ids that a file lacks: the bars in the hole are unknown, and nothing is entered on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from adapter.recorded_tape import (
    DAY,
    FIVE,
    HOUR,
    MINUTE,
    PAIR,
    START,
    flat_candles,
    made_flow,
    made_trades,
)

from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.bars.candles import same
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.features.registry import FEATURES
from hydra_ft.feeds.flow_build import FlowBuild
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Proof, Stretch, cover, uncover
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.types import BoolArray, IntArray
    from hydra_ft.types.flow import Trades
    from hydra_ft.types.market import Bars


class File:
    """One trade a second for 100 minutes, without those from 1,810 s to 3,590 s."""

    def __init__(self) -> None:
        rows = np.r_[0:1_810, 3_590:6_000]
        prices = 100 + rows % 9 * 0.1
        self.tape = trades_from(
            rows + 1, START + rows * 1_000, prices, np.ones(rows.size), 1 - 2 * (rows % 2)
        )

    def stamps(self, _pair: str) -> IntArray:
        """Times of all trades."""
        return self.tape.time

    def trades(self, _pair: str, start: int, stop: int) -> Trades:
        """Trades of an interval."""
        begin, end = np.searchsorted(self.tape.time, (start, stop)).tolist()
        return self.tape.part(begin, end)


def blocked(bars: Bars) -> list[int]:
    """Rows at which the gate of trades is shut, as ``decisions.gates`` looks at them."""
    assert bars.flow is not None
    passes: BoolArray = (bars.flow.covered == 1) & (bars.flow.missing == 0)
    return np.flatnonzero(~passes).tolist()


def test_bars_in_a_hole_of_a_file_are_unknown_and_block(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    build = FlowBuild(database, FlowStore(database, "binance"), File())
    assert [one.bars for one in build.run(PAIR, build.days(PAIR))] == [100]
    recorded = RecordedFeeds(database, "binance", keeps=False)
    candles = flat_candles(START + HOUR + 30 * MINUTE, 18)
    five = recorded.beside(PAIR, candles, (Feed.TRADES,))
    ten = recorded.fine(PAIR, "10s", START, START + HOUR + 30 * MINUTE)
    assert blocked(five) == list(range(6, 12))
    assert blocked(ten) == list(range(180, 360))
    for bars, hole in ((five, range(6, 12)), (ten, range(180, 360))):
        unknown = np.flatnonzero(np.isnan(FEATURES["delta"](bars)))
        assert unknown.tolist() == list(hole)
    over_four = FEATURES["trade_imbalance_4"](five)
    assert np.isnan(over_four[6:15]).all()
    assert np.isfinite(over_four[3:6]).all()
    assert np.isfinite(over_four[15:]).all()
    database.close()


@pytest.mark.parametrize(
    ("hole", "lost"),
    [
        (Stretch(START + DAY, START + DAY + 7 * MINUTE), "poc"),
        (Stretch(START + 5 * HOUR, START + 6 * HOUR), "previous_poc"),
    ],
)
def test_a_gap_told_late_that_lies_before_a_frame_is_one_of_what_the_frame_looks_back_on(
    tmp_path: Path, hole: Stretch, lost: str
) -> None:
    """A bot that has read it as proven knows no more than one that has just begun."""
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    store, stop = FlowStore(database, "binance"), START + DAY + 5 * HOUR
    store.put([(PAIR, made_flow(made_trades(1.25), START, stop))])
    market = store.markets.number(PAIR)
    live = RecordedFeeds(database, "binance", keeps=True)

    def known(end: int) -> int:
        """How many bars of two hours a bot knows the value of, as one does that has just begun."""
        candles = flat_candles(end, 24)
        bars = live.beside(PAIR, candles, (Feed.TRADES,))
        begun = RecordedFeeds(database, "binance", keeps=False)
        assert same(bars, begun.beside(PAIR, candles, (Feed.TRADES,)))
        return int(np.isfinite(getattr(bars.value, lost)).sum())

    assert known(stop - 2 * FIVE) == 24
    with database.transaction() as connection:
        uncover(connection, market, Feed.TRADES, hole.start, hole.stop)
    assert known(stop - FIVE) == 0
    with database.transaction() as connection:
        cover(connection, [Proof(market, Feed.TRADES, hole)])
    assert known(stop) == 24
    database.close()
