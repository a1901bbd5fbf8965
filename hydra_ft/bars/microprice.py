"""Stoikov's microprice: where the mid is expected to settle, given the queues and the spread.

Stoikov, The micro-price: a high-frequency estimator of future prices, Quantitative Finance
18, 2018. The book is in one of ``buckets`` states of the imbalance q_b / (q_b + q_a) by
``spreads`` states of the spread, in ticks. From the transitions of a stretch of the past:

    Q   share of transitions from state x to y while the mid stands
    r   mean move of the mid from x to the next state (0 where it stands)
    R   share of transitions from x to y that move the mid
    G1 = (1 - Q)^-1 r,  B = (1 - Q)^-1 R,  g = G1 + B G1 + B^2 G1 + ...

Each transition also counts mirrored, sides exchanged, so that the sum is finite and a
balanced book has the mid for its microprice.
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
    imbalance, column 0 a spread of one tick; the last column stands for all wider spreads.
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
    mirrored = (buckets - 1 - before // spreads) * spreads + before % spreads
    mirrored_after = (buckets - 1 - after // spreads) * spreads + after % spreads
    adjustment = _solved(
        np.concatenate((before, mirrored)),
        np.concatenate((after, mirrored_after)),
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
    """Mid plus the table's adjustment, shape (n,), quote; NaN where a side is not known.

    It looks at the row itself alone; the table must come from rows before it.
    """
    buckets, spreads = table.ticks.shape
    states = _states(bid, bid_size, ask, ask_size, table.tick, buckets, spreads)
    adjustment = table.tick * table.ticks.ravel()[states]
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
    share = np.where(known, bid_size, 0.0) / np.where(known, bid_size + ask_size, 1.0)
    bucket = np.minimum((share * buckets).astype(np.int64), buckets - 1)
    wide = np.where(known, np.round(np.where(known, ask - bid, tick) / tick), 1.0)
    column = np.clip(wide.astype(np.int64), 1, spreads) - 1
    return np.where(known, bucket * spreads + column, -1)


def _solved(before: IntArray, after: IntArray, moves: FloatArray, states: int) -> FloatArray:
    """Sum of B^k G1 over the moves still to come, shape (states,), ticks."""
    seen = np.maximum(np.bincount(before, minlength=states), 1)
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
    return found


def _shares(before: IntArray, after: IntArray, chosen: BoolArray, seen: IntArray) -> FloatArray:
    """Share of all transitions out of a state that are chosen and lead to another, (s, s)."""
    states = seen.size
    pairs = np.bincount(before[chosen] * states + after[chosen], minlength=states**2)
    return pairs.reshape(states, states) / seen[:, None]
