"""Recorded candles, read from freqtrade's feather files and cut into minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.market.block import MINUTE
from loopback_exchange.market.noise import Floats, Ints, key_of, normal, uniform
from loopback_exchange.market.specs import SymbolSpec
from loopback_exchange.market.trade_file import decimals, trade_files

if TYPE_CHECKING:
    from pathlib import Path

    from loopback_exchange.market.trade_file import TradeFile

# A series that divides the others comes first: 5m candles cannot be rebuilt from 3m ones.
_FINEST_FIRST = {"1m": 1, "5m": 5, "3m": 3, "15m": 15, "30m": 30, "1h": 60}
_NAME = re.compile(r"^(?P<base>[A-Z0-9]+)_USDT_USDT-(?P<timeframe>\w+?)-futures\.feather$")
LEAST_STEPS = 40
"""Steps in the smallest candle, so that each of its minutes can hold four trades."""


@dataclass(frozen=True)
class Series:
    """One recorded candle series: times (n,) in ms, prices (n, 4) and volume (n,)."""

    minutes: int
    time_ms: Ints
    prices: Floats
    volume: Floats


def times_ms(frame: pd.DataFrame) -> Ints:
    """Give the dates of a frame in milliseconds since 1970."""
    dates = frame["date"].dt.tz_convert("UTC").dt.tz_localize(None)
    milliseconds: Ints = dates.to_numpy().astype("datetime64[ms]").astype(np.int64)
    return milliseconds


def futures_folder(folder: Path) -> Path:
    """Find the folder of futures files: the folder itself or its ``futures``."""
    for place in (folder / "futures", folder):
        if not place.is_dir():
            continue
        if trade_files(place) or any(_NAME.match(path.name) for path in place.iterdir()):
            return place
    raise FileNotFoundError(
        "Expected files like BTC_USDT_USDT-5m-futures.feather or BTC_USDT_USDT-trades.feather in "
        f"{folder} or its folder 'futures'; found none. Give the folder that freqtrade calls "
        "datadir."
    )


def finest_series(folder: Path) -> dict[str, Series]:
    """Read, for each pair of a folder, the finest series that the others are sums of."""
    found: dict[str, set[str]] = {}
    for path in folder.iterdir():
        match = _NAME.match(path.name)
        if match and match["timeframe"] in _FINEST_FIRST:
            found.setdefault(match["base"], set()).add(match["timeframe"])
    return {
        f"{base}USDT": _read(folder, base, min(have, key=list(_FINEST_FIRST).index))
        for base, have in sorted(found.items())
    }


def _read(folder: Path, base: str, timeframe: str) -> Series:
    frame = pd.read_feather(folder / f"{base}_USDT_USDT-{timeframe}-futures.feather")
    frame = frame.drop_duplicates("date").sort_values("date")
    prices = frame[["open", "high", "low", "close"]].to_numpy(np.float64)
    volume = frame["volume"].to_numpy(np.float64)
    return Series(_FINEST_FIRST[timeframe], times_ms(frame), prices, volume)


def derived_spec(symbol: str, series: Series | None, file: TradeFile | None = None) -> SymbolSpec:
    """Derive tick and step from the decimals of candles, recorded trades, or both."""
    tick, step = Decimal(1), Decimal(1)
    if file is not None:
        tick, step = tick.scaleb(-file.price_decimals), step.scaleb(-file.amount_decimals)
        if series is None:
            price, minute = file.first_price, max(file.minute_notional, 1.0)
            return SymbolSpec(symbol, tick, step, Decimal(5), price, minute_notional=minute)
    if series is None:
        raise ValueError(f"Expected candles or trades of {symbol}; there were none. Give a file.")
    tick = min(tick, Decimal(1).scaleb(-decimals(series.prices)))
    step = min(step, Decimal(1).scaleb(-decimals(series.volume)))
    traded = series.volume[series.volume > 0]
    while len(traded) and traded.min() < LEAST_STEPS * float(step) and step > Decimal("1e-8"):
        step = step.scaleb(-1)
    price = float(series.prices[0, 0])
    minute = float((series.volume * series.prices[:, 3]).mean()) / series.minutes
    return SymbolSpec(symbol, tick, step, Decimal(5), price, minute_notional=max(minute, 1.0))


def to_minutes(series: Series, spec: SymbolSpec) -> tuple[int, np.ndarray]:
    """Cut candles into minutes that sum to them exactly; give the first minute and the rows.

    Holes between candles become flat minutes without volume.
    """
    prices = np.rint(series.prices / float(spec.tick)).astype(np.int64)
    volume = np.rint(series.volume / float(spec.step)).astype(np.int64)
    starts = series.time_ms // MINUTE_MS
    first = int(starts[0])
    rows = np.zeros(int(starts[-1]) + series.minutes - first, dtype=MINUTE)
    at = (starts - first)[:, None] + np.arange(series.minutes)
    edges = _edges(prices, series.minutes, key_of("replay", spec.symbol), at)
    rows["open"][at], rows["close"][at] = edges[:, :-1], edges[:, 1:]
    rows["high"][at] = np.maximum(edges[:, :-1], edges[:, 1:])
    rows["low"][at] = np.minimum(edges[:, :-1], edges[:, 1:])
    _place_extremes(rows, prices, at, spec.symbol)
    rows["volume"][at] = _split_volume(volume, at, spec.symbol)
    fill_holes(rows, at)
    _fill_flow(rows, spec)
    return first, rows


def _edges(prices: Ints, parts: int, key: np.uint64, at: Ints) -> Ints:
    """Walk each candle (n, 4) from open to close within its range: ticks at (n, parts + 1)."""
    first, high, low, last = (prices[:, [column]] for column in range(4))
    share = np.arange(parts + 1) / parts
    noise = normal(key, at.ravel()).reshape(at.shape)
    wiggle = np.concatenate([noise, noise[:, :1]], axis=1) * (high - low) * 0.25
    path: Ints = np.rint(first + (last - first) * share + wiggle).astype(np.int64)
    path = np.clip(path, low, high)
    path[:, [0]], path[:, [-1]] = first, last
    return path


def _place_extremes(rows: np.ndarray, prices: Ints, at: Ints, symbol: str) -> None:
    """Let one minute of each candle reach its high, and one its low."""
    candle = np.arange(len(at))
    for name, column in (("high", 1), ("low", 2)):
        draw = uniform(key_of("replay", symbol, name), at[:, 0])
        rows[name][at[candle, (draw * at.shape[1]).astype(np.int64)]] = prices[:, column]


def _split_volume(volume: Ints, at: Ints, symbol: str) -> Ints:
    parts = at.shape[1]
    weight = np.exp(0.5 * normal(key_of("replay", symbol, "volume"), at.ravel())).reshape(at.shape)
    base = np.where(volume >= 8 * parts, 8, 0)[:, None]
    spare = volume[:, None] - base * parts
    split: Ints = base + np.floor(spare * weight / weight.sum(axis=1, keepdims=True)).astype(
        np.int64
    )
    split[:, 0] += volume - split.sum(axis=1)
    return split


def fill_holes(rows: np.ndarray, at: Ints) -> None:
    """Let every minute but those at these positions be flat, at the close before it."""
    known = np.zeros(len(rows), dtype=np.bool_)
    known[at] = True
    latest = np.maximum.accumulate(np.where(known, np.arange(len(rows)), 0))
    for name in ("open", "high", "low", "close"):
        rows[name] = np.where(known, rows[name], rows["close"][latest])


def _fill_flow(rows: np.ndarray, spec: SymbolSpec) -> None:
    """Set taker volume, counts, ids and turnover; a recorded candle knows only its volume."""
    reach = np.maximum(rows["high"] - rows["low"], 1)
    share = 0.5 + 0.3 * (rows["close"] - rows["open"]) / reach
    volume = rows["volume"]
    rows["taker_buy"] = np.where(volume > 1, np.clip(np.rint(volume * share), 1, volume - 1), 0)
    typical = max(float(volume[volume > 0].mean()) if volume.any() else 1.0, 1.0)
    wanted = np.clip(np.rint(16 * np.sqrt(volume / typical)), 4, 80).astype(np.int64)
    rows["count"] = np.where(volume >= 8, np.minimum(wanted, volume // 2), 0)
    rows["first_id"] = 1 + np.cumsum(rows["count"]) - rows["count"]
    middle = (rows["open"] + rows["high"] + rows["low"] + rows["close"]) / 4.0
    rows["quote"] = volume * float(spec.step) * middle * float(spec.tick)
