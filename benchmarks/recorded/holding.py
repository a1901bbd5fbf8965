"""Buying all pairs in equal parts, and doing nothing until the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.recorded.positions import Position
from benchmarks.recorded.stage_a import candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types import FloatArray, IntArray
    from loopback_exchange import Replay

HOUR_MS = 3_600_000


def held(
    pair: str,
    part_quote: float,
    candles: tuple[IntArray, IntArray, FloatArray, FloatArray],
    funding: tuple[IntArray, FloatArray, FloatArray],
    fee: float,
) -> Position:
    """Long position from the first open to the last close, with fees and funding.

    ``candles`` are open times, close times (UTC ms), opens and closes, shape (n,) each;
    ``funding`` are times, rates and mark prices of the settlements, shape (m,) each. The part
    pays for the quantity and the fee of its purchase: quantity = part / (open (1 + fee)). A
    long pays quantity x mark x rate at every settlement while it is held.
    """
    opened, closed, opens, prices = candles
    settled, rates, marks = funding
    first, last = float(opens[0]), float(prices[-1])
    quantity = part_quote / (first * (1 + fee))
    inside = (settled >= opened[0]) & (settled <= closed[-1])
    received = -quantity * float(np.sum((rates * marks)[inside]))
    fees = quantity * (first + last) * fee
    profit = quantity * (last - first) - fees + received
    return Position(
        pair=pair,
        sign=1,
        quantity=quantity,
        opened_at=int(opened[0]),
        closed_at=int(closed[-1]),
        open_price=first,
        profit_quote=profit,
        profit_ratio=profit / part_quote,
        fees_quote=fees,
        funding_quote=received,
        close_price=last,
        stake_quote=part_quote,
    )


def candles_of(
    market: Replay, symbol: str, window: tuple[int, int], step_ms: int
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Candles of a pair that open in a window: open times, close times, opens, closes.

    Raises
    ------
    ValueError
        When the pair has no candle there.
    """
    opened, columns = candles(market, symbol, step_ms, _within(market, symbol, window, step_ms))
    return opened, opened + step_ms, columns["open"], columns["close"]


def extremes_of(
    market: Replay, symbol: str, window: tuple[int, int], step_ms: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """The same candles: open times, lowest and highest prices; raises as ``candles_of``."""
    opened, columns = candles(market, symbol, step_ms, _within(market, symbol, window, step_ms))
    return opened, columns["low"], columns["high"]


def _within(market: Replay, symbol: str, window: tuple[int, int], step_ms: int) -> tuple[int, int]:
    """The part of a window in which a pair has candles."""
    first, stop = (minute * 60_000 for minute in market.span(symbol))
    begin, end = max(window[0], first), min(window[1], stop // step_ms * step_ms)
    if begin >= end:
        raise ValueError(f"expected candles of {symbol} in {window}, were none")
    return begin, end


def settlements_of(
    market: Replay, symbol: str, window: tuple[int, int]
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Settlements of a pair in a window: times, rates, mark prices at the open of their hour."""
    times, rates = market.funding(symbol, *window)
    first, stop = (minute * 60_000 for minute in market.span(symbol))
    known = (times >= first) & (times < stop - HOUR_MS)
    times, rates = times[known], rates[known]
    begin = -(-first // HOUR_MS) * HOUR_MS
    hours, marks = market.mark_candles(symbol, HOUR_MS, begin, stop, stop)
    rows = np.searchsorted(hours, times // HOUR_MS * HOUR_MS)
    return times, rates, marks[rows, 0]


def buy_and_hold(
    market: Replay,
    pairs: Sequence[tuple[str, str]],
    window: tuple[int, int],
    wallet: float,
    fee: float,
    step_ms: int,
) -> list[Position]:
    """One long position for each (symbol, pair), of an equal part of the wallet."""
    part = wallet / len(pairs)
    return [
        held(
            pair,
            part,
            candles_of(market, symbol, window, step_ms),
            settlements_of(market, symbol, window),
            fee,
        )
        for symbol, pair in pairs
    ]
