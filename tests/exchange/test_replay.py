"""Recorded candles come back exactly, summed from the finest series, and only once past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ccxt
import numpy as np
import pandas as pd
import pytest
import time_machine
from exchange.conftest import client_options

from loopback_exchange import Market, Replay, Server

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
BEGIN = 20_200 * DAY_MS
COLUMNS = ["open", "high", "low", "close", "volume"]


def recorded(symbol: str, interval_ms: int, days: float) -> pd.DataFrame:
    """Candles in the columns of freqtrade's files."""
    made = Market(3).klines(symbol, interval_ms, BEGIN, BEGIN + int(days * DAY_MS))
    dates = pd.to_datetime(made["open_time"], unit="ms", utc=True).astype("datetime64[ms, UTC]")
    return pd.DataFrame({"date": dates, **{name: made[name] for name in COLUMNS}})


def events(every_ms: int, count: int, jitter_ms: int = 0) -> pd.DatetimeIndex:
    """Dates from the beginning on."""
    times = BEGIN + np.arange(count) * every_ms + jitter_ms
    return pd.to_datetime(times, unit="ms", utc=True).astype("datetime64[ms, UTC]")


@pytest.fixture(scope="module")
def datadir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of BTC (5m, 3m, a shorter 1h, marks each hour) and ETH (3m, marks each 8 h)."""
    folder = tmp_path_factory.mktemp("data")
    futures = folder / "futures"
    futures.mkdir()
    recorded("BTCUSDT", 5 * MINUTE_MS, 2).to_feather(futures / "BTC_USDT_USDT-5m-futures.feather")
    recorded("BTCUSDT", 3 * MINUTE_MS, 2).to_feather(futures / "BTC_USDT_USDT-3m-futures.feather")
    recorded("BTCUSDT", HOUR_MS, 1).to_feather(futures / "BTC_USDT_USDT-1h-futures.feather")
    recorded("ETHUSDT", 3 * MINUTE_MS, 2).to_feather(futures / "ETH_USDT_USDT-3m-futures.feather")
    marks = recorded("BTCUSDT", HOUR_MS, 2)
    marks[COLUMNS[:4]] *= 1.0003
    marks.to_feather(futures / "BTC_USDT_USDT-1h-mark.feather")
    eight = recorded("ETHUSDT", 8 * HOUR_MS, 2)
    eight[COLUMNS[:4]] *= 0.9998
    eight.to_feather(futures / "ETH_USDT_USDT-1h-mark.feather")
    rates = pd.DataFrame({"date": events(8 * HOUR_MS, 6, 1), "funding_rate": np.arange(6) / 1e4})
    rates.to_feather(futures / "BTC_USDT_USDT-1h-funding_rate.feather")
    interest = pd.DataFrame({"date": events(HOUR_MS, 48), "open_interest": np.arange(48.0) + 100})
    interest.to_feather(futures / "BTC_USDT_USDT-1h-open_interest.feather")
    return folder


@pytest.fixture(scope="module")
def replay(datadir: Path) -> Replay:
    """The recording as it was recorded."""
    return Replay(datadir)


def expect_same(replay: Replay, symbol: str, interval_ms: int, wanted: pd.DataFrame) -> None:
    """The replay's candles equal a frame's."""
    start = int(wanted["date"].iloc[0].timestamp() * 1000)
    got = replay.klines(symbol, interval_ms, start, start + len(wanted) * interval_ms)
    for name in COLUMNS:
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-12, err_msg=name)


def test_the_recorded_candles_come_back_exactly(replay: Replay) -> None:
    assert replay.symbols == ("BTCUSDT", "ETHUSDT")
    expect_same(replay, "BTCUSDT", 5 * MINUTE_MS, recorded("BTCUSDT", 5 * MINUTE_MS, 2))
    expect_same(replay, "ETHUSDT", 3 * MINUTE_MS, recorded("ETHUSDT", 3 * MINUTE_MS, 2))


def test_coarser_candles_are_sums_also_where_their_file_ends(replay: Replay) -> None:
    expect_same(replay, "BTCUSDT", HOUR_MS, recorded("BTCUSDT", HOUR_MS, 2))
    expect_same(replay, "ETHUSDT", DAY_MS, recorded("ETHUSDT", DAY_MS, 2))


def test_tick_and_step_are_those_of_the_data(replay: Replay) -> None:
    spec = replay.spec("BTCUSDT")
    assert (str(spec.tick), str(spec.step)) == ("0.1", "0.001")


def test_the_trades_of_a_bridged_minute_make_its_candle(replay: Replay) -> None:
    begin, end = replay.span("BTCUSDT")
    for minute in range(begin, end, 7):
        trades = replay.trades_of_minute("BTCUSDT", minute)
        row = replay.rows("BTCUSDT", minute, minute + 1)[1][0]
        assert trades.price[0] == row["open"]
        assert trades.price[-1] == row["close"]
        assert (trades.price.max(), trades.price.min()) == (row["high"], row["low"])
        assert trades.quantity.sum() == row["volume"]
    everything = replay.trades("BTCUSDT", begin * MINUTE_MS, (begin + 200) * MINUTE_MS)
    assert (np.diff(everything.id) == 1).all()
    following = replay.trades_from("BTCUSDT", 500, end * MINUTE_MS, 10)
    assert following.id.tolist() == list(range(500, 510))


def test_a_hole_in_the_recording_is_flat_and_without_volume(datadir: Path, tmp_path: Path) -> None:
    frame = pd.read_feather(datadir / "futures" / "BTC_USDT_USDT-5m-futures.feather")
    frame.drop(index=range(100, 103)).reset_index(drop=True).to_feather(
        tmp_path / "BTC_USDT_USDT-5m-futures.feather"
    )
    replay = Replay(tmp_path)
    at = BEGIN + 100 * 5 * MINUTE_MS
    hole = replay.klines("BTCUSDT", 5 * MINUTE_MS, at, at + 3 * 5 * MINUTE_MS)
    assert np.asarray(hole["volume"]).sum() == 0
    assert set(np.asarray(hole["high"])) == {frame["close"][99]}
    last = replay.last_trade("BTCUSDT", at + 5 * MINUTE_MS)
    assert float(replay.spec("BTCUSDT").price(last.price)) == frame["close"][99]


def test_funding_is_served_as_recorded(replay: Replay) -> None:
    times, rates = replay.funding("BTCUSDT", BEGIN + HOUR_MS, BEGIN + DAY_MS + 2)
    assert times.tolist() == [BEGIN + n * 8 * HOUR_MS + 1 for n in (1, 2, 3)]
    assert rates.tolist() == [1e-4, 2e-4, 3e-4]
    assert replay.funding_now("BTCUSDT", BEGIN + HOUR_MS) == (0.0, BEGIN + 8 * HOUR_MS + 1)


def test_hourly_marks_are_served_as_recorded_once_past(replay: Replay) -> None:
    now = BEGIN + 5 * HOUR_MS + 1
    times, marks = replay.mark_candles("BTCUSDT", HOUR_MS, BEGIN, now + 1, now)
    wanted = recorded("BTCUSDT", HOUR_MS, 2)[COLUMNS[:4]].to_numpy()[:5] * 1.0003
    assert len(times) == 6
    np.testing.assert_allclose(marks[:5], wanted, rtol=1e-12)
    assert marks[5, 3] == replay.mark_price("BTCUSDT", now)


def test_of_sparse_marks_only_the_open_is_used(replay: Replay) -> None:
    now = BEGIN + DAY_MS
    _, marks = replay.mark_candles("ETHUSDT", HOUR_MS, BEGIN, now, now)
    hours = recorded("ETHUSDT", HOUR_MS, 1)
    np.testing.assert_allclose(marks[8, 0], hours["open"][8] * 0.9998, rtol=1e-9)
    np.testing.assert_allclose(marks[:, 1], hours["high"] * 0.9998, rtol=1e-4)


def test_open_interest_comes_from_its_file(replay: Replay) -> None:
    times = np.array([BEGIN + 2 * HOUR_MS, BEGIN + 3 * HOUR_MS])
    np.testing.assert_allclose(replay.open_interest("BTCUSDT", times), [102, 103], atol=0.02)
    assert np.isnan(replay.open_interest("ETHUSDT", times)).all()


def test_whole_days_of_shift_move_everything(datadir: Path) -> None:
    moved, still = Replay(datadir, shift_days=10), Replay(datadir)
    ahead = 10 * DAY_MS
    ours = moved.klines("BTCUSDT", HOUR_MS, BEGIN + ahead, BEGIN + ahead + DAY_MS)
    theirs = still.klines("BTCUSDT", HOUR_MS, BEGIN, BEGIN + DAY_MS)
    assert (ours["open_time"] == theirs["open_time"] + ahead).all()
    assert (ours["close"] == theirs["close"]).all()
    assert moved.funding("BTCUSDT", 0, 2 * BEGIN)[0][0] == BEGIN + ahead + 1
    assert moved.last_trade("BTCUSDT", BEGIN + ahead).id == still.last_trade("BTCUSDT", BEGIN).id


def test_a_served_recording_shows_only_what_time_has_passed(datadir: Path) -> None:
    now = BEGIN + 30 * HOUR_MS + 90_000
    with time_machine.travel(now / 1000, tick=False), Server(Replay(datadir)) as server:
        client = ccxt.binance(client_options(server.url))
        rows = client.fetch_ohlcv("BTC/USDT:USDT", "1h", BEGIN, 499)
        assert [row[0] for row in rows] == [BEGIN + n * HOUR_MS for n in range(31)]
        full = recorded("BTCUSDT", HOUR_MS, 2)
        assert rows[29][1:] == full.loc[29, COLUMNS].tolist()
        assert rows[30][5] < full.loc[30, "volume"]
        assert len(client.fetch_funding_rate_history("BTC/USDT:USDT", BEGIN)) == 4


def test_a_folder_without_candles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"BTC_USDT_USDT-5m-futures\.feather"):
        Replay(tmp_path)
