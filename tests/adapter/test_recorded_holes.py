"""Ids that a file lacks: the bars in the hole are unknown, and nothing is entered on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from adapter.recorded_tape import HOUR, MINUTE, PAIR, START, flat_candles

from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.features.registry import FEATURES
from hydra_ft.feeds.flow_build import FlowBuild
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
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
