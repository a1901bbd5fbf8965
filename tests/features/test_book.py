"""Order flow, imbalance and mids of the book against worked numbers and plain code."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hydra_ft.features.book import depth, imbalance, order_flow_events, summed, weighted_mid

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray

Sides = tuple["FloatArray", "FloatArray", "FloatArray", "FloatArray"]


def random_book(n: int = 400, seed: int = 1) -> Sides:
    """Best bid, its size, best ask, its size; prices on a tick of 0.5 that often stand still."""
    random = np.random.default_rng(seed)
    bid = 100 + 0.5 * np.cumsum(random.choice([-1, 0, 0, 0, 1], n))
    ask = bid + 0.5 * random.choice([1, 1, 1, 2, 3], n)
    return bid, random.integers(1, 50, n) / 10, ask, random.integers(1, 50, n) / 10


def plain_event(before: tuple[float, ...], now: tuple[float, ...]) -> float:
    """Section 2.2 of Cont, Kukanov and Stoikov (2014), case by case."""
    (bid_0, bid_size_0, ask_0, ask_size_0), (bid, bid_size, ask, ask_size) = before, now
    if bid > bid_0:
        demand = bid_size
    elif bid == bid_0:
        demand = bid_size - bid_size_0
    else:
        demand = -bid_size_0
    if ask < ask_0:
        supply = ask_size
    elif ask == ask_0:
        supply = ask_size - ask_size_0
    else:
        supply = -ask_size_0
    return demand - supply


def test_order_flow_of_one_change_by_hand() -> None:
    """X05: 100 x 5 / 100.2 x 4, then 100.1 x 3 / 100.2 x 6: 3 - 6 + 4 = +1."""
    bid, bid_size = np.array([100.0, 100.1]), np.array([5.0, 3.0])
    ask, ask_size = np.array([100.2, 100.2]), np.array([4.0, 6.0])
    events = order_flow_events(bid, bid_size, ask, ask_size)
    assert np.isnan(events[0])
    assert events[1] == pytest.approx(1)
    assert weighted_mid(bid, bid_size, ask, ask_size)[1] == pytest.approx(100.1333, abs=1e-4)


def test_order_flow_follows_its_paper_case_by_case() -> None:
    book = random_book()
    events = order_flow_events(*book)
    rows = list(zip(*book, strict=True))
    expected = [plain_event(*pair) for pair in pairwise(rows)]
    np.testing.assert_allclose(events[1:], expected)


def test_each_level_has_the_order_flow_of_its_own_prices() -> None:
    levels = [random_book(seed=seed) for seed in range(3)]
    together = order_flow_events(*(np.stack(side, axis=1) for side in zip(*levels, strict=True)))
    assert together.shape == (400, 3)
    for number, level in enumerate(levels):
        np.testing.assert_array_equal(together[:, number], order_flow_events(*level))


def test_a_level_that_is_missing_has_unknown_flow_and_leaves_the_others() -> None:
    book = [np.stack([side, side], axis=1) for side in random_book(10)]
    for side in book:
        side[5, 1] = np.nan
    events = order_flow_events(book[0], book[1], book[2], book[3])
    assert list(np.flatnonzero(np.isnan(events[:, 1]))) == [0, 5, 6]
    assert list(np.flatnonzero(np.isnan(events[:, 0]))) == [0]


def test_a_book_that_is_read_anew_has_no_flow_from_the_one_before_the_gap() -> None:
    book = random_book(10)
    fresh = np.zeros(10, dtype=np.bool_)
    fresh[4] = True
    events = order_flow_events(*book, fresh=fresh)
    assert list(np.flatnonzero(np.isnan(events))) == [0, 4]
    np.testing.assert_array_equal(events[5:], order_flow_events(*book)[5:])


def test_order_flow_knows_one_state_before_and_no_later_one() -> None:
    """P1: prefix and start invariance."""
    book = random_book()
    whole = order_flow_events(*book)
    for cut in (1, 2, 57, 399):
        head = order_flow_events(*(side[:cut] for side in book))
        np.testing.assert_array_equal(head, whole[:cut])
        tail = order_flow_events(*(side[cut - 1 :] for side in book))
        np.testing.assert_array_equal(tail[1:], whole[cut:])


@pytest.mark.parametrize("shape", [(60,), (60, 2)])
def test_sums_hold_each_event_once_and_a_quiet_stretch_is_zero(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(2)
    events, time = random.normal(0, 1, shape), np.sort(random.integers(0, 1000, 60))
    time[20:23] = 300
    edges = np.array([0, 100, 200, 300, 400, 400, 2000, 3000])
    found = summed(events, time, edges)
    for row, (start, stop) in enumerate(pairwise(edges)):
        inside = events[(time >= start) & (time < stop)]
        np.testing.assert_allclose(found[row], inside.sum(axis=0), atol=1e-12)
    assert (found[-1] == 0).all()


def test_sums_are_the_same_to_the_last_digit_wherever_the_events_begin() -> None:
    """P1: prefix and start invariance."""
    random = np.random.default_rng(4)
    events, time = random.normal(0, 1e3, 5000), np.arange(5000)
    edges = np.arange(0, 5001, 50)
    whole = summed(events, time, edges)
    np.testing.assert_array_equal(summed(events[:2000], time[:2000], edges[:41]), whole[:40])
    np.testing.assert_array_equal(summed(events[1000:], time[1000:], edges[20:]), whole[20:])


def test_a_stretch_with_an_unknown_event_is_unknown_alone() -> None:
    """A gap must not look like calm."""
    events = np.array([np.nan, 1.0, 2.0, np.nan, 4.0])
    found = summed(events, np.array([0, 10, 20, 30, 40]), np.array([0, 5, 25, 35, 45, 55]))
    np.testing.assert_array_equal(found, [np.nan, 3.0, np.nan, 4.0, 0.0])


def test_imbalance_is_between_the_sides_and_unknown_without_any() -> None:
    found = imbalance(np.array([3.0, 1.0, 0.0, 0.0]), np.array([1.0, 3.0, 2.0, 0.0]))
    np.testing.assert_array_equal(found, [0.5, -0.5, -1.0, np.nan])


def test_depth_is_the_notional_of_the_best_levels() -> None:
    prices = np.array([[100.0, 99.0, 98.0], [100.0, np.nan, np.nan]])
    sizes = np.array([[1.0, 2.0, 3.0], [1.0, np.nan, np.nan]])
    np.testing.assert_array_equal(depth(prices, sizes, 2), [298.0, np.nan])
    np.testing.assert_array_equal(depth(prices, sizes, 1), [100.0, 100.0])


def test_the_weighted_mid_lies_between_the_best_prices_nearer_to_the_shorter_queue() -> None:
    bid, bid_size, ask, ask_size = random_book()
    found = weighted_mid(bid, bid_size, ask, ask_size)
    assert ((bid <= found) & (found <= ask)).all()
    above = found > (bid + ask) / 2 + 1e-9
    below = found < (bid + ask) / 2 - 1e-9
    assert (ask_size[above] < bid_size[above]).all()
    assert (bid_size[below] < ask_size[below]).all()
    empty = np.zeros(1)
    assert np.isnan(weighted_mid(bid[:1], empty, ask[:1], empty)).all()
