"""Candles, funding and open interest of the generated market as freqtrade's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hydra_ft.bars.candles import timeframe_ms

if TYPE_CHECKING:
    from loopback_exchange import Market

DAY_MS = 86_400_000
END_MS = 1_750_032_000_000
"""Where all frames end: 2025-06-16."""
CANDLES = ["date", "open", "high", "low", "close", "volume"]


def dated(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Put dates where there were milliseconds."""
    dates = pd.to_datetime(frame.pop(name), unit="ms", utc=True).dt.as_unit("ms")
    frame.insert(0, "date", dates)
    return frame


def candles(market: Market, symbol: str, timeframe: str, days: float) -> pd.DataFrame:
    """Candles of the last days, and the open interest in a column of its own."""
    step = timeframe_ms(timeframe)
    begin = END_MS - int(days * DAY_MS) // step * step
    columns = market.klines(symbol, step, begin, END_MS - 1)
    frame = dated(pd.DataFrame(columns), "open_time")
    return frame[[*CANDLES, "open_interest"]]


def marks(market: Market, symbol: str, days: float) -> pd.DataFrame:
    """Hourly candles of the mark price; here the traded price stands for it."""
    return candles(market, symbol, "1h", days)[CANDLES]


def funding(market: Market, symbol: str, days: float) -> pd.DataFrame:
    """Settled rates."""
    times, rates = market.funding(symbol, END_MS - int(days * DAY_MS), END_MS)
    return dated(pd.DataFrame({"time": times, "funding_rate": rates}), "time")


def open_interest(hourly: pd.DataFrame) -> pd.DataFrame:
    """Open interest as freqtrade keeps it, one row per hourly candle."""
    held = hourly["open_interest"]
    value = held * hourly["close"]
    return pd.DataFrame(
        {"date": hourly["date"], "open_interest_amount": held, "open_interest_value": value}
    )
