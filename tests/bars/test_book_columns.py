"""The book beside the bars: plain Python sample by sample, sweeps by price, gaps, no future."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import START
from bars.made_book import BARS, SPAN, cut, tape, walk
from bars.synthetic import MINUTE

from hydra_ft.bars.book_columns import book_columns
from hydra_ft.bars.candles import part
from hydra_ft.bars.coverage import begun, covered_shares, merged, sampled
from hydra_ft.bars.microprice import fitted, microprice
from hydra_ft.features.book import depth, imbalance, order_flow_events, weighted_mid
from hydra_ft.types import BookColumns, BookSamples

if TYPE_CHECKING:
    from hydra_ft.types import Bars

SAMPLES = walk()
TRADES = tape(SAMPLES)
FOUND = book_columns(BARS, SAMPLES, tick=0.1, trades=TRADES, table_ms=5 * MINUTE)


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
