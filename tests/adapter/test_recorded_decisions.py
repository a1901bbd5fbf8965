"""HydraFlow on recorded feeds: a bot that trades decides as the test of the same days does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from adapter.recorded_tape import DAY, FIVE, HOUR, MINUTE, PAIR, START, made_flow, made_trades
from bars.synthetic import random_frames
from freqtrade.enums import CandleType, RunMode

from hydra_ft.adapter.heads import load_rules
from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.head_frames import HeadFrames
from hydra_ft.bars.candles import same
from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.newest import NewestFirst
from hydra_ft.decisions.pipeline import Decisions, judge, startup_candles
from hydra_ft.settings import load_settings
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Proof, Stretch, cover
from hydra_ft.store.flow_derivatives import Liquidated, put_liquidations
from hydra_ft.store.reading import ReadingDatabase
from hydra_ft.types import Feed, Side

if TYPE_CHECKING:
    from hydra_ft.types import Bars

RULES = load_rules("HydraFlow", Path(__file__).parents[2] / "strategies")
FEEDS = frozenset(RULES.feeds)
RECORDED_FROM = START + 12 * DAY
END = RECORDED_FROM + 4 * DAY
HOLE = END - 30 * HOUR
FIELDS = ("code", "side", "signal", "regime", "bias", "exit_long_tag", "exit_short_tag")


def shifted(frames: dict[str, Bars]) -> dict[str, Bars]:
    """The frames moved in time to where the tape is."""
    first = int(frames["5m"].time[0])
    return {tf: replace(bars, time=bars.time - first + START) for tf, bars in frames.items()}


FRAMES = shifted(random_frames(16, seed=12, volatility=0.0012))


@dataclass
class Candles:
    """Freqtrade's data up to a moment, as much of it as a bot that trades would have."""

    now: int = END
    rows: int = 1 << 30
    runmode = RunMode.OTHER

    def get_pair_dataframe(self, pair: str, timeframe: str, candle_type: str = "") -> pd.DataFrame:
        bars = FRAMES[timeframe]
        stop = int(np.searchsorted(bars.time + bars.step_ms, self.now, side="right"))
        part = slice(max(0, stop - self.rows), stop)
        columns = {"date": pd.to_datetime(bars.time[part], unit="ms", utc=True)}
        if candle_type == CandleType.FUNDING_RATE:
            columns["funding_rate"] = bars.funding_rate[part]  # type: ignore[index]
            return pd.DataFrame(columns).dropna()
        if candle_type == CandleType.OPEN_INTEREST:
            columns["open_interest_amount"] = bars.open_interest[part]  # type: ignore[index]
            return pd.DataFrame(columns)
        names = ("open", "high", "low", "close", "volume")
        return pd.DataFrame(columns | {name: getattr(bars, name)[part] for name in names})


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of trades and liquidations; an hour of trades is missing on the third."""
    file = tmp_path_factory.mktemp("decisions") / "hydra.dryrun.sqlite"
    database = Database(f"sqlite:///{file}")
    store = FlowStore(database, "binance")
    trades = made_trades(4, per_minute=2, seed=3)
    trades = replace(trades, time=trades.time + (RECORDED_FROM - START))
    parts = [(RECORDED_FROM, HOLE), (HOLE + HOUR, END)]
    store.put([(PAIR, made_flow(trades, *part)) for part in parts])
    chance = np.random.default_rng(4)
    number = store.markets.number(PAIR)
    at = np.sort(chance.integers(RECORDED_FROM, END, 2_000)).tolist()
    sides = chance.choice([Side.LONG, Side.SHORT], 2_000)
    events = [
        Liquidated(time, Side(side), 100.0, 1.0) for time, side in zip(at, sides, strict=True)
    ]
    with database.transaction() as connection:
        put_liquidations(connection, number, events)
        standing = Stretch(RECORDED_FROM, END)
        cover(connection, [Proof(number, Feed.LIQUIDATIONS, standing)])
    database.close()
    return file


def head_frames(file: Path, mode: RunMode) -> HeadFrames:
    config = {"runmode": mode, "user_data_dir": file.parent, "exchange": {"name": "binance"}}
    return HeadFrames(RULES, FEEDS, {**config, "dry_run": True}, load_settings(None))


def frames_of(reader: HeadFrames, candles: Candles) -> dict[str, Bars]:
    dp: Any = candles
    return reader.of(dp, PAIR, candles.get_pair_dataframe(PAIR, "5m"))


@pytest.fixture(scope="module")
def tested(file: Path) -> Decisions:
    """Stage A of a test over all of it."""
    frames = frames_of(head_frames(file, RunMode.BACKTEST), Candles())
    return judge(observe(frames, RULES, FEEDS), RULES)


def moments(tested: Decisions) -> list[int]:
    """Closes that follow each other before and in the hole, after it, and at entries."""
    closes = tested.time + FIVE
    late = np.flatnonzero(closes > RECORDED_FROM + 2 * DAY)
    wanted = {*range(HOLE - 2 * FIVE, HOLE + 3 * FIVE, FIVE), *closes[late][::60].tolist()}
    wanted |= set(closes[late[tested.code[late] == 0]][:8].tolist())
    return sorted(wanted | {END})


def test_a_bot_decides_as_the_test_does(file: Path, tested: Decisions) -> None:
    """F4 P4 with trades and liquidations: codes are equal, and so is what exits read."""
    database = Database(f"sqlite:///{file}")
    reader, memory = head_frames(file, RunMode.DRY_RUN), NewestFirst()
    reader.live = RecordedFeeds(database, "binance", keeps=True)
    for now in moments(tested):
        candles = Candles(now, startup_candles(RULES) + 7)
        found = memory.judge(observe(frames_of(reader, candles), RULES, FEEDS, memory), RULES)
        row = int(np.searchsorted(tested.time + FIVE, now))
        for field in FIELDS:
            assert getattr(found, field)[-1] == getattr(tested, field)[row], (field, row)
        np.testing.assert_array_equal(found.failing[-1], tested.failing[row])
    database.close()


def test_the_days_hold_what_the_comparison_needs(tested: Decisions) -> None:
    """Entries, days before the recording, and the hole that blocks."""
    codes = tested.counts()
    assert codes["ok"] > 3
    assert codes["data_stale:trades"] > 11 * 288
    hole = tested.verdict(int(np.searchsorted(tested.time, HOLE)))
    assert hole.code == "data_stale:trades"


def test_a_restart_goes_on_from_the_database(file: Path) -> None:
    """The history of flow is back without a word to the exchange, both ways of reading it."""
    database = Database(f"sqlite:///{file}")
    old = RecordedFeeds(database, "binance", keeps=True)
    reader = head_frames(file, RunMode.LIVE)
    rows = startup_candles(RULES)
    for now in range(END - 4 * FIVE, END + 1, FIVE):
        reader.live = old
        before = frames_of(reader, Candles(now, rows))
        reader.live = RecordedFeeds(database, "binance", keeps=True)
        after = frames_of(reader, Candles(now, rows))
        for timeframe, bars in before.items():
            assert same(bars, after[timeframe]), (timeframe, now)
    assert np.isfinite(after["5m"].flow.count).sum() == rows  # type: ignore[union-attr]
    database.close()


def test_a_test_without_a_database_blocks_and_makes_none(tmp_path: Path) -> None:
    reader = head_frames(tmp_path / "absent.sqlite", RunMode.BACKTEST)
    frames = frames_of(reader, Candles())
    assert list(tmp_path.iterdir()) == []
    codes = judge(observe(frames, RULES, FEEDS), RULES).counts()
    assert "ok" not in codes
    assert codes["data_stale:trades"] > 0


def test_a_database_that_cannot_be_read_blocks_a_bot_until_the_next_loop(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is kept of the pairs that are not asked again is still there afterwards."""
    whole = Database(f"sqlite:///{file}")
    database = ReadingDatabase(f"sqlite:///{file}")
    reader, candles = head_frames(file, RunMode.LIVE), Candles(END, startup_candles(RULES))
    reader.live = RecordedFeeds(database, "binance", keeps=True)
    assert frames_of(reader, candles)["5m"].flow is not None
    kept = dict(reader.live._kept)
    with whole.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE hydra_coverage RENAME TO away")
    try:
        database._failure = "it hangs"
        assert frames_of(reader, candles)["5m"].flow is None
        assert reader.live._kept == kept
        database.begin_loop()
        assert frames_of(reader, candles)["5m"].flow is None
        assert not reader.live._kept
        assert frames_of(reader, candles)["5m"].flow is None
    finally:
        with whole.transaction() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO hydra_coverage")
    said = [message for message in caplog.messages if "recorded feeds" in message]
    assert ["cannot be read" in message for message in said] == [False, True, False]
    database.begin_loop()
    assert frames_of(reader, candles)["5m"].flow is not None
    database.close()
    whole.close()


def test_coarse_frames_carry_what_columns_need(file: Path) -> None:
    frames = frames_of(head_frames(file, RunMode.BACKTEST), Candles())
    assert [tf for tf, bars in frames.items() if bars.flow is not None] == ["5m", "1h"]
    assert [tf for tf, bars in frames.items() if bars.long_liquidated is not None] == ["5m"]
    whole = frames["1h"].flow.covered == 1  # type: ignore[union-attr]
    assert whole.sum() == 4 * 24 - 1
    assert frames["1h"].time[whole][0] == RECORDED_FROM
    assert frames["1h"].step_ms > MINUTE
