"""The tape: recorded trades of one symbol, found by time and by id."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.market.block import MINUTE
from loopback_exchange.market.candles import sum_rows
from loopback_exchange.market.trades import NO_TRADES, Trades, joined

if TYPE_CHECKING:
    from loopback_exchange.market.noise import Ints
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.market.trade_file import TradeFile

_BLOCKS_KEPT = 8
"""Decoded batches in memory: 8 x 65,536 trades of 33 bytes are 17 MB a symbol."""


class TapeMinutes(NamedTuple):
    """The minutes in which something traded; arrays of one length."""

    minute: Ints  # since 1970
    rows: np.ndarray  # of MINUTE: prices, volume, count, first id and turnover
    low_id: Ints
    high_id: Ints


class Tape:
    """Trades of a file in ticks and steps; only a few batches of it are in memory.

    A trade is found by its time: first its batch among the last times of all batches, then its
    place in the batch, both by bisection. Reading costs the trades that are read.
    """

    def __init__(self, file: TradeFile, spec: SymbolSpec, shift_ms: int = 0) -> None:
        self._file, self._spec, self._shift_ms = file, spec, shift_ms
        batches = file.batches
        self._last_ms = batches.last_ms + shift_ms
        self._low_id, self._high_id = batches.low_id, batches.high_id
        self._offset = np.concatenate([[0], np.cumsum(batches.rows)])
        self._block = lru_cache(maxsize=_BLOCKS_KEPT)(self._read)

    def _read(self, block: int) -> Trades:
        raw = self._file.read(block)
        price = np.rint(raw.price / float(self._spec.tick)).astype(np.int64)
        quantity = np.rint(raw.amount / float(self._spec.step)).astype(np.int64)
        return Trades(raw.id, price, quantity, raw.is_buy, raw.time_ms + self._shift_ms)

    def between(self, start_ms: int, stop_ms: int) -> Trades:
        """Give the trades at times in [start, stop)."""
        first = int(np.searchsorted(self._last_ms, start_ms, side="left"))
        parts = []
        for block in range(first, len(self._last_ms)):
            trades = self._block(block)
            begin, end = trades.before(start_ms), trades.before(stop_ms)
            parts.append(trades.part(begin, end))
            if end < len(trades.id):
                break
        return joined(parts or [NO_TRADES])

    def minute_of(self, trade_id: int) -> int | None:
        """Give the minute of a recorded id; None when no trade has it."""
        holds = (self._low_id <= trade_id) & (trade_id <= self._high_id)
        for block in np.flatnonzero(holds).tolist():
            trades = self._block(block)
            at = trades.place_of(trade_id)
            if at < len(trades.id) and trades.id[at] == trade_id:
                return int(trades.time_ms[at]) // MINUTE_MS
        return None

    def minutes(self) -> TapeMinutes:
        """Sum the whole tape to minutes, batch by batch."""
        parts = []
        for block in range(len(self._last_ms)):
            trades = self._read(block)
            if len(trades.id):
                ids = trades.id
                parts.append(_by_minute(trades.time_ms // MINUTE_MS, self._rows(trades), ids, ids))
        # A minute that two batches share is summed once more.
        return _by_minute(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _rows(self, trades: Trades) -> np.ndarray:
        rows = np.zeros(len(trades.id), dtype=MINUTE)
        for name in ("open", "high", "low", "close"):
            rows[name] = trades.price
        rows["volume"], rows["taker_buy"] = trades.quantity, trades.quantity * trades.is_buy
        rows["count"], rows["first_id"] = 1, trades.id
        rows["quote"] = turnover(trades, self._spec)
        return rows


def turnover(trades: Trades, spec: SymbolSpec) -> np.ndarray:
    """Give the value of each trade, in quote."""
    value: np.ndarray = spec.prices(trades.price) * spec.quantities(trades.quantity)
    return value


def _by_minute(minute: Ints, rows: np.ndarray, low_id: Ints, high_id: Ints) -> TapeMinutes:
    starts = np.flatnonzero(np.diff(minute, prepend=minute[0] - 1))
    return TapeMinutes(
        minute[starts],
        sum_rows(rows, minute),
        np.minimum.reduceat(low_id, starts),
        np.maximum.reduceat(high_id, starts),
    )
