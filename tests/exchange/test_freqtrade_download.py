"""The real freqtrade downloads from the server: candles, marks and funding."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from loopback_exchange import Market, Server, freqtrade_exchange_config

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
MINUTE_MS = 60_000


def write_config(folder: Path, url: str) -> Path:
    """A futures configuration for the server."""
    config = {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "dry_run": True,
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": {**freqtrade_exchange_config(url), "pair_whitelist": PAIRS},
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def download(folder: Path, config: Path) -> subprocess.CompletedProcess[str]:
    """Run ``freqtrade download-data`` for two past days."""
    command = [
        sys.executable, "-m", "freqtrade", "download-data", "--config", str(config),
        "--userdir", str(folder), "--datadir", str(folder / "data"),
        "--timeframes", "5m", "1h", "--timerange", "20260301-20260303",
    ]  # fmt: skip
    return subprocess.run(
        command, capture_output=True, text=True, timeout=200, check=False, cwd=folder
    )


@pytest.mark.e2e
def test_freqtrade_downloads_candles_marks_and_funding(tmp_path: Path) -> None:
    market = Market(7)
    (tmp_path / "data").mkdir()
    with Server(market) as server:
        done = download(tmp_path, write_config(tmp_path, server.url))
        counts = dict(server.requests)
    assert done.returncode == 0, done.stderr[-3000:]
    assert counts["GET", "/fapi/v1/klines"] >= 4
    for base in ("BTC", "ETH"):
        expect_files(market, tmp_path / "data" / "futures", base)


def expect_files(market: Market, folder: Path, base: str) -> None:
    """The files of a pair hold two days, and the candles are the market's."""
    rows = {}
    for kind in ("5m-futures", "1h-futures", "1h-mark", "1h-funding_rate"):
        frame = pd.read_feather(folder / f"{base}_USDT_USDT-{kind}.feather")
        assert frame["date"].is_unique
        rows[kind] = frame[frame["date"].between("2026-03-01", "2026-03-02 23:59:59")]
    assert {kind: len(frame) for kind, frame in rows.items()} == {
        "5m-futures": 576,
        "1h-futures": 48,
        "1h-mark": 48,
        "1h-funding_rate": 6,
    }
    start = int(pd.Timestamp("2026-03-01", tz="UTC").timestamp() * 1000)
    ours = market.klines(f"{base}USDT", 5 * MINUTE_MS, start, start + 2 * 1440 * MINUTE_MS)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(rows["5m-futures"][name], ours[name])
    assert rows["1h-mark"]["close"].to_numpy() == pytest.approx(
        rows["1h-futures"]["close"].to_numpy(), rel=5e-4
    )
    assert (rows["1h-mark"]["close"] != rows["1h-futures"]["close"].to_numpy()).any()
