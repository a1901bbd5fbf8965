"""The real freqtrade downloads recorded trades from the server: all of them, and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import ccxt
import numpy as np
import pandas as pd
import pytest
import time_machine
from exchange.conftest import client_options
from exchange.recorded_tape import (
    BEGIN,
    CANDLES,
    COLUMNS,
    HOUR_MS,
    MINUTE_MS,
    PAIR,
    SYMBOL,
    TRADES,
    candle_frame,
    expect_recorded,
    trade_frame,
    write_tape,
)

from loopback_exchange import Replay, Server, freqtrade_exchange_config

HOME = os.environ.get("HYDRA_TEST_DATA", "")
RECORDED = Path(HOME) / "trades"
PERPETUALS = ("tardis_20200222", "hft_20240808")
SPOT = RECORDED / "bitflyer_201801" / "bitflyer"
on_recorded_data = pytest.mark.skipif(
    not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
)


def download(server: Server, folder: Path, *wanted: str) -> pd.DataFrame:
    """Run ``freqtrade download-data --dl-trades`` and give the trades that it stored."""
    config = {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "dry_run": True,
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": {**freqtrade_exchange_config(server.url), "pair_whitelist": [PAIR]},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "data").mkdir()
    command = [
        sys.executable, "-m", "freqtrade", "download-data", "--config", "config.json",
        "--userdir", str(folder), "--datadir", str(folder / "data"),
        "--dl-trades", "--convert", "--timeframes", "1m", *wanted,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return pd.read_feather(folder / "data" / "futures" / TRADES)


def expect_downloaded(got: pd.DataFrame, recorded: pd.DataFrame) -> None:
    """Count, times, ids, sides, prices and amounts are the recorded ones."""
    assert len(got) == len(recorded)
    for name in ("timestamp", "id", "side", "price", "amount"):
        assert got[name].tolist() == recorded[name].tolist(), name
    np.testing.assert_allclose(got["cost"], recorded["cost"], rtol=1e-12)


@pytest.mark.e2e
def test_freqtrade_downloads_exactly_the_recorded_trades(tmp_path: Path) -> None:
    frame = trade_frame(BEGIN + 20 * MINUTE_MS, BEGIN + 3 * HOUR_MS, every_id=2)
    source = tmp_path / "recorded"
    replay = Replay(write_tape(source / "futures" / TRADES, frame, 1000).parents[1])
    with Server(replay) as server:
        # In seconds: the whole of the recording, and a day before it.
        span = f"{BEGIN // 1000 - 86_400}-{BEGIN // 1000 + 86_400}"
        got = download(server, tmp_path, "--timerange", span)
        assert server.requests["GET", "/fapi/v1/aggTrades"] > 2
    expect_downloaded(got, frame)
    # Freqtrade has made candles of what it downloaded: they are those that are served.
    made = pd.read_feather(tmp_path / "data" / "futures" / CANDLES)
    ours = replay.klines(SYMBOL, MINUTE_MS, BEGIN + 20 * MINUTE_MS, BEGIN + 3 * HOUR_MS)
    for name in COLUMNS:
        np.testing.assert_allclose(made[name], ours[name], rtol=1e-12, err_msg=name)


def test_recent_and_historical_trades_are_served_with_their_ids(tmp_path: Path) -> None:
    frame = trade_frame(BEGIN + HOUR_MS, BEGIN + 2 * HOUR_MS)
    candle_frame(BEGIN, BEGIN + 3 * HOUR_MS).to_feather(tmp_path / CANDLES)
    write_tape(tmp_path / TRADES, frame)
    now = BEGIN + 90 * MINUTE_MS
    past = frame[frame["timestamp"] <= now]
    with time_machine.travel(now / 1000, tick=False), Server(Replay(tmp_path)) as server:
        client = ccxt.binance(client_options(server.url))
        client.load_markets()
        client.options["fetchTradesMethod"] = "fapiPublicGetTrades"
        recent = client.fetch_trades(PAIR, limit=100)
        client.options["fetchTradesMethod"] = "fapiPublicGetHistoricalTrades"
        begun = client.fetch_trades(PAIR, limit=50, params={"fromId": frame["id"][200]})
        newest = client.fetch_trades(PAIR, limit=1000, params={"fromId": past["id"].iloc[-3]})
    for got, wanted in (
        (recent, past.tail(100)), (begun, frame[200:250]), (newest, past.tail(3)),
    ):  # fmt: skip
        for name in ("timestamp", "id", "side", "price", "amount", "cost"):
            theirs = [trade[name] for trade in got]
            assert theirs == pytest.approx(wanted[name].tolist()), name


@pytest.mark.ci
@on_recorded_data
@pytest.mark.parametrize("name", PERPETUALS)
def test_freqtrade_downloads_a_recorded_perpetual(tmp_path: Path, name: str) -> None:
    folder = RECORDED / name / "binance"
    recorded = pd.read_feather(folder / "futures" / TRADES)
    first, last = (int(recorded["timestamp"].iloc[at]) // 1000 for at in (0, -1))
    with Server(Replay(folder)) as server:
        got = download(server, tmp_path, "--timerange", f"{first - 100}-{last + 100}")
    expect_downloaded(got, recorded)


@pytest.mark.ci
@on_recorded_data
@pytest.mark.parametrize("name", PERPETUALS)
def test_the_candles_of_a_recorded_perpetual_are_those_beside_it(name: str) -> None:
    folder = RECORDED / name / "binance"
    replay = Replay(folder)
    beside = sorted((folder / "futures").glob("*-futures.feather"))
    for path in beside:
        wanted = pd.read_feather(path)
        step = 5 * MINUTE_MS if "-5m-" in path.name else MINUTE_MS
        start = int(wanted["date"].iloc[0].timestamp() * 1000)
        got = replay.klines(SYMBOL, step, start, start + len(wanted) * step)
        for column in COLUMNS:
            np.testing.assert_allclose(got[column], wanted[column], rtol=1e-12, err_msg=column)
    assert beside


@pytest.mark.ci
@on_recorded_data
def test_a_recorded_spot_tape_is_replayed_as_a_perpetual(tmp_path: Path) -> None:
    recorded = pd.read_feather(SPOT / "BTC_JPY-trades.feather")
    replay = Replay(trades={SYMBOL: SPOT / "BTC_JPY-trades.feather"})
    begin, end = (minute * MINUTE_MS for minute in replay.span(SYMBOL))
    expect_recorded(replay.trades(SYMBOL, begin, end), replay.spec(SYMBOL), recorded)
    # Its ids have gaps and are not in the order of time; pages by id give each trade once still.
    seen: list[int] = []
    following = int(recorded["id"].iloc[0])
    while len(page := replay.trades_from(SYMBOL, following, end, 1000).id.tolist()) > 1:
        seen += page[:-1]
        following = page[-1]
    assert [*seen, following] == recorded["id"].astype("int64").tolist()
    beside = pd.read_feather(SPOT / "BTC_JPY-1m.feather")
    rows = pd.DataFrame(replay.klines(SYMBOL, MINUTE_MS, begin, end))
    traded = rows[rows["count"] > 0]
    assert len(traded) == len(beside)
    for column in COLUMNS:
        np.testing.assert_allclose(traded[column], beside[column], rtol=1e-12, err_msg=column)
    with Server(replay) as server:
        got = download(server, tmp_path, "--timerange", f"{begin // 1000}-{end // 1000}")
    expect_downloaded(got, recorded)
