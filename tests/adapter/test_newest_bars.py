"""Where edges read the newest bars: the real store, and freqtrade's candles without trades."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from commands import scalper_market as made

from hydra_ft.adapter.edges.live_edges import LiveEdges
from hydra_ft.adapter.edges.newest import COUNT, CandleBars, RecordedBars
from hydra_ft.adapter.edges.watch import EdgeWatch
from hydra_ft.bars.flow import FlowFolder
from hydra_ft.signals import scalp
from hydra_ft.signals.scalp import ScalpRules, flags
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.reading import ReadingDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from hydra_ft.adapter.edges.states import Edge

STOP = made.BEGIN + made.HOUR
ROWS = made.HOUR // made.STEP


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FlowStore]:
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield FlowStore(database, "binance")
    database.close()


def put(store: FlowStore, *, lost: tuple[int, int] | None = None) -> made.Tape:
    """An hour of the tape, recorded; ``lost`` is what the feed did not cover."""
    tape = made.tape(days=1)
    folder = FlowFolder(made.GRID, made.MINUTE, made.STEP, covered_from=made.BEGIN)
    folder.fold(tape.trades().part(0, 4 * ROWS))
    if lost is not None:
        folder.lost(*lost)
    store.put([(made.PAIR, folder.finish(STOP))])
    return tape


def test_the_newest_recorded_bars_are_those_of_the_trades(store: FlowStore) -> None:
    tape = put(store)
    bars = RecordedBars(store, "10s").bars(made.PAIR)
    assert bars is not None
    assert (len(bars), bars.step_ms) == (COUNT, made.STEP)
    assert int(bars.time[-1]) + made.STEP == STOP
    last = slice(ROWS - COUNT, ROWS)
    for name in ("open", "high", "low", "close"):
        np.testing.assert_allclose(getattr(bars, name), getattr(tape, name)[last])
    np.testing.assert_allclose(bars.volume, tape.volume[last], atol=0.003)
    assert RecordedBars(store, "10s").bars("ETH/USDT:USDT") is None


def test_a_coarser_tick_hides_no_bar_of_before(store: FlowStore) -> None:
    """It left the scalper blind for 51 bars of 10 seconds."""
    tape, changed = made.tape(days=1), STOP - 10 * made.MINUTE
    trades = tape.trades().part(0, 4 * ROWS)
    at = int(np.searchsorted(trades.time, changed))
    finer = replace(made.GRID, tick_size=made.GRID.tick_size / 10)
    for grid, part, begin, end in (
        (finer, trades.part(0, at), made.BEGIN, changed),
        (made.GRID, trades.part(at, None), changed, STOP),
    ):
        folder = FlowFolder(grid, made.MINUTE, made.STEP, covered_from=begin, contiguous_ids=False)
        folder.fold(part)
        store.put([(made.PAIR, folder.advance(end))])
    bars = RecordedBars(store, "10s").bars(made.PAIR)
    assert bars is not None
    assert len(bars) == COUNT
    np.testing.assert_allclose(bars.close, tape.close[ROWS - COUNT : ROWS])


def test_a_bar_that_the_feed_did_not_cover_is_unknown_and_so_is_the_signal(
    store: FlowStore,
) -> None:
    """Fail closed: nothing begins on the bars that look back on the hole."""
    put(store, lost=(STOP - 3 * made.STEP, STOP - 3 * made.STEP + 1))
    bars = RecordedBars(store, "10s").bars(made.PAIR)
    assert bars is not None
    assert np.flatnonzero(np.isnan(bars.volume)).tolist() == [COUNT - 3]
    assert np.isnan(flags(bars, ScalpRules())["signal"][-3:]).all()


def test_a_dead_database_is_asked_once_a_loop_for_all_edges_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Twenty pairs of a server that hangs held up each loop by twenty time-outs."""
    database = ReadingDatabase(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    bot: Any = object.__new__(LiveEdges)
    bot.frames = SimpleNamespace(reading=database)
    bot.config = {"exchange": {"name": "binance"}}
    bot.rules = SimpleNamespace(fine="10s")
    told: list[Edge] = []
    watch = EdgeWatch(bot._bars_of(scalp), ScalpRules, told.append)
    pairs = [f"P{number}/USDT:USDT" for number in range(20)]
    for loop in range(1, 8):
        database.begin_loop()
        watch.look(pairs, STOP + 5_000 * loop)
        assert len([row for row in caplog.records if row.levelname == "WARNING"]) == loop
    assert {edge.is_active for edge in told} == {False}
    assert len(told) == len(pairs)
    database.close()


class Candles:
    """Freqtrade's data provider, as far as it is asked here."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def get_pair_dataframe(self, pair: str, timeframe: str) -> pd.DataFrame:
        assert timeframe == "1m"
        return self.frame if pair == made.PAIR else self.frame[:0]


def test_without_trades_the_minutes_are_watched_and_live_for_two_of_them() -> None:
    """F-B1: the fallback has its own time to live, 2 bars of a minute."""
    frame = made.frame(made.tape(days=1, quiet_bars=6), made.MINUTE)
    # The minute that closes at eleven past is quiet.
    row = 2 * 60 + 10
    told: list[Edge] = []
    newest = CandleBars(Candles(frame[: row + 1]), "1m")  # type: ignore[arg-type]
    watch = EdgeWatch(newest, ScalpRules, told.append)
    close = made.BEGIN + (row + 1) * made.MINUTE
    watch.look([made.PAIR, "ETH/USDT:USDT"], close + 1000)
    assert [(edge.pair, edge.is_active, edge.expires_at) for edge in told] == [
        (made.PAIR, True, close + 2 * made.MINUTE),
        ("ETH/USDT:USDT", False, 0),
    ]
