"""The book beside the bars: plain Python sample by sample, sweeps by price, gaps, no future."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import START
from bars.synthetic import MINUTE, random_bars

from hydra_ft.bars.book_columns import book_columns, sweeps
from hydra_ft.bars.candles import part
from hydra_ft.bars.coverage import begun, covered_shares, merged, sampled
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.microprice import fitted, microprice
from hydra_ft.bars.sweep_kernels import REFILL, SWEPT, refill_per_s
from hydra_ft.features.book import depth, imbalance, order_flow_events, weighted_mid
from hydra_ft.types import BookColumns, BookSamples
from hydra_ft.types.flow import FlowBars, TradeGrid

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

GRID = TradeGrid(0.1, 0.1)
LEVELS = 20
SECONDS = 1_500
BARS = replace(random_bars(24, MINUTE), time=START + MINUTE * np.arange(24))
SPAN = (START - 20_000, START + 1_480_000)


def walk(seed: int = 1, n: int = SECONDS) -> BookSamples:
    """A book a second, on ticks of 0.1, from 20 s before the bars on; now and then a sweep."""
    random = np.random.default_rng(seed)
    moves = random.choice([-1, 0, 0, 0, 1], n) + random.choice([-9, 0, 9], n, p=[0.02, 0.96, 0.02])
    best = 10_000 + np.cumsum(moves)
    below, above = np.arange(LEVELS), np.arange(LEVELS) + random.choice([1, 1, 2], n)[:, None]
    sizes = random.integers(1, 60, (2, n, LEVELS)) / 10
    time = START - 20_000 + 1_000 * np.arange(n) + random.integers(0, 300, n)
    bid, ask = (best[:, None] - below) / 10, (best[:, None] + above) / 10
    return BookSamples(time, bid, sizes[0], ask, sizes[1])


def tape(samples: BookSamples, seed: int = 2, step_ms: int = 1_000) -> FlowBars:
    """Trades at the best prices, each second, and through ten levels where the book jumps."""
    random = np.random.default_rng(seed)
    n = len(samples)
    side = random.choice([-1, 1], n)
    jump = np.diff(samples.bid[:, 0], prepend=samples.bid[0, 0])
    side = np.where(jump > 0.5, 1, np.where(jump < -0.5, -1, side))
    price = np.where(side > 0, samples.ask[:, 0], samples.bid[:, 0])
    size = np.where(np.abs(jump) > 0.5, 40.0, 0.1)
    made = trades_from(np.arange(n), samples.time, price, size, side)
    return flow_of(made, GRID, 10_000, step_ms, covered=SPAN).sub_bars


SAMPLES = walk()
TRADES = tape(SAMPLES)
FOUND = book_columns(BARS, SAMPLES, tick=0.1, trades=TRADES, table_ms=5 * MINUTE)


def cut(samples: BookSamples, rows: slice | FloatArray) -> BookSamples:
    return BookSamples(*(getattr(samples, f.name)[rows] for f in fields(BookSamples)))


def plain(bars: Bars, t: int, samples: BookSamples = SAMPLES) -> dict[str, float]:
    """Columns of bar ``t`` from its samples, one after another."""
    start, end = int(bars.time[t]), int(bars.time[t]) + bars.step_ms
    rows = [k for k in range(len(samples)) if start <= samples.time[k] < end]
    prices = samples.bid, samples.bid_quantity, samples.ask, samples.ask_quantity
    events = order_flow_events(*(side[:, :10] for side in prices))
    edges = [start, *(int(samples.time[k]) for k in rows), end]
    stood = list(zip([rows[0] - 1, *rows], (b - a for a, b in pairwise(edges)), strict=True))
    bids, asks = depth(prices[0], prices[1], 10), depth(prices[2], prices[3], 10)
    mid = (prices[0][:, 0] + prices[2][:, 0]) / 2
    states = {
        "touch": (prices[1][:, 0] + prices[3][:, 0]) / 2,
        "queue_imbalance": imbalance(prices[1][:, 0], prices[3][:, 0]),
        "depth_imbalance": imbalance(bids, asks),
        "depth": bids + asks,
        "spread_bps": 1e4 * (prices[2][:, 0] - prices[0][:, 0]) / mid,
    }
    weighted = weighted_mid(*(side[:, 0] for side in prices))
    last = rows[-1]
    return {
        "order_flow": sum(events[k, 0] for k in rows),
        "deep_flow": sum(events[k].sum() for k in rows),
        **{name: sum(v[k] * ms for k, ms in stood) / (end - start) for name, v in states.items()},
        "queue_imbalance_close": states["queue_imbalance"][last],
        "weighted_offset_bps_close": 1e4 * (weighted[last] - mid[last]) / mid[last],
        "covered": 1.0,
    }


def test_columns_are_those_of_plain_python_sample_by_sample() -> None:
    """X05 is one of the events that are summed here."""
    for t in range(24):
        for name, wanted in plain(BARS, t).items():
            assert getattr(FOUND, name)[t] == pytest.approx(wanted, rel=1e-9, abs=1e-9), (t, name)


def test_the_microprice_is_by_the_table_of_the_period_before() -> None:
    """P1: a table of the period itself would know how it goes on."""
    assert np.isnan(FOUND.micro_offset_bps_close[:5]).all()
    begin, end = np.searchsorted(SAMPLES.time, [START + 5 * MINUTE, START + 10 * MINUTE])
    names = ("bid", "bid_quantity", "ask", "ask_quantity")
    table = fitted(*(getattr(SAMPLES, n)[begin:end, 0] for n in names), tick=0.1)
    for t in range(10, 15):
        k = np.searchsorted(SAMPLES.time, BARS.time[t] + MINUTE) - 1
        best = [getattr(SAMPLES, n)[k : k + 1, 0] for n in names]
        mid = (best[0] + best[2]) / 2
        wanted = 1e4 * (microprice(table, *best) / mid - 1)
        assert FOUND.micro_offset_bps_close[t] == pytest.approx(wanted[0], abs=1e-9)
    assert np.isfinite(FOUND.micro_offset_bps_close[10:]).all()


@pytest.mark.parametrize("minutes", [6, 11, 17])
def test_no_column_knows_what_comes_after_its_bar(minutes: int) -> None:
    end = START + minutes * MINUTE
    early = cut(SAMPLES, slice(0, int(np.searchsorted(SAMPLES.time, end))))
    kept = replace(TRADES, **{n: getattr(TRADES, n)[TRADES.time < end] for n in _ARRAYS})
    covered = [SPAN]
    found, whole = (
        book_columns(b, s, tick=0.1, covered=covered, trades=t, table_ms=5 * MINUTE)
        for b, s, t in ((part(BARS, 0, minutes), early, kept), (BARS, SAMPLES, TRADES))
    )
    for f in fields(BookColumns):
        np.testing.assert_array_equal(getattr(found, f.name), getattr(whole, f.name)[:minutes])


_ARRAYS = [n for n in TRADES.__slots__ if n not in {"grid", "step_ms"}]


def test_columns_are_the_same_wherever_the_samples_begin() -> None:
    late = cut(SAMPLES, slice(int(np.searchsorted(SAMPLES.time, START + 5 * MINUTE)) - 15, None))
    found = book_columns(BARS, late, tick=0.1, trades=TRADES, table_ms=5 * MINUTE)
    for f in fields(BookColumns):
        first = 10 if f.name.startswith("micro") else 5
        left, right = getattr(found, f.name)[first:], getattr(FOUND, f.name)[first:]
        np.testing.assert_array_equal(left, right, err_msg=f.name)
        assert np.isfinite(right).all(), f.name


# --- gaps ------------------------------------------------------------------------------


def test_a_bar_with_a_gap_is_unknown_and_says_how_much_was_seen() -> None:
    begin = START + 5 * MINUTE + 15_000
    kept = (SAMPLES.time < begin) | (SAMPLES.time >= begin + 30_000)
    found = book_columns(BARS, cut(SAMPLES, kept), tick=0.1, trades=TRADES)
    for name in ("order_flow", "touch", "spread_bps", "queue_imbalance_close", "ask_swept"):
        assert np.flatnonzero(np.isnan(getattr(found, name))).tolist() == [5], name
    assert found.covered[5] == pytest.approx(0.5, abs=0.03)
    assert (found.covered[4], found.covered[6]) == (1, 1)


def test_a_book_that_did_not_change_while_the_feed_stood_is_known() -> None:
    """A quiet pair sends nothing: by the stretches that the recorder kept it was whole."""
    quiet = cut(SAMPLES, (SAMPLES.time < START) | (SAMPLES.time >= START + 3 * MINUTE))
    assert np.isnan(book_columns(BARS, quiet, tick=0.1).touch[:3]).all()
    found = book_columns(BARS, quiet, tick=0.1, covered=[SPAN])
    k = int(np.searchsorted(SAMPLES.time, START)) - 1
    stood = (SAMPLES.bid_quantity[k, 0] + SAMPLES.ask_quantity[k, 0]) / 2
    np.testing.assert_allclose(found.touch[:3], stood)
    np.testing.assert_array_equal(found.order_flow[:3], 0)


def test_a_gap_between_stretches_is_no_order_flow() -> None:
    """What changed while nobody looked came at no known time."""
    torn = [(SPAN[0], START + 5 * MINUTE), (START + 5 * MINUTE, SPAN[1])]
    whole = book_columns(BARS, SAMPLES, tick=0.1, covered=torn)
    assert np.isfinite(whole.order_flow).all()  # they touch
    torn[1] = (START + 5 * MINUTE + 1, SPAN[1])
    found = book_columns(BARS, SAMPLES, tick=0.1, covered=torn)
    assert np.flatnonzero(np.isnan(found.order_flow)).tolist() == [5]


def test_no_samples_and_no_bars_are_no_columns() -> None:
    none = cut(SAMPLES, slice(0, 0))
    found = book_columns(BARS, none, tick=0.1, trades=TRADES)
    assert np.isnan(found.order_flow).all()
    assert found.covered.tolist() == [0.0] * 24
    assert len(book_columns(part(BARS, 0, 0), SAMPLES, tick=0.1, trades=TRADES)) == 0


def test_stretches_that_touch_are_one_and_shares_are_of_the_bar() -> None:
    stretches = [(50, 80), (0, 20), (20, 30), (25, 28), (90, 90)]
    assert [a.tolist() for a in merged(stretches)] == [[0, 50], [30, 80]]
    since, until = np.array([0, 10, 29, 30, 50]), np.array([30, 31, 30, 50, 80])
    assert begun(stretches, since, until).tolist() == [0, -1, 0, -1, 50]
    np.testing.assert_allclose(
        covered_shares(stretches, np.array([0, 20, 40, 60, 80]), 20), [1, 0.5, 0.5, 1, 0]
    )
    assert merged([])[0].tolist() == begun([], since[:0], until[:0]).tolist() == []
    assert covered_shares([], np.array([0]), 20).tolist() == [0]
    assert sampled(np.array([0, 2, 9, 10]), 3) == [(0, 2), (9, 10)]
    assert sampled(np.empty(0, dtype=np.int64), 3) == []


# --- sweeps and refills ----------------------------------------------------------------


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
