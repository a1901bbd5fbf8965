"""Stoikov's microprice against a plain solution of the same chain."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from hydra_ft.bars.microprice import MicropriceTable, fitted, microprice
from hydra_ft.errors import DataError

TICK = 0.5
Book = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def made_up(n: int = 20_000, seed: int = 1) -> Book:
    """A book whose mid goes, one move in ten rows, to where the longer queue pushes it."""
    random = np.random.default_rng(seed)
    share = random.uniform(0.05, 0.95, n)
    spread = random.choice([1, 2], n, p=[0.8, 0.2])
    moves = (random.random(n) < 0.1) * np.where(random.random(n) < share, 1, -1)
    bid = 1000 + TICK * (np.cumsum(np.r_[0, moves[:-1]]) - (spread - 1) // 2)
    return bid, 10 * share, bid + TICK * spread, 10 * (1 - share)


def plain_table(book: Book, buckets: int, spreads: int) -> np.ndarray:
    """Expected move still to come, by iterating g(x) = E[move + g(next)] over transitions."""
    bid, bid_size, ask, ask_size = (list(side) for side in book)
    rows = []
    for b, q, a, s in zip(bid, bid_size, ask, ask_size, strict=True):
        bucket = min(int(buckets * q / (q + s)), buckets - 1)
        rows.append((bucket, min(round((a - b) / TICK), spreads) - 1, (a + b) / 2 / TICK))
    after = defaultdict(list)
    for (i, w, mid), (j, v, later) in pairwise(rows):
        move = max(-1.0, min(1.0, later - mid))
        after[i, w].append((move, (j, v)))
        after[buckets - 1 - i, w].append((-move, (buckets - 1 - j, v)))
    steps = {x: float(np.mean([move for move, _ in found])) for x, found in after.items()}
    shares: dict = {x: defaultdict(float) for x in after}
    for x, found in after.items():
        for _, y in found:
            shares[x][y] += 1 / len(found)
    g = dict.fromkeys(after, 0.0)
    for _ in range(400):
        g = {x: steps[x] + sum(p * g[y] for y, p in shares[x].items()) for x in after}
    return np.array([[g[i, w] for w in range(spreads)] for i in range(buckets)])


@pytest.mark.parametrize(("buckets", "spreads"), [(2, 1), (4, 2), (10, 2)])
def test_the_table_is_the_expected_move_still_to_come(buckets: int, spreads: int) -> None:
    book = made_up(6000)
    table = fitted(*book, tick=TICK, buckets=buckets, spreads=spreads)
    np.testing.assert_allclose(table.ticks, plain_table(book, buckets, spreads), atol=1e-6)


def test_sides_are_treated_alike_and_the_longer_queue_pushes() -> None:
    ticks = fitted(*made_up(), tick=TICK, buckets=10, spreads=1).ticks[:, 0]
    np.testing.assert_allclose(ticks, -ticks[::-1], atol=1e-9)
    assert (np.diff(ticks) > 0).all()
    # Of moves by one tick to the side drawn by the share: 0.9 up and 0.1 down, once, as the
    # queues are drawn anew in each row.
    assert ticks[-1] == pytest.approx(0.1 * (0.9 - 0.1), abs=0.02)


def test_the_microprice_is_the_mid_and_what_the_table_adds() -> None:
    table = MicropriceTable(TICK, np.array([[-0.6, -0.2], [0.6, 0.2]]))
    bid = np.array([100.0, 100.0, 100.0, 100.0])
    ask = np.array([100.5, 100.5, 101.0, 105.0])
    sizes = np.array([1.0, 3.0, 3.0, 3.0]), np.array([3.0, 1.0, 1.0, 1.0])
    found = microprice(table, bid, sizes[0], ask, sizes[1])
    np.testing.assert_allclose(found, [99.95, 100.55, 100.6, 102.6])


@pytest.mark.parametrize("buckets", [2, 3, 4, 10])
def test_a_balanced_book_has_the_mid_and_a_mirrored_one_the_mirrored_price(buckets: int) -> None:
    """Also at the edges of the states: two of five lots, one of four, none."""
    table = fitted(*made_up(6000), tick=TICK, buckets=buckets, spreads=1)
    bids = np.array([1.0, 3.0, 5.0, 2.0, 1.0, 1.0, 3.0, 0.1, 0.0, 1e-9])
    asks = np.array([1.0, 3.0, 5.0, 3.0, 4.0, 3.0, 7.0, 0.2, 1.0, 1.0])
    bid, ask = np.full(10, 100.0), np.full(10, 100.5)
    found = microprice(table, bid, bids, ask, asks) - 100.25
    mirrored = microprice(table, bid, asks, ask, bids) - 100.25
    np.testing.assert_allclose(found, -mirrored, atol=1e-12)
    np.testing.assert_allclose(found[:3], 0, atol=1e-9)
    assert (found[-2:] < -1e-3).all()


def test_a_state_that_was_never_seen_is_unknown() -> None:
    """Queues like those of the past have a price; a spread that was never so wide has none."""
    table = fitted(*made_up(6000), tick=TICK, buckets=4, spreads=3)
    assert np.isfinite(table.ticks[:, :2]).all()
    assert np.isnan(table.ticks[:, 2]).all()
    bid, one = np.full(3, 100.0), np.ones(3)
    found = microprice(table, bid, one, bid + TICK * np.array([1, 2, 3]), one)
    assert np.isfinite(found).tolist() == [True, True, False]


def test_a_book_without_a_side_has_no_microprice() -> None:
    table = MicropriceTable(TICK, np.array([[-0.5], [0.5]]))
    one, none = np.ones(3), np.zeros(3)
    bid, ask = np.array([100.0, np.nan, 101.0]), np.array([np.nan, 101.0, 100.0])
    assert np.isnan(microprice(table, bid, one, ask, one)).all()
    assert np.isnan(microprice(table, bid, none, bid + 1, none)).all()


def test_a_book_that_hardly_moves_has_no_table() -> None:
    still = (np.full(500, 100.0), np.ones(500), np.full(500, 100.5), np.ones(500))
    with pytest.raises(DataError, match="expected 100 moves of the mid or more, was 0"):
        fitted(*still, tick=TICK)


def test_rows_without_a_side_are_left_out_of_the_table() -> None:
    book = made_up(6000)
    holed = tuple(side.copy() for side in book)
    for side in holed:
        side[3000:3010] = np.nan
    table = fitted(*holed, tick=TICK, buckets=4, spreads=2)
    assert np.isfinite(table.ticks).all()
    np.testing.assert_allclose(
        table.ticks, fitted(*book, tick=TICK, buckets=4, spreads=2).ticks, atol=0.02
    )


def test_a_sweep_counts_no_more_than_its_limit() -> None:
    bid, bid_size, ask, ask_size = made_up(6000)
    jump = np.where(np.arange(6000) >= 3000, 500.0, 0.0)
    swept = fitted(bid + jump, bid_size, ask + jump, ask_size, tick=TICK, spreads=1)
    calm = fitted(bid, bid_size, ask, ask_size, tick=TICK, spreads=1)
    assert np.abs(swept.ticks - calm.ticks).max() < 0.01
