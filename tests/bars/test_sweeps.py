"""Sweeps by price and through trades, and how a side comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import START
from bars.made_book import BARS, GRID, tape, walk
from bars.synthetic import MINUTE

from hydra_ft.bars.book_columns import book_columns, sweeps
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.sweep_kernels import REFILL, SWEPT, refill_per_s
from hydra_ft.types import BookSamples

if TYPE_CHECKING:
    from hydra_ft.types.flow import FlowBars

SAMPLES = walk()
TRADES = tape(SAMPLES)
FOUND = book_columns(BARS, SAMPLES, tick=0.1, trades=TRADES)


@pytest.mark.parametrize(("since", "rate"), [(2.0, 0.15), (0.4, 0.0), (10.1, 0.0)])
def test_a_refill_is_a_share_a_second_and_expires(since: float, rate: float) -> None:
    """X13: 20,000 after the sweep, 26,000 two seconds later: 0.15 a second."""
    assert refill_per_s.py_func(26_000.0, 20_000.0, 1_000.0, since) == pytest.approx(rate)
    assert refill_per_s.py_func(9e9, 1.0, 1_000.0, 0.5) == 10


def asks(*states: dict[float, float], step_ms: int = 1_000) -> BookSamples:
    """Samples of asks (price -> size) a second apart, above a bid that stands."""
    n, wide = len(states), max(map(len, states))
    price, size = np.full((n, wide), np.nan), np.full((n, wide), np.nan)
    for k, levels in enumerate(states):
        price[k, : len(levels)] = sorted(levels)
        size[k, : len(levels)] = [levels[p] for p in sorted(levels)]
    time = START + step_ms * np.arange(n)
    bid = np.full((n, wide), np.nan)
    bid[:, 0] = 99.0
    return BookSamples(time, bid, np.where(np.isnan(bid), np.nan, 1.0), price, size)


def bought(upto: float, size: float, n: int = 20) -> FlowBars:
    """Takers buy within the second before the second sample, up to a price."""
    made = trades_from([1], [START + 500], [upto], [size], [1])
    return flow_of(made, GRID, 10_000, 1_000, covered=(START, START + 1_000 * n)).sub_bars


def levels(*prices: float, size: float = 1.0) -> dict[float, float]:
    return dict.fromkeys(prices, size)


BEFORE = levels(100.1, 100.2, 100.3, 100.4, 100.5, 100.6, 100.7, 100.8)
AFTER = levels(100.6, 100.7, 100.8)


@pytest.mark.parametrize(
    ("after", "upto", "size", "swept"),
    [
        (AFTER, 100.5, 5.0, 5),
        (AFTER, 100.5, 2.5, 5),
        (AFTER, 100.5, 2.4, 0),
        (AFTER, 100.4, 5.0, 4),
        (AFTER, 100.3, 5.0, 0),
        ({**AFTER, 100.5: 1.0}, 100.5, 5.0, 4),
        ({**AFTER, **levels(100.1, 100.2, 100.3, size=0.09)}, 100.5, 5.0, 5),
        ({**AFTER, **levels(100.1, 100.2, size=0.11)}, 100.5, 5.0, 0),
        (levels(100.2, 100.3, 100.4, 100.5, 100.6, 100.7, 100.8, 100.9), 100.5, 5.0, 0),
        ({p - 1: s for p, s in BEFORE.items()}, 100.5, 5.0, 0),
    ],
    ids=[
        "traded through", "half of it traded", "most was withdrawn", "traded to the fourth",
        "the rest was withdrawn", "the fifth stands", "crumbs are left", "two levels are left",
        "the quote moved by a tick", "the quote came nearer",
    ],
)  # fmt: skip
def test_a_sweep_is_of_prices_that_trades_went_through(
    after: dict[float, float], upto: float, size: float, swept: int
) -> None:
    """F-A10: by place in the book a move of one tick looks like a sweep, or hides one."""
    found = sweeps(asks(BEFORE, after), bought(upto, size), 1)
    assert found[:, SWEPT].tolist() == [0, swept]


def test_a_side_comes_back_up_to_the_price_it_had_before() -> None:
    """Three of eight are left; one more after 2 s is a third in 2 s; what is beyond is not it."""
    more = {**AFTER, 100.3: 1.0}
    far = {**AFTER, 101.5: 50.0}
    found = sweeps(asks(BEFORE, AFTER, far, more, *[more] * 9), bought(100.5, 5.0), 1)[:, REFILL]
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(0)
    share = 100.3 / (100.6 + 100.7 + 100.8)
    np.testing.assert_allclose(found[3:12], share / np.arange(2, 11))
    assert np.isnan(found[12])


def test_bids_are_swept_as_asks_are() -> None:
    mirrored = asks(BEFORE, AFTER)
    book = BookSamples(
        mirrored.time, 200 - mirrored.ask, mirrored.ask_quantity, 200 - mirrored.bid,
        mirrored.bid_quantity,
    )  # fmt: skip
    sold = trades_from([1], [START + 500], [99.5], [5.0], [-1])
    trades = flow_of(sold, GRID, 10_000, 1_000, covered=(START, START + 10_000)).sub_bars
    assert sweeps(book, trades, -1)[:, SWEPT].tolist() == [0, 5]
    assert sweeps(book, trades, 1)[:, SWEPT].tolist() == [0, 0]


def test_sweeps_of_a_bar_are_those_of_its_samples() -> None:
    for sign, side in ((-1, "bid"), (1, "ask")):
        found = sweeps(SAMPLES, TRADES, sign)
        of = (SAMPLES.time - START) // MINUTE
        swept, refill = (getattr(FOUND, f"{side}_{n}") for n in ("swept", "refill_per_s"))
        for t in range(24):
            assert swept[t] == found[of == t, SWEPT].sum()
            rates = found[of == t, REFILL]
            known = rates[~np.isnan(rates)]
            assert refill[t] == pytest.approx(known.mean() if known.size else 0)
        assert swept.sum() > 20


def test_sweeps_without_trades_are_unknown_and_not_absent() -> None:
    assert np.isnan(book_columns(BARS, SAMPLES, tick=0.1).ask_swept).all()
    torn = replace(TRADES, missing_ids=np.where(TRADES.time == START + 5 * MINUTE, 1, 0))
    found = book_columns(BARS, SAMPLES, tick=0.1, trades=torn)
    assert np.flatnonzero(np.isnan(found.bid_swept)).tolist() == [5]
    assert np.isfinite(found.order_flow).all()


def test_sweeps_are_told_from_ten_second_bars_as_well() -> None:
    """Coarser trades cannot hide a sweep; they may let a withdrawal pass for one."""
    coarse = book_columns(BARS, SAMPLES, tick=0.1, trades=tape(SAMPLES, step_ms=10_000))
    assert (coarse.ask_swept >= FOUND.ask_swept).all()
    assert coarse.ask_swept.sum() < 3 * FOUND.ask_swept.sum()
