"""Recorded bars with what lies beside them, for the pictures of the families of features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hydra_ft.bars.book_columns import book_columns
from hydra_ft.bars.candles import bars_from, part, resample, timeframe_ms
from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles as flow_candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.forced_columns import forced_columns
from hydra_ft.types import BookSamples, ForcedClosures
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hydra_ft.types import Bars, FloatArray, IntArray
    from hydra_ft.types.flow import Flow

ROWS = 240
"""Bars that a picture shows."""
BOOK_LEVELS = 20
TABLE_MS = 120_000
BEST_MS = 100
"""The recorded book is six minutes long. In two of them, at ten samples a second, its mid moves
often enough for a table of the microprice; in an hour it does at one."""
TURNOVER = 2e9
"""Assumed of BitMEX's contract for a day of 2019, in dollars: no set says what it was."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Recorded bars, and what they are."""

    title: str
    bars: Bars


def milliseconds(dates: pd.Series) -> IntArray:
    """Times of a column, UTC ms, shape (n,)."""
    return np.asarray(dates.dt.as_unit("ms"), dtype="datetime64[ms]").astype(np.int64)


def candles(path: Path, timeframe: str) -> Bars:
    """Bars of a file of freqtrade's."""
    rows = pd.read_feather(path)
    o, h, low, c, v = (
        rows[name].to_numpy(dtype=np.float64) for name in ("open", "high", "low", "close", "volume")
    )
    return bars_from(milliseconds(rows["date"]), timeframe_ms(timeframe), (o, h, low, c), v)


def hourly(data: Path, coin: str = "BTC") -> Scene:
    """A coin over a month, with the rates that were settled."""
    folder = data / "ohlcv" / "binance_2025mar" / "binance" / "futures"
    bars = resample(candles(folder / f"{coin}_USDT_USDT-5m-futures.feather", "5m"), 3_600_000)
    records = pd.read_feather(folder / f"{coin}_USDT_USDT-1h-funding_rate.feather")
    settled = pd.Series(
        records["funding_rate"].to_numpy(dtype=np.float64),
        index=milliseconds(records["date"]) // bars.step_ms * bars.step_ms,
    )
    rates = settled.reindex(bars.time).to_numpy(dtype=np.float64)
    return Scene(f"Binance {coin}/USDT:USDT, 1h", replace(bars, funding_rate=rates))


def crowded(data: Path) -> Scene:
    """SOL over a month, in which shorts crowded."""
    return hourly(data, "SOL")


def held(data: Path) -> Scene:
    """SOL over two weeks, with open interest."""
    folder = data / "ohlcv" / "okx_2026jun_sol" / "okx" / "futures"
    bars = candles(folder / "SOL_USDT_USDT-1h-futures.feather", "1h")
    records = pd.read_feather(
        data / "derivs" / "okx_sol_2026jun" / "SOL_USDT_USDT-1h-open_interest.feather"
    )
    known = pd.Series(records["oi"].to_numpy(), index=milliseconds(records["date"]))
    interest = known.reindex(bars.time).to_numpy(dtype=np.float64)
    return Scene("OKX SOL/USDT:USDT, 1h", replace(bars, open_interest=interest))


def minutes(data: Path) -> Scene:
    """Spot minutes, on which the scalper's rules are the fallback."""
    path = data / "trades" / "bitflyer_201801" / "bitflyer" / "BTC_JPY-1m.feather"
    return Scene("bitFlyer BTC/JPY, 1m", part(candles(path, "1m"), 3000, 4000))


@cache
def traded(data: Path) -> Scene:
    """Five days of spot trades, and the value that they made."""
    path = data / "trades" / "bitflyer_201801" / "bitflyer" / "BTC_JPY-trades.feather"
    rows = pd.read_feather(path)
    time, price, amount = (rows[name].to_numpy() for name in ("timestamp", "price", "amount"))
    sides = np.where(rows["side"] == "buy", 1, -1)
    trades = trades_from(rows["id"].astype("int64"), time, price, amount, sides)
    flow = flow_of(trades, TradeGrid(1.0, 1e-8), 300_000, contiguous_ids=False)
    return Scene("bitFlyer BTC/JPY, 5m", with_flow(flow_candles(flow.bars), flow))


def traded_second_by_second(data: Path) -> Flow:
    """Flow bars of a second, of the trades beside the recorded book."""
    path = data / "trades" / "hft_20240808" / "binance" / "futures"
    rows = pd.read_feather(path / "BTC_USDT_USDT-trades.feather")
    time, price, amount = (rows[name].to_numpy() for name in ("timestamp", "price", "amount"))
    sides = np.where(rows["side"] == "buy", 1, -1)
    trades = trades_from(rows["id"].astype("int64"), time, price, amount, sides)
    return flow_of(trades, TradeGrid(0.1, 0.001), 1_000, 1_000)


def best_quotes(data: Path) -> pd.DataFrame:
    """Best prices at each of their changes."""
    return pd.read_feather(data / "orderbook" / "hft_20240808" / "BTCUSDT_bookticker_l1.feather")


def best_samples(data: Path) -> BookSamples:
    """Best prices alone, ten times a second."""
    quotes = best_quotes(data)
    changed = quotes["transact_ms"].to_numpy()
    time = np.arange(changed[0] + BEST_MS, changed[-1], BEST_MS)
    rows = quotes.iloc[np.searchsorted(changed, time, side="right") - 1]
    sides = (rows[[name]].to_numpy() for name in ("bid", "bid_qty", "ask", "ask_qty"))
    return BookSamples(time, *sides)


def book_samples(data: Path) -> BookSamples:
    """Twenty levels a second, by the clock of the exchange: the recorder's ran behind it."""
    folder, quotes = data / "orderbook" / "hft_20240808", best_quotes(data)
    behind = np.median(quotes["transact_ms"] - quotes["local_ts_ns"] / 1e6)
    rows = pd.read_feather(folder / "BTCUSDT_book_top20_1s.feather")

    def side(name: str) -> FloatArray:
        return rows[[f"{name}{level}" for level in range(BOOK_LEVELS)]].to_numpy(dtype=np.float64)

    time = (rows["ts_ns"].to_numpy() / 1e6 + behind).astype(np.int64)
    return BookSamples(time, side("bid"), side("bid_qty"), side("ask"), side("ask_qty"))


@cache
def rested(data: Path) -> Scene:
    """Six minutes of a book, second by second, with the trades that went through it."""
    flow, samples = traded_second_by_second(data), book_samples(data)
    bars = flow_candles(flow.bars)
    book = book_columns(bars, samples, tick=0.1, trades=flow.bars)
    best = book_columns(bars, best_samples(data), tick=0.1, table_ms=TABLE_MS)
    book = replace(book, micro_offset_bps_close=best.micro_offset_bps_close)
    return Scene("Binance BTC/USDT:USDT, 1s", replace(bars, book=book))


@cache
def forced(data: Path) -> Scene:
    """Liquidations of a venue around the largest of its cascades; there are no candles."""
    rows = pd.read_feather(data / "derivs" / "bitmex_liq_201911" / "liquidations.feather")
    rows = rows[rows["symbol"] == "XBTUSD"].sort_values("ts_ms")
    side = np.where(rows["side"] == "Sell", 1, -1)
    events = ForcedClosures(rows["ts_ms"].to_numpy(), rows["qty"].to_numpy(dtype=np.float64), side)
    step, last = 300_000, int(events.time[-1])
    worst = int(events.time[np.argmax(events.quote)]) // step * step
    time = worst + step * np.arange(-ROWS - 204, ROWS // 2)
    at = np.maximum(np.searchsorted(events.time, time + step) - 1, 0)
    price = rows["price"].to_numpy(dtype=np.float64)[at]
    of = np.searchsorted(time, events.time, side="right") - 1
    inside = (of >= 0) & (events.time < time[-1] + step)
    longs, shorts = (
        np.bincount(of[inside & (side == s)], events.quote[inside & (side == s)], time.size)
        for s in (1, -1)
    )
    liquidated = (longs.astype(np.float64), shorts.astype(np.float64))
    volume = TURNOVER * step / 86_400_000 / price
    bars = bars_from(time, step, (price,) * 4, volume, liquidated=liquidated)
    columns = forced_columns(bars, events, [(int(time[0]) - 10**8, last + 10**8)])
    title = "BitMEX XBT/USD, 5m (price of the last one; turnover taken for 2 billion a day)"
    return Scene(title, replace(bars, forced=columns))


def beside(data: Path) -> Scene:
    """BTC of one venue held against BTC of another, hour by hour."""
    found = [
        candles(data / "ohlcv" / f"{venue}_2025_1h" / venue / "futures" / name, "1h")
        for venue, name in (
            ("binance", "BTC_USDT_USDT-1h-futures.feather"),
            ("bybit", "BTC_USDT_USDT-1h-futures.feather"),
        )
    ]
    other = pd.Series(found[1].close, index=found[1].time).reindex(found[0].time)
    bars = replace(found[0], reference=np.asarray(other, dtype=np.float64))
    return Scene("Binance BTC/USDT:USDT held against Bybit's, 1h", bars)


SCENES: dict[str, Callable[[Path], Scene]] = {
    "absorption": traded,
    "basis": beside,
    "cascades": forced,
    "footprint": traded,
    "funding": crowded,
    "impact": traded,
    "liquidations": forced,
    "open_interest": held,
    "order_book": rested,
    "order_flow": traded,
    "scalper": minutes,
    "sweeps": rested,
    "value": traded,
    "vpin": traded,
}
"""What a family is drawn on, where that is not ``hourly``."""
