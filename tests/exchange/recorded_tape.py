"""Small recordings in freqtrade's own files: candles of a generated market, and its trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from loopback_exchange import Market

if TYPE_CHECKING:
    from pathlib import Path

    from loopback_exchange.market import Trades

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
BEGIN = 20_200 * DAY_MS
SYMBOL, PAIR = "BTCUSDT", "BTC/USDT:USDT"
FIRST_ID = 5_000_000
TRADES, CANDLES = "BTC_USDT_USDT-trades.feather", "BTC_USDT_USDT-1m-futures.feather"
COLUMNS = ["open", "high", "low", "close", "volume"]
SOURCE = Market(3)


def candle_frame(start_ms: int, stop_ms: int, interval_ms: int = MINUTE_MS) -> pd.DataFrame:
    """Candles in the columns of freqtrade's files."""
    made = SOURCE.klines(SYMBOL, interval_ms, start_ms, stop_ms)
    dates = pd.to_datetime(made["open_time"], unit="ms", utc=True).astype("datetime64[ms, UTC]")
    return pd.DataFrame({"date": dates, **{name: made[name] for name in COLUMNS}})


def trade_frame(start_ms: int, stop_ms: int, every_id: int = 1) -> pd.DataFrame:
    """The generated trades of [start, stop) in freqtrade's columns, with ids of their own."""
    made, spec = SOURCE.trades(SYMBOL, start_ms, stop_ms), SOURCE.spec(SYMBOL)
    return frame_of(
        made.time_ms,
        FIRST_ID + every_id * np.arange(len(made.id)),
        np.where(made.is_buy, "buy", "sell"),
        spec.prices(made.price),
        spec.quantities(made.quantity),
    )


def frame_of(timestamp: Any, ids: Any, side: Any, price: Any, amount: Any) -> pd.DataFrame:
    """Trades in freqtrade's columns and types."""
    frame = pd.DataFrame({"timestamp": timestamp, "id": ids, "type": None, "side": side})
    frame["price"], frame["amount"] = price, amount
    frame["cost"] = frame["price"] * frame["amount"]
    return frame.astype({"timestamp": "int64", "id": "str", "price": "float64"})


def write_tape(path: Path, frame: pd.DataFrame, batch: int = 65_536) -> Path:
    """Write trades as freqtrade does; ``batch`` is how many stand in one piece of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.reset_index(drop=True).to_feather(
        path, compression_level=9, compression="lz4", chunksize=batch
    )
    return path


def expect_recorded(trades: Trades, spec: Any, frame: pd.DataFrame) -> None:
    """Trades are those of a frame, in each of its columns."""
    assert trades.id.astype(str).tolist() == frame["id"].tolist()
    np.testing.assert_array_equal(trades.time_ms, frame["timestamp"])
    np.testing.assert_array_equal(trades.is_buy, frame["side"] == "buy")
    np.testing.assert_array_equal(spec.prices(trades.price), frame["price"])
    np.testing.assert_array_equal(spec.quantities(trades.quantity), frame["amount"])
