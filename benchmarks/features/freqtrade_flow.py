"""Freqtrade's own order flow: cold over all candles, and its cycle at a new candle."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from freqtrade.constants import DEFAULT_TRADES_COLUMNS
from freqtrade.data.converter.orderflow import populate_dataframe_with_trades
from freqtrade.data.history.datahandlers.featherdatahandler import FeatherDataHandler
from freqtrade.enums import CandleType, TradingMode
from freqtrade.exchange.exchange import Exchange

from benchmarks.features.made import SCALE, STEP_MS, candles_of, frame_of

if TYPE_CHECKING:
    import pandas as pd

    from hydra_ft.types.flow import FlowBars, Trades

PAIR = "BTC/USDT:USDT"
SAME = {
    "bid": "sell_volume", "ask": "buy_volume", "delta": "delta", "max_delta": "max_delta",
    "min_delta": "min_delta", "total_trades": "count",
}  # fmt: skip
"""Freqtrade's column -> the same in a flow bar."""


def config_for(candles: int) -> dict[str, Any]:
    """What freqtrade's order flow reads of a configuration."""
    orderflow = {
        "max_candles": candles, "cache_size": candles, "scale": SCALE,
        "stacked_imbalance_range": 3, "imbalance_volume": 0, "imbalance_ratio": 3,
    }  # fmt: skip
    return {"timeframe": f"{STEP_MS // 60_000}m", "orderflow": orderflow}


def populated(
    frame: pd.DataFrame, candles: pd.DataFrame, cached: pd.DataFrame | None = None
) -> tuple[float, pd.DataFrame, pd.DataFrame]:
    """CPU seconds of freqtrade's order flow, the candles with it, and its cache."""
    given, kept = frame.copy(), candles.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates what freqtrade calls
        begun = process_time()
        done, cache = populate_dataframe_with_trades(cached, config_for(len(kept)), kept, given)
        return process_time() - begun, done, cache


def same_counts(found: pd.DataFrame, bars: FlowBars) -> bool:
    """Whether bid, ask, delta, its extremes and the count are those of the flow bars."""
    busy = ~bars.empty
    return all(
        np.allclose(
            getattr(bars, ours)[busy], found[theirs].to_numpy(float)[busy], rtol=0, atol=1e-8
        )
        for theirs, ours in SAME.items()
    )


def new_candle(
    trades: Trades, bars: FlowBars, before: int, cache: pd.DataFrame
) -> tuple[float, ...]:
    """CPU seconds of merging, storing and populating when the last candle's trades come.

    ``before`` trades are cached, ``cache`` holds the candles before the last.
    """
    rows = frame_of(trades.part(before, None))[DEFAULT_TRADES_COLUMNS].to_numpy().tolist()
    of = (PAIR, "5m", CandleType.FUTURES)
    held = SimpleNamespace(_trades={of: frame_of(trades.part(0, before))})
    candles = candles_of(bars)
    with TemporaryDirectory() as folder:
        store = FeatherDataHandler(Path(folder))
        begun = process_time()
        merged = Exchange._process_trades_df(held, *of, rows, True, 0)  # noqa: SLF001 - as it does
        then = process_time()
        store.trades_store(f"{PAIR}-cached", merged[DEFAULT_TRADES_COLUMNS], TradingMode.FUTURES)
        stored = process_time()
    spent, _, _ = populated(merged, candles, cache)
    return then - begun, stored - then, spent
