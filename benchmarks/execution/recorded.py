"""The same drift on two recorded tapes of BTCUSDT, which illustrate and prove nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.execution.drift import Drift, Tape, drift_of, touch_fills

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, FloatArray

VARIABLE = "HYDRA_TEST_DATA"
_TRADES = "binance/futures/BTC_USDT_USDT-trades.feather"
CLUSTER_MS = 30_000
"""Fills within half a minute are resampled together: their horizons overlap."""


def recorded_drifts(seed: int) -> list[Drift]:
    """Measure the samples in the folder that HYDRA_TEST_DATA names; none without it."""
    home = os.environ.get(VARIABLE, "")
    if not home:
        return []
    tapes = {
        "recorded, book and trades: 5.7 min of 2024-08-08": _with_book(Path(home)),
        "recorded, trades only: 2.1 h of 2020-02-22": _trades_only(Path(home)),
    }
    drifts = []
    for name, tape in tapes.items():
        edges, times = touch_fills(tape)
        drifts.append(drift_of(name, edges, times // CLUSTER_MS, seed, [tape]))
    return drifts


def _trades(path: Path) -> pd.DataFrame:
    return pd.read_feather(path).sort_values("timestamp", kind="stable", ignore_index=True)


def _with_book(home: Path) -> Tape:
    """Trades and the stream of best quotes, both by the exchange's own clock."""
    trades = _trades(home / "trades" / "hft_20240808" / _TRADES)
    book = pd.read_feather(home / "orderbook" / "hft_20240808" / "BTCUSDT_bookticker_l1.feather")
    return Tape(
        time=trades["timestamp"].to_numpy(np.int64),
        price=trades["price"].to_numpy(np.float64),
        is_buy=(trades["side"] == "buy").to_numpy(np.bool_),
        quote_time=book["transact_ms"].to_numpy(np.int64),
        bid=book["bid"].to_numpy(np.float64),
        ask=book["ask"].to_numpy(np.float64),
    )


def _trades_only(home: Path) -> Tape:
    """Trades, and quotes inferred from them: the last price sold at and the last bought at."""
    trades = _trades(home / "trades" / "tardis_20200222" / _TRADES)
    price = trades["price"].to_numpy(np.float64)
    is_buy = (trades["side"] == "buy").to_numpy(np.bool_)
    bid, ask = _last(price, ~is_buy), _last(price, is_buy)
    # A side that the last trade went through cannot stand where it was seen last.
    bid, ask = (
        np.where(is_buy, np.minimum(bid, ask), bid),
        np.where(is_buy, ask, np.maximum(bid, ask)),
    )
    known = np.flatnonzero(np.isfinite(bid) & np.isfinite(ask))
    time = trades["timestamp"].to_numpy(np.int64)
    return Tape(time, price, is_buy, time[known], bid[known], ask[known])


def _last(price: FloatArray, wanted: BoolArray) -> FloatArray:
    """Give the last price at which ``wanted`` held, NaN before the first."""
    seen = pd.Series(np.where(wanted, price, np.nan)).ffill()
    return np.asarray(seen, dtype=np.float64)
