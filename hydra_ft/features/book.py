"""What the resting orders say: pressure at the best prices, and whose queue is longer.

Functions of arrays with one row per state of the book, oldest first: prices in quote
currency, sizes in base currency, shape (n,) at the best prices or (n, levels) with the best
first. Levels that the book does not have are NaN in price and size, and so is what would
need them. They are no features of bars: bars take their sums (``summed``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, FloatArray, IntArray


def order_flow_events(
    bid: FloatArray,
    bid_size: FloatArray,
    ask: FloatArray,
    ask_size: FloatArray,
    *,
    fresh: BoolArray | None = None,
) -> FloatArray:
    """Order flow of each change of the book, base units, in the shape of ``bid``.

    e = 1{b >= b'} q_b - 1{b <= b'} q_b' - 1{a <= a'} q_a + 1{a >= a'} q_a', with ' for the
    state before: size that came to the bid or left the ask counts up. Cont, Kukanov and
    Stoikov, Journal of Financial Econometrics 12, 2014; with several columns level by level
    as Xu, Gould and Howison, Market Microstructure and Liquidity 4, 2018.

    The first row has no state before it and is NaN; so is a row of ``fresh``, shape (n,),
    which says that the book was read anew there, after a gap. A move of the price goes with
    the sum over the mean depth at the best prices: divide by it to compare pairs.
    """
    flow = np.full(bid.shape, np.nan)
    up, down = bid[1:] >= bid[:-1], bid[1:] <= bid[:-1]
    bought = up * bid_size[1:] - down * bid_size[:-1]
    fell, rose = ask[1:] <= ask[:-1], ask[1:] >= ask[:-1]
    flow[1:] = bought - fell * ask_size[1:] + rose * ask_size[:-1]
    if fresh is not None:
        flow[fresh] = np.nan
    return flow


def summed(events: FloatArray, time: IntArray, edges: IntArray) -> FloatArray:
    """Sum of the events with ``edges[i] <= time < edges[i + 1]``, shape (len(edges) - 1, ...).

    ``time`` and ``edges`` do not fall and are in the same unit. A stretch without a change of
    the book is 0, and one with an unknown event is NaN.
    """
    rows = np.searchsorted(time, edges, side="left")
    # Each sum is that of its own rows alone, not a difference of running sums. The row of
    # zeros is where a stretch behind the last event begins.
    padded = np.concatenate((events[: rows[-1]], np.zeros((1, *events.shape[1:]))))
    found = np.add.reduceat(padded, rows[:-1], axis=0)
    found[rows[1:] == rows[:-1]] = 0.0
    return found


def imbalance(bid_size: FloatArray, ask_size: FloatArray) -> FloatArray:
    """(bid - ask) / (bid + ask) of sizes or depths, within -1..1; NaN where both are 0.

    At the best prices the queue imbalance of Gould and Bonart, Market Microstructure and
    Liquidity 2, 2016; with ``depth`` that of the upper book.
    """
    return rolling.ratio(bid_size - ask_size, bid_size + ask_size)


def depth(prices: FloatArray, sizes: FloatArray, levels: int) -> FloatArray:
    """Sum of price * size over the best ``levels`` of a side, shape (n,), quote currency.

    ``prices`` and ``sizes`` have shape (n, levels or more); NaN where a level is missing.
    """
    found: FloatArray = (prices[:, :levels] * sizes[:, :levels]).sum(axis=1)
    return found


def weighted_mid(
    bid: FloatArray, bid_size: FloatArray, ask: FloatArray, ask_size: FloatArray
) -> FloatArray:
    """Mid drawn towards the side with the shorter queue, (a q_b + b q_a) / (q_a + q_b), shape (n,).

    NaN where both queues are empty. It moves by noise in the queues; ``microprice`` does not.
    """
    return rolling.ratio(ask * bid_size + bid * ask_size, bid_size + ask_size)
