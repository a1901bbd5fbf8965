"""The trades of one minute: a walk from its open through high and low to its close."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.market.noise import Floats, Ints, key_of, normal, uniform

_UNIFORM = key_of("bridge", "uniform")
_NORMAL = key_of("bridge", "normal")


Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


class _Draws:
    """Four uniform and four normal numbers a trade; ids are unique, so none is shared."""

    def __init__(self, seed: int, trade_ids: Ints) -> None:
        self.count = len(trade_ids)
        self._mask = np.uint64(seed & 0xFFFFFFFF)
        self._index = trade_ids * 4

    def uniform(self, lane: int) -> Floats:
        return uniform(_UNIFORM ^ self._mask, self._index + lane)

    def normal(self, lane: int) -> Floats:
        return normal(_NORMAL ^ self._mask, self._index + lane)


class MinuteTrades(NamedTuple):
    """Trades of a minute in time order; arrays of one length."""

    price: Ints  # ticks
    quantity: Ints  # steps
    is_buy: Flags  # the aggressor bought
    offset_ms: Ints  # since the minute began; the first one is 0


def minute_trades(row: Any, seed: int) -> MinuteTrades:
    """Derive the trades of one ``MINUTE`` row.

    They reproduce open, high, low, close, volume and taker-buy volume exactly. The row's
    ``first_id`` and the seed fix the numbers, so a restart gives the same trades.
    """
    count = int(row["count"])
    if count == 0:
        none = np.zeros(0, dtype=np.int64)
        return MinuteTrades(none, none, none.astype(np.bool_), none)
    draw = _Draws(seed, int(row["first_id"]) + np.arange(count))
    price = _prices(row, draw)
    is_buy = _sides(row, draw, price)
    quantity = _quantities(row, draw, is_buy)
    spread = (np.arange(count) + draw.uniform(0)) / count
    offset = np.floor(spread * MINUTE_MS).astype(np.int64)
    offset[0] = 0
    return MinuteTrades(price, quantity, is_buy, offset)


def _prices(row: Any, draw: _Draws) -> Ints:
    count = draw.count
    first, high, low, last = (int(row[name]) for name in ("open", "high", "low", "close"))
    if count < 4:
        raise ValueError(
            f"A minute with trades needs at least 4 to show its candle; it has {count}. "
            "Change the counts of the market source."
        )
    where = draw.uniform(1)[:3]
    early = 1 + int(where[0] * (count - 3))
    late = early + 1 + int(where[1] * (count - 2 - early))
    # A rising minute mostly dips first, a falling one mostly spikes first.
    dips_first = (where[2] < 0.7) == (last >= first)
    ends = (low, high) if dips_first else (high, low)
    path = np.interp(np.arange(count), [0, early, late, count - 1], [first, *ends, last])
    path += (high - low) * 0.08 * draw.normal(0)
    price = np.clip(np.rint(path), low, high).astype(np.int64)
    price[[0, early, late, count - 1]] = (first, *ends, last)
    return price


def _sides(row: Any, draw: _Draws, price: Ints) -> Flags:
    buys = round(draw.count * int(row["taker_buy"]) / int(row["volume"]))
    move = np.sign(np.diff(price, prepend=price[0])) + draw.uniform(2) * 1.5
    is_buy = np.zeros(draw.count, dtype=np.bool_)
    is_buy[np.argsort(-move, kind="stable")[: min(max(buys, 1), draw.count - 1)]] = True
    return is_buy


def _quantities(row: Any, draw: _Draws, is_buy: Flags) -> Ints:
    weight = np.exp(0.9 * draw.normal(1))
    quantity = np.zeros(draw.count, dtype=np.int64)
    bought = int(row["taker_buy"])
    quantity[is_buy] = _split(bought, weight[is_buy])
    quantity[~is_buy] = _split(int(row["volume"]) - bought, weight[~is_buy])
    return quantity


def _split(total: int, weight: Floats) -> Ints:
    """Split steps by weight into whole parts of at least one, which sum to the total."""
    spare = total - len(weight)
    parts: Ints = 1 + np.floor(spare * weight / weight.sum()).astype(np.int64)
    parts[0] += total - int(parts.sum())
    return parts
