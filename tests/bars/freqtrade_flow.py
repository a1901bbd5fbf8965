"""Freqtrade's own order flow, as an oracle, and trades in the form in which it keeps them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from freqtrade.data.converter.orderflow import populate_dataframe_with_trades

from hydra_ft.bars.flow_trades import trades_from

if TYPE_CHECKING:
    from hydra_ft.types.flow import FlowBars, Trades

COLUMNS = {
    "bid": "sell_volume",
    "ask": "buy_volume",
    "delta": "delta",
    "max_delta": "max_delta",
    "min_delta": "min_delta",
    "total_trades": "count",
}
"""Freqtrade's column -> the same in a flow bar."""


def frame_of(trades: Trades) -> pd.DataFrame:
    """Trades as freqtrade's frame of them."""
    return pd.DataFrame(
        {
            "timestamp": trades.time,
            "id": trades.id.astype(str),
            "type": None,
            "side": np.where(trades.side > 0, "buy", "sell"),
            "price": trades.price,
            "amount": trades.quantity,
            "cost": trades.price * trades.quantity,
        }
    )


def trades_of(frame: pd.DataFrame) -> Trades:
    """Trades from freqtrade's frame of them."""
    return trades_from(
        frame["id"].astype("int64"),
        frame["timestamp"],
        frame["price"],
        frame["amount"],
        np.where(frame["side"] == "buy", 1, -1),
    )


def populated(
    frame: pd.DataFrame, bars: FlowBars, timeframe: str, scale: float, stack: int = 3
) -> pd.DataFrame:
    """Candles of the times of some flow bars, with freqtrade's order flow in them."""
    config = {
        "timeframe": timeframe,
        "orderflow": {
            "max_candles": len(bars), "cache_size": len(bars), "scale": scale,
            "stacked_imbalance_range": stack, "imbalance_volume": 0, "imbalance_ratio": 3,
        },
    }  # fmt: skip
    candles = pd.DataFrame({"date": pd.to_datetime(bars.time, unit="ms", utc=True)})
    for name in ("open", "high", "low", "close", "volume"):
        candles[name] = getattr(bars, name)
    dated = frame.assign(date=pd.to_datetime(frame["timestamp"], unit="ms", utc=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates what freqtrade calls
        return populate_dataframe_with_trades(None, config, candles, dated)[0]


def assert_as_freqtrade(populated_: pd.DataFrame, bars: FlowBars) -> None:
    """Bid, ask, delta, its extremes and the count are freqtrade's, but for its rounding."""
    busy = ~bars.empty
    assert populated_["bid"].isna().to_numpy().tolist() == bars.empty.tolist()
    for theirs, ours in COLUMNS.items():
        wanted = populated_[theirs].to_numpy(dtype=float)[busy]
        np.testing.assert_allclose(
            getattr(bars, ours)[busy], wanted, rtol=0, atol=1e-9, err_msg=ours
        )
