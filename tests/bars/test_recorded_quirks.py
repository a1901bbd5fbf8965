"""Quirks of recorded market data, each with what they would do to bars that ignored them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hydra_ft.adapter.frames import to_bars
from hydra_ft.bars.quality import is_synthetic

HOME = os.environ.get("HYDRA_TEST_DATA", "")
DATA = Path(HOME)
HOUR = pd.Timedelta(hours=1)

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


def candles(stem: str) -> pd.DataFrame:
    return pd.read_feather(DATA / "ohlcv" / f"{stem}.feather")


def sol_taken() -> pd.Series:
    """What takers of SOL on OKX traded, quote currency, by the stamp of the venue."""
    rows = pd.read_feather(DATA / "derivs/okx_sol_2026jun/SOL_USDT_USDT-1h-taker_volume.feather")
    return rows.set_index("date")[["buyVol", "sellVol"]].sum(axis=1)


def sol_candles() -> pd.Series:
    """Turnover of the hourly candles of SOL on OKX, quote currency, by their open time."""
    rows = candles("okx_2026jun_sol/okx/futures/SOL_USDT_USDT-1h-futures").set_index("date")
    return rows["volume"] * rows["close"]


def test_okx_stamps_the_taker_volume_with_the_end_of_its_hour() -> None:
    """Joined by its stamp it would tell each hour what the hour before it traded."""
    taken, turnover = sol_taken(), sol_candles()
    assert taken.corr(turnover) < 0.6
    assert taken.shift(freq=-HOUR).corr(turnover) > 0.999


def test_okx_counts_the_volume_of_candles_in_coins_and_takers_in_quote_currency() -> None:
    share = (sol_taken().shift(freq=-HOUR) / sol_candles()).dropna()
    assert len(share) > 300
    # Published once and revised by some half a percent, one hour by 8 %; never by a contract size.
    assert share.between(1.0, 1.1).all()
    assert share.median() == pytest.approx(1.018, abs=0.002)


def test_holes_that_freqtrade_filled_are_no_bars_of_a_market() -> None:
    frame = candles("okx_2022/okx/futures/BTC_USDT_USDT-5m-futures")
    steps = frame["date"].diff().dropna()
    assert (steps == pd.Timedelta(minutes=5)).all()
    synthetic = is_synthetic(to_bars(frame, "5m"))
    assert synthetic.sum() == 48
    days = frame["date"][synthetic].dt.strftime("%Y-%m-%d").value_counts()
    assert days["2022-06-01"] == 17
    assert days["2022-07-07"] == 15


def test_a_settlement_may_be_stamped_a_moment_late_and_belongs_to_its_hour() -> None:
    rows = candles("binance_2025may/binance/futures/BTC_USDT_USDT-1h-funding_rate")
    late = rows["date"] - rows["date"].dt.floor("h")
    assert (late > pd.Timedelta(0)).sum() > 30
    assert late.max() < pd.Timedelta(seconds=1)
    assert (rows["date"].dt.floor("h").diff().dropna() == 8 * HOUR).all()


def test_marks_by_the_hour_may_be_one_in_eight_hours() -> None:
    rows = candles("binance_2023q3/binance/futures/BTC_USDT_USDT-1h-mark")
    assert (rows["date"].diff().dropna() == 8 * HOUR).all()


def test_hours_and_four_hours_of_one_set_may_be_of_different_years() -> None:
    folder = "binance_2025h2/binance/futures/BTC_USDT_USDT"
    hours, fours = candles(f"{folder}-1h-futures"), candles(f"{folder}-4h-futures")
    assert fours["date"].max() < hours["date"].min()


def book_changes() -> pd.DataFrame:
    return pd.read_feather(DATA / "orderbook/hft_20240808/BTCUSDT_depth_l2.feather")


def test_the_recorders_clock_ran_behind_the_exchanges() -> None:
    """Events must be ordered and binned by the exchange's time, never by that of receipt."""
    rows = book_changes()
    behind = rows["event_ms"] - rows["local_ts_ns"] / 1e6
    assert behind.median() == pytest.approx(1270, abs=5)
    assert behind.min() > 1000


def test_a_book_of_snapshot_and_changes_has_the_recorded_levels() -> None:
    """The first changes precede the snapshot that they belong to, and are dropped."""
    rows = book_changes()
    snapshot = rows[rows["is_snapshot"]]
    known = int(snapshot["u"].iloc[0])
    changes = rows[~rows["is_snapshot"] & (rows["u"] >= known)]
    before = rows[~rows["is_snapshot"] & (rows["u"] < known)]
    assert len(before)
    assert len(snapshot) == 2000
    recorded = pd.read_feather(DATA / "orderbook/hft_20240808/BTCUSDT_book_top20_1s.feather")
    compared = compare(snapshot, changes, recorded)
    assert compared == len(recorded)


def compare(snapshot: pd.DataFrame, changes: pd.DataFrame, recorded: pd.DataFrame) -> int:
    """Replay the changes, and count the seconds whose twenty levels are the recorded ones."""
    sides: dict[str, dict[float, float]] = {"b": {}, "a": {}}
    for side, price, size in snapshot[["side", "price", "qty"]].itertuples(index=False):
        sides[side][price] = size
    stamps = recorded["ts_ns"].to_numpy()
    rows = changes[["local_ts_ns", "side", "price", "qty"]].itertuples(index=False)
    same = at = 0
    for received, side, price, size in rows:
        while at < len(stamps) and received > stamps[at]:
            same += levels_are(sides, recorded.iloc[at])
            at += 1
        sides[side][price] = size
        if not size:
            del sides[side][price]
    return same + sum(levels_are(sides, recorded.iloc[i]) for i in range(at, len(stamps)))


def levels_are(sides: dict[str, dict[float, float]], row: pd.Series) -> bool:
    bids = sorted(sides["b"].items(), reverse=True)[:20]
    asks = sorted(sides["a"].items())[:20]
    wanted = [
        [(row[f"{name}{level}"], row[f"{name}_qty{level}"]) for level in range(20)]
        for name in ("bid", "ask")
    ]
    return bool(np.array_equal(bids, wanted[0]) and np.array_equal(asks, wanted[1]))
