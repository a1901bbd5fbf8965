"""Single liquidations and the mark beside the candles: where a feature reads them, and alike."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from adapter.recorded_tape import DAY, FIVE, HOUR, MINUTE, PAIR, START, flat_candles
from freqtrade.enums import CandleType, RunMode

from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.head_frames import HeadFrames
from hydra_ft.bars.beside import with_forced
from hydra_ft.bars.candles import part
from hydra_ft.bars.forced_columns import MEMORY_S
from hydra_ft.decisions.rules import HeadRules, needed_features
from hydra_ft.feeds.coinalyze import SOURCE as VENDOR
from hydra_ft.settings import load_settings
from hydra_ft.signals.registry import TRENDS, SignalColumns, SignalDeclaration
from hydra_ft.store.database import Database
from hydra_ft.store.flow_closures import ClosureStore
from hydra_ft.store.flow_coverage import Proof, Stretch, cover
from hydra_ft.store.flow_derivatives import DerivativesStore, Liquidated, put_liquidations
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.flow_retention import Retention, forget_old
from hydra_ft.types import Feed, ForcedClosures, ForcedColumns, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.types import Bars

END = START + DAY
HOLE = END - 3 * HOUR - 2 * MINUTE, END - 3 * HOUR
LIQUIDATIONS = (Feed.LIQUIDATIONS,)
NAMES = [f.name for f in fields(ForcedColumns)]


def events(n: int = 3_000) -> list[Liquidated]:
    """Liquidations at random times of a day, some in crowds of one side."""
    chance = np.random.default_rng(7)
    times = chance.integers(START, END, n)
    crowds = [at + chance.integers(0, 40_000, 60) for at in chance.integers(START, END - FIVE, 25)]
    lone = [(t, Side.LONG if t % 2 else Side.SHORT) for t in times.tolist()]
    massed = [(t, Side.LONG) for crowd in crowds for t in crowd.tolist()]
    return [
        Liquidated(t, side, 60_000.0, float(size))
        for (t, side), size in zip(
            sorted(lone + massed), chance.gamma(1.0, 0.1, n + 60 * 25), strict=True
        )
        if not HOLE[0] <= t < HOLE[1]
    ]


EVENTS = events()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A day of single liquidations, of which two minutes are missing; a vendor's beside them."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('forced') / 'hydra.sqlite'}")
    markets = Markets(database, "binance")
    number = markets.number(PAIR)
    with database.transaction() as connection:
        put_liquidations(connection, number, EVENTS)
        standing = [Stretch(START, HOLE[0]), Stretch(HOLE[1], END)]
        cover(connection, [Proof(number, Feed.LIQUIDATIONS, one) for one in standing])
    sums = [(HOLE[0], 1e9, 0.0)]
    DerivativesStore(database, markets).put_liquidation_history(
        PAIR, VENDOR, sums, covered=(START, END)
    )
    yield database
    database.close()


def forced_of(database: Database, bars: Bars, *, keeps: bool = False) -> ForcedColumns:
    feeds = RecordedFeeds(database, "binance", keeps=keeps)
    found = feeds.beside(PAIR, bars, LIQUIDATIONS, ("forced",)).forced
    assert found is not None
    return found


def candles(stop: int, n: int, step: int = FIVE) -> Bars:
    """Candles whose volume is as the time says."""
    bars = flat_candles(stop, n, step)
    bars.volume[:] = 1.0 + (bars.time // step * 7919 % 1_000) / 700
    return bars


def test_columns_are_those_of_the_events(recorded: Database) -> None:
    bars = candles(END, 200)
    closures = ForcedClosures(
        np.array([one.time for one in EVENTS]),
        np.array([one.price * one.quantity for one in EVENTS]),
        np.array([one.side.sign for one in EVENTS]),
    )
    covered = [(START, HOLE[0]), (HOLE[1], END)]
    found, wanted = forced_of(recorded, bars), with_forced(bars, closures, covered).forced
    for name in NAMES:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)
    assert np.nansum(np.abs(found.cascade)) > 3
    assert np.nansum(np.abs(found.exhaustion)) > 0


@pytest.mark.parametrize(("step", "n"), [(FIVE, 80), (MINUTE, 300)])
def test_a_bot_knows_what_a_test_of_the_day_does(recorded: Database, step: int, n: int) -> None:
    """To the last digit, from four hours and 500 seconds of candles on; and after a restart."""
    whole = forced_of(recorded, candles(END, (END - START) // step, step))
    lead = 4 * HOUR // step + -(-MEMORY_S * 1000 // step) + 1
    live = RecordedFeeds(recorded, "binance", keeps=True)
    for stop in range(END - 40 * FIVE, END + 1, 7 * FIVE):
        bars = live.beside(PAIR, candles(stop, n, step), LIQUIDATIONS, ("forced",))
        begun = forced_of(recorded, candles(stop, n, step), keeps=True)
        last = (stop - START) // step
        for name in NAMES:
            values = getattr(bars.forced, name)
            np.testing.assert_array_equal(values, getattr(begun, name), name)
            np.testing.assert_array_equal(
                values[lead:], getattr(whole, name)[last - n + lead : last], name
            )
        assert np.isfinite(bars.forced.peak_30_s[-1]) == (  # type: ignore[union-attr]
            not HOLE[0] < stop <= HOLE[1] + 6 * MINUTE + step
        )


def test_a_hole_is_unknown_though_a_vendor_fills_the_sums(recorded: Database) -> None:
    feeds = RecordedFeeds(recorded, "binance", keeps=False)
    bars = feeds.beside(PAIR, candles(END, 60), LIQUIDATIONS, ("forced",))
    row = int((HOLE[0] - bars.time[0]) // FIVE)
    assert bars.forced is not None
    assert bars.long_liquidated is not None
    assert bars.long_liquidated[row] >= 1e9
    assert np.isnan(bars.forced.long_30_s[row])
    assert np.isfinite(bars.forced.long_30_s[[row - 1, row + 1]]).all()


def test_they_are_laid_only_where_they_are_asked_for(recorded: Database) -> None:
    feeds = RecordedFeeds(recorded, "binance", keeps=False)
    assert feeds.beside(PAIR, candles(END, 5), LIQUIDATIONS).forced is None
    unknown = feeds.beside("ETH/USDT:USDT", candles(END, 5), LIQUIDATIONS, ("forced",)).forced
    assert np.isnan(unknown.long_30_s).all()  # type: ignore[union-attr]
    assert len(forced_of(recorded, part(candles(END, 5), 0, 0))) == 0


@pytest.mark.parametrize("age_ms", [0, 30_000])
def test_what_was_dropped_is_unknown_and_not_calm(tmp_path: Path, age_ms: int) -> None:
    """Single ones are kept for 60 days, what proves the sums by the minute for 365."""
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    markets = Markets(database, "binance")
    number, store = markets.number(PAIR), ClosureStore(database, markets)
    told = [Liquidated(START + m * MINUTE, Side.LONG, 100.0, 1.0) for m in (0, 10, 30)]
    told += [Liquidated(START + 10 * MINUTE + 40_000, Side.SHORT, 100.0, 2.0)]
    with database.transaction() as connection:
        put_liquidations(connection, number, told)
        cover(connection, [Proof(number, Feed.LIQUIDATIONS, Stretch(START, START + HOUR))])
    assert store.kept_from(PAIR) == 0
    assert store.kept_from("ETH/USDT:USDT") == 0
    kept = Retention(liquidation_days=1)
    forget_old(database, START + DAY + 10 * MINUTE + age_ms, kept)
    # Half of a minute is not all of it.
    wanted = START + 11 * MINUTE if age_ms else START + MINUTE
    assert store.kept_from(PAIR) == wanted
    columns = forced_of(database, candles(START + HOUR, 60, MINUTE))
    known = np.flatnonzero(np.isfinite(columns.long_300_s))
    assert START + (known[0] + 1) * MINUTE == wanted + FIVE
    forget_old(database, START + DAY + HOUR, kept)
    assert store.kept_from(PAIR) == START + 31 * MINUTE
    database.close()


class Frames:
    """Freqtrade's candles, and marks of 1h that begin an hour late and lack one."""

    runmode = RunMode.BACKTEST

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def get_pair_dataframe(self, _pair: str, timeframe: str, candle_type: str = "") -> pd.DataFrame:
        step = {"5m": FIVE, "1h": HOUR, "4h": 4 * HOUR}[timeframe]
        bars = flat_candles(END, DAY // step, step)
        frame = pd.DataFrame({"date": pd.to_datetime(bars.time, unit="ms", utc=True)})
        for name in ("open", "high", "low", "close", "volume"):
            frame[name] = getattr(bars, name)
        if candle_type:
            self.asked.append((timeframe, candle_type))
            frame["close"] *= 0.999 + 1e-5 * np.arange(len(frame))
            frame = frame.drop(index=[0, 7]).reset_index(drop=True)
        return frame


def test_the_mark_is_read_where_a_feature_holds_the_price_against_it(tmp_path: Path) -> None:
    signal = SignalDeclaration(
        "premium", (Feed.CANDLES,), ("basis_1h", "close_5m"), (), TRENDS, False, 60, None, _none
    )  # fmt: skip
    rules = HeadRules("Premium", (signal,), (Feed.CANDLES,))
    config: dict[str, Any] = {
        "runmode": RunMode.BACKTEST, "user_data_dir": tmp_path, "exchange": {"name": "binance"},
    }  # fmt: skip
    reader = HeadFrames(rules, frozenset(rules.feeds), config, load_settings(None))
    assert reader.marked == ("1h",)
    dp: Any = Frames()
    frames = reader.of(dp, PAIR, dp.get_pair_dataframe(PAIR, "5m"))
    assert dp.asked == [("1h", CandleType.MARK)]
    assert frames["5m"].reference is None
    reference = frames["1h"].reference
    assert reference is not None
    assert np.flatnonzero(np.isnan(reference)).tolist() == [0, 7]
    basis = next(one for one in needed_features(rules, rules.feeds)["1h"] if one.name == "basis")
    assert basis(frames["1h"])[1] == pytest.approx(1 / (0.999 + 1e-5) - 1)


def _none(*_: object) -> SignalColumns:
    raise NotImplementedError
