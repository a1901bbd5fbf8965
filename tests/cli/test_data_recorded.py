"""Flow bars built of recorded files are the candles beside them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import TradingMode

from hydra_ft.adapter.trade_files import TradeFiles
from hydra_ft.feeds.flow_build import FlowBuild
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_status import statuses

HOME = os.environ.get("HYDRA_TEST_DATA", "")

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


@pytest.mark.parametrize(
    ("folder", "exchange", "mode", "pair", "candles"),
    [
        (
            "tardis_20200222/binance",
            "binance",
            "futures",
            "BTC/USDT:USDT",
            "futures/BTC_USDT_USDT-1m-futures",
        ),
        (
            "hft_20240808/binance",
            "binance",
            "futures",
            "BTC/USDT:USDT",
            "futures/BTC_USDT_USDT-1m-futures",
        ),
        ("bitflyer_201801/bitflyer", "bitflyer", "spot", "BTC/JPY", "BTC_JPY-1m"),
    ],
)
def test_a_recorded_file_gives_the_candles_beside_it(
    tmp_path: Path, folder: str, exchange: str, mode: str, pair: str, candles: str
) -> None:
    home = Path(HOME) / "trades" / folder
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    store = FlowStore(database, exchange)
    files = TradeFiles(home, "feather", TradingMode(mode))
    build = FlowBuild(database, store, files)
    days = build.days(pair)
    assert sum(built.bars for built in build.run(pair, days)) > 0
    bars = store.last(pair, 60_000, 100_000)
    (status,) = statuses(database)
    database.close()
    assert bars is not None
    frame = pd.read_feather(home / f"{candles}.feather")
    time = frame["date"].astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    rows = np.searchsorted(bars.time, time)
    assert bars.time[rows].tolist() == time.tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name)[rows].tolist() == frame[name].tolist(), name
    # The candles' volumes are sums of floats, the bars' are sums of lots.
    assert bars.volume[rows] == pytest.approx(frame["volume"].to_numpy(), rel=1e-12)
    assert bars.count.sum() == sum(day.trades for day in days)
    assert (status.gaps, status.coverage) == (0, 1.0)
