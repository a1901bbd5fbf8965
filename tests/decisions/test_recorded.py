"""Stage A on recorded market data: same codes live and in backtest, and trades come out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bars.synthetic import HOUR, MINUTE
from decisions.heads import HEAD, LIGHT

from hydra_ft.bars.candles import bars_from, resample
from hydra_ft.decisions.pipeline import decide
from hydra_ft.types import Bars, Regime

HOME = os.environ.get("HYDRA_TEST_DATA", "")
SETS = ("binance_2023q3", "binance_2025mar")
PAIRS = ("BTC_USDT_USDT", "ETH_USDT_USDT", "SOL_USDT_USDT", "XRP_USDT_USDT")

NEEDS_DATA = [
    pytest.mark.ci,
    pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data"),
]
pytestmark = NEEDS_DATA


def milliseconds(dates: pd.Series) -> np.ndarray:
    return dates.dt.as_unit("ms").astype("int64").to_numpy()


def recorded(pair: str, name: str = SETS[1]) -> dict[str, Bars]:
    """5m candles, their sums over 1h and 4h, and the settled rates on 1h."""
    folder = Path(HOME) / "ohlcv" / name / "binance" / "futures"
    candles = pd.read_feather(folder / f"{pair}-5m-futures.feather")
    rates = pd.read_feather(folder / f"{pair}-1h-funding_rate.feather")
    columns = [candles[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")]
    base = bars_from(milliseconds(candles["date"]), 5 * MINUTE, tuple(columns[:4]), columns[4])
    hour = resample(base, HOUR)
    settled = pd.Series(
        rates["funding_rate"].to_numpy(float), index=milliseconds(rates["date"]) // HOUR * HOUR
    )
    rate = settled.reindex(hour.time).to_numpy(float)
    return {
        "5m": base,
        "1h": replace(hour, funding_rate=rate),
        "4h": resample(base, 4 * HOUR),
    }


@pytest.mark.parametrize("pair", PAIRS)
def test_recorded_data_visits_all_regimes_and_trades(pair: str) -> None:
    """P3 on real data: a head that never trades is a defect."""
    found = decide(recorded(pair), HEAD, LIGHT)
    counts = found.counts()
    assert sum(counts.values()) == len(found)
    assert 0 < counts["ok"] < 0.1 * len(found)
    known = np.isfinite(found.regime_confidence)
    assert {Regime(int(r)) for r in found.regime[known]} == set(Regime)
