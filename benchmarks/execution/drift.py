"""How alike a tape is to a real one: the drift after passive fills, and how moves add up.

One rule for every tape, generated or recorded: whenever a trade comes to the touch or goes
through it, an order that rested there first in the queue has filled at the touch. It earned
the mid just before less its price; what the mid then moves against it is the adverse
selection. Trades of one millisecond and one side count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.execution.intervals import Interval, clustered_mean_of
from benchmarks.execution.trial import HORIZONS_S, LOOP_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.execution.windows import Window
    from hydra_ft.types import BoolArray, FloatArray, IntArray
    from loopback_exchange.market import MarketSource

TAPE_MS = 600_000
"""Length of tape that is read from the decision of a window on."""
LAGS_S = (1, 5, 10, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class Tape:
    """Trades (n,) and best quotes (m,), both in time order; times are UTC ms."""

    time: IntArray
    price: FloatArray
    is_buy: BoolArray
    quote_time: IntArray
    bid: FloatArray
    ask: FloatArray


@dataclass(frozen=True, slots=True)
class Drift:
    """Passive fills of one source: what they earned, and lost after each horizon, in bps.

    ``roughness`` has a figure for each of ``LAGS_S``; it is empty where fills are not a tape.
    """

    source: str
    fills: int
    earned: Interval
    against: tuple[Interval, ...]
    roughness: tuple[float, ...] = ()


def touch_fills(tape: Tape) -> tuple[FloatArray, IntArray]:
    """Give earned and drifts, shape (k, 1 + horizons) in bps, and the times (k,) of the fills.

    A fill whose last horizon lies beyond the tape is left out.
    """
    stands = np.searchsorted(tape.quote_time, tape.time, side="left") - 1
    changes = (np.diff(tape.time, prepend=-1) != 0) | (
        np.diff(tape.is_buy.astype(np.int8), prepend=-1) != 0
    )
    last = tape.time + HORIZONS_S[-1] * 1000 <= tape.quote_time[-1]
    at = np.flatnonzero((stands >= 0) & changes & last)
    stands = stands[at]
    bid, ask, buy = tape.bid[stands], tape.ask[stands], tape.is_buy[at]
    reached = np.where(buy, tape.price[at] >= ask, tape.price[at] <= bid)
    # The resting side gains when the mid goes against the aggressor.
    sign = np.where(buy, -1.0, 1.0)
    mid = (bid + ask) / 2
    columns = [(ask - bid) / 2]
    for horizon in HORIZONS_S:
        then = np.searchsorted(tape.quote_time, tape.time[at] + horizon * 1000, side="right") - 1
        columns.append(sign * (mid - (tape.bid[then] + tape.ask[then]) / 2))
    edges = 1e4 * np.stack(columns, axis=1) / mid[:, None]
    return edges[reached], tape.time[at][reached]


def drift_of(
    source: str,
    edges: FloatArray,
    cluster: IntArray,
    seed: int,
    tapes: Sequence[Tape] = (),
) -> Drift:
    """Average passive fills of shape (k, 1 + horizons); rows of one cluster stay together."""
    means = [clustered_mean_of(column, cluster, seed) for column in edges.T]
    return Drift(source, len(edges), means[0], tuple(means[1:]), roughness(tapes) if tapes else ())


def generated_tape(market: MarketSource, window: Window) -> Tape:
    """Read the tape of a window: each trade, and the book that stands after it (in ticks)."""
    start = window.decided_at
    stop = start + TAPE_MS + HORIZONS_S[-1] * 1000 + LOOP_MS
    trades = market.trades(window.symbol, start, stop)
    books = [market.book(window.symbol, int(at), 1) for at in trades.time_ms]
    return Tape(
        time=trades.time_ms,
        price=trades.price.astype(np.float64),
        is_buy=trades.is_buy,
        quote_time=trades.time_ms,
        bid=np.array([book.bids[0][0] for book in books], dtype=np.float64),
        ask=np.array([book.asks[0][0] for book in books], dtype=np.float64),
    )


def joined(parts: Sequence[tuple[FloatArray, IntArray]]) -> tuple[FloatArray, IntArray]:
    """Put the fills of several tapes together; each tape is a cluster of its own."""
    cluster = np.repeat(np.arange(len(parts)), [len(edges) for edges, _ in parts])
    return np.concatenate([edges for edges, _ in parts]), cluster


def roughness(tapes: Sequence[Tape]) -> tuple[float, ...]:
    """Variance per second of moves of the mid over each lag, as a ratio to that over a minute.

    1 at every lag is a random walk; more at short lags is a market that takes its moves back
    (Lo & MacKinlay 1988).
    """
    mids = [_mid_by_second(tape) for tape in tapes]
    rates = [np.mean([np.mean((x[lag:] - x[:-lag]) ** 2) / lag for x in mids]) for lag in LAGS_S]
    return tuple(float(rate / rates[LAGS_S.index(60)]) for rate in rates)


def _mid_by_second(tape: Tape) -> FloatArray:
    at = np.arange(tape.quote_time[0], tape.quote_time[-1], 1_000)
    stands = np.searchsorted(tape.quote_time, at, side="right") - 1
    mid: FloatArray = 1e4 * np.log((tape.bid[stands] + tape.ask[stands]) / 2)
    return mid
