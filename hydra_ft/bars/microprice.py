"""Stoikov's microprice: where the mid is expected to settle, given the queues and the spread.

Stoikov, The micro-price: a high-frequency estimator of future prices, Quantitative Finance
18, 2018. The book is in one of ``buckets`` states of the imbalance q_b / (q_b + q_a) by
``spreads`` states of the spread, in ticks. From the transitions of a stretch of the past:

    Q   share of transitions from state x to y while the mid stands
    r   mean move of the mid from x to the next state (0 where it stands)
    R   share of transitions from x to y that move the mid
    G1 = (1 - Q)^-1 r,  B = (1 - Q)^-1 R,  g = G1 + B G1 + B^2 G1 + ...

Each transition also counts mirrored, sides exchanged, so that the sum is finite. An imbalance
on the edge of two states belongs to the one farther from balance, on either side alike, and
equal queues are half in the state below and half in that above: so a mirrored book has the
mirrored microprice, and a balanced one the mid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, FloatArray, IntArray

MIN_MOVES = 100
_ROUNDS = 200
_SETTLED = 1e-9


@dataclass(frozen=True, slots=True)
class MicropriceTable:
    """How far above the mid the microprice stands, in ticks.

    ``ticks`` has shape (buckets, spreads): row 0 is the most ask-heavy bucket of the
    imbalance, column 0 a spread of one tick; the last column stands for all wider spreads. NaN
    for a state that was not seen, nor its mirror: of it nothing is known, the mid neither.
    """

    tick: float
    ticks: FloatArray


def fitted(
    bid: FloatArray,
    bid_size: FloatArray,
    ask: FloatArray,
    ask_size: FloatArray,
    *,
    tick: float,
    buckets: int = 10,
    spreads: int = 3,
    max_move_ticks: float = 1.0,
) -> MicropriceTable:
    """Table of the microprice from consecutive best prices and sizes, shape (n,) each.

    A single move of the mid counts for ``max_move_ticks`` at most, where the paper leaves out
    moves of more than a tick: a sweep of a hundred ticks would otherwise decide for its
    state alone. So the adjustment is a careful one where moves are large.

    Raises DataError with fewer than 100 moves of the mid, or where a state that is entered
    is never left.
    """
    states = _states(bid, bid_size, ask, ask_size, tick, buckets, spreads)
    moves = np.diff((bid + ask) / 2) / tick
    known = (states[:-1] >= 0) & (states[1:] >= 0)
    before, after, moves = states[:-1][known], states[1:][known], moves[known]
    moved = int(np.count_nonzero(moves))
    if moved < MIN_MOVES:
        raise DataError(f"microprice: expected {MIN_MOVES} moves of the mid or more, was {moved}")
    moves = np.clip(moves, -max_move_ticks, max_move_ticks)
    adjustment = _solved(
        np.concatenate((before, _mirrored(before, buckets, spreads))),
        np.concatenate((after, _mirrored(after, buckets, spreads))),
        np.concatenate((moves, -moves)),
        buckets * spreads,
    )
    return MicropriceTable(tick, adjustment.reshape(buckets, spreads))


def microprice(
    table: MicropriceTable,
    bid: FloatArray,
    bid_size: FloatArray,
    ask: FloatArray,
    ask_size: FloatArray,
) -> FloatArray:
    """Mid plus the table's adjustment, shape (n,), quote; NaN where that or a side is not known.

    It looks at the row itself alone; the table must come from rows before it.
    """
    buckets, spreads = table.ticks.shape
    states = _states(bid, bid_size, ask, ask_size, table.tick, buckets, spreads)
    ticks, at = table.ticks.ravel(), np.maximum(states, 0)
    balanced = (ticks[at] + ticks[_mirrored(at, buckets, spreads)]) / 2
    adjustment = table.tick * np.where(bid_size == ask_size, balanced, ticks[at])
    return np.where(states >= 0, (bid + ask) / 2 + adjustment, np.nan)


def _states(
    bid: FloatArray,
    bid_size: FloatArray,
    ask: FloatArray,
    ask_size: FloatArray,
    tick: float,
    buckets: int,
    spreads: int,
) -> IntArray:
    """State of each row, bucket * spreads + spread, shape (n,); -1 where it has none."""
    known = (ask > bid) & (bid_size + ask_size > 0)
    smaller = np.where(known, np.minimum(bid_size, ask_size), 0.0)
    share = smaller / np.where(known, bid_size + ask_size, 1.0)
    below = np.maximum(np.ceil(share * buckets).astype(np.int64) - 1, 0)
    bucket = np.where(bid_size > ask_size, buckets - 1 - below, below)
    wide = np.where(known, np.round(np.where(known, ask - bid, tick) / tick), 1.0)
    column = np.clip(wide.astype(np.int64), 1, spreads) - 1
    return np.where(known, bucket * spreads + column, -1)


def _mirrored(states: IntArray, buckets: int, spreads: int) -> IntArray:
    """States of the same books with the sides exchanged, shape (n,)."""
    return (buckets - 1 - states // spreads) * spreads + states % spreads


def _solved(before: IntArray, after: IntArray, moves: FloatArray, states: int) -> FloatArray:
    """Sum of B^k G1 over the moves still to come, shape (states,), ticks; NaN if never seen."""
    visits = np.bincount(before, minlength=states)
    seen = np.maximum(visits, 1)
    still = _shares(before, after, moves == 0, seen)
    jumps = _shares(before, after, moves != 0, seen)
    drift = np.bincount(before, weights=moves, minlength=states) / seen
    try:
        left = np.linalg.inv(np.eye(states) - still)
    except np.linalg.LinAlgError as error:
        raise DataError("microprice: a state is never left; give a longer stretch") from error
    step, jump = left @ drift, left @ jumps
    found = step.copy()
    for _ in range(_ROUNDS):
        step = jump @ step
        found += step
        if np.abs(step).max() < _SETTLED:
            break
    return np.where(visits > 0, found, np.nan)


def _shares(before: IntArray, after: IntArray, chosen: BoolArray, seen: IntArray) -> FloatArray:
    """Share of all transitions out of a state that are chosen and lead to another, (s, s)."""
    states = seen.size
    pairs = np.bincount(before[chosen] * states + after[chosen], minlength=states**2)
    return pairs.reshape(states, states) / seen[:, None]
