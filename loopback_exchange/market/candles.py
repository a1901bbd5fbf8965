"""Sums of minutes: how rows of ``MINUTE`` become coarser candles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.clock import DAY_MS, HOUR_MS, MINUTE_MS
from loopback_exchange.market.block import MINUTE

if TYPE_CHECKING:
    from loopback_exchange.market.noise import Floats, Ints
    from loopback_exchange.market.specs import SymbolSpec

INTERVALS_MS = {
    **{f"{n}m": n * MINUTE_MS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * HOUR_MS for n in (1, 2, 4, 6, 8, 12)},
    **{f"{n}d": n * DAY_MS for n in (1, 3)},
    "1w": 7 * DAY_MS,
}
_FIRST = ("open", "first_id", "mark_open")
_LAST = ("close", "mark_close", "basis", "premium", "open_interest")
_SUMS = ("volume", "taker_buy", "count", "quote", "long_liquidations", "short_liquidations")
_MOST, _LEAST = ("high", "mark_high"), ("low", "mark_low")


def bucket_offset_ms(interval_ms: int) -> int:
    """Give where the first bucket after 1970 begins: weeks begin on Mondays."""
    return 4 * DAY_MS if interval_ms == 7 * DAY_MS else 0


def sum_rows(rows: np.ndarray, group: Ints) -> np.ndarray:
    """Sum rows that share a group number (ascending) into one row each."""
    starts = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
    if len(starts) == len(rows):
        return rows
    ends = np.append(starts[1:], len(rows)) - 1
    total = np.zeros(len(starts), dtype=MINUTE)
    for name in _FIRST:
        total[name] = rows[name][starts]
    for name in _LAST:
        total[name] = rows[name][ends]
    for name in _SUMS:
        total[name] = np.add.reduceat(rows[name], starts)
    for name in _MOST:
        total[name] = np.maximum.reduceat(rows[name], starts)
    for name in _LEAST:
        total[name] = np.minimum.reduceat(rows[name], starts)
    return total


@dataclass(frozen=True)
class Candles:
    """Candles of one symbol: ``open_time`` (n,) in ms and ``rows`` (n,) of ``MINUTE``."""

    spec: SymbolSpec
    open_time: Ints
    rows: np.ndarray

    def arrays(self) -> dict[str, Ints | Floats]:
        """Give the columns in quote and base units, each of shape (n,)."""
        rows, spec = self.rows, self.spec
        prices = {name: spec.prices(rows[name]) for name in ("open", "high", "low", "close")}
        kept = ("premium", "open_interest", "long_liquidations", "short_liquidations")
        return {
            "open_time": self.open_time,
            **prices,
            "volume": spec.quantities(rows["volume"]),
            "taker_buy_volume": spec.quantities(rows["taker_buy"]),
            "quote_volume": rows["quote"],
            "count": rows["count"],
            **{name: rows[name] for name in kept},
        }
