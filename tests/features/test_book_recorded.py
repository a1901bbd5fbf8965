"""Columns of a recorded book: near to what every event says, and going with the price."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recorded.scenes import best_quotes, best_samples, book_samples, rested
from hydra_ft.bars.book_columns import book_columns
from hydra_ft.bars.candles import resample
from hydra_ft.features import battery
from hydra_ft.features.book import order_flow_events, summed
from hydra_ft.features.registry import FEATURES

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not os.environ.get("HYDRA_TEST_DATA"), reason="HYDRA_TEST_DATA does not name recorded data"
    ),
]
DATA = Path(os.environ.get("HYDRA_TEST_DATA", ""))
TEN_S = 10_000
PLAIN = ("time", "open", "high", "low", "close", "volume")


def correlation(left: np.ndarray, right: np.ndarray) -> float:
    known = np.isfinite(left) & np.isfinite(right)
    return float(np.corrcoef(left[known], right[known])[0, 1])


def test_order_flow_of_samples_is_a_part_of_that_of_every_event() -> None:
    """What came and went within a sample is not seen: the more of them, the nearer."""
    bars = resample(rested(DATA).bars, TEN_S)
    quotes = best_quotes(DATA)
    sides = (quotes[name].to_numpy() for name in ("bid", "bid_qty", "ask", "ask_qty"))
    edges = np.append(bars.time, bars.time[-1] + TEN_S)
    exact = summed(order_flow_events(*sides), quotes["transact_ms"].to_numpy(), edges)
    second = book_columns(bars, book_samples(DATA), tick=0.1).order_flow
    tenth = book_columns(bars, best_samples(DATA), tick=0.1).order_flow
    assert 0.4 < correlation(second, exact) < correlation(tenth, exact)
    assert correlation(tenth, exact) > 0.75


def test_order_flow_queues_and_sweeps_go_with_the_price() -> None:
    """Second by second, as the papers say: flow with the move, queues before it."""
    bars = rested(DATA).bars
    samples, book = book_samples(DATA), bars.book
    assert book is not None
    mid = (samples.bid[:, 0] + samples.ask[:, 0]) / 2
    last = np.searchsorted(samples.time, bars.time + bars.step_ms) - 1
    moved = np.where(last > 0, mid[last] - mid[np.maximum(last - 1, 0)], np.nan)
    assert correlation(book.order_flow, moved) > 0.5
    assert correlation(book.queue_imbalance_close[:-1], moved[1:]) > 0.15
    assert correlation(book.ask_swept - book.bid_swept, moved) > 0.5
    assert 0.1 < np.nanmean(book.ask_swept > 0) < 0.4
    # A spread of one tick of 0.1 at 61,800 most of the time.
    assert np.nanmedian(book.spread_bps) == pytest.approx(0.1 / 6.18, rel=0.01)


def test_features_of_the_book_are_sound_on_it() -> None:
    """P1: the battery on what was recorded, where all of it is known."""
    bars = rested(DATA).bars
    book = bars.book
    assert book is not None
    whole = np.isfinite(book.ask_swept) & np.isfinite(book.order_flow)
    rows = slice(int(np.flatnonzero(whole)[0]), int(np.flatnonzero(whole)[-1]) + 1)
    assert whole[rows].all()
    assert rows.stop - rows.start > 300
    cut = replace(bars, **{n: getattr(bars, n)[rows] for n in PLAIN}, book=book[rows])
    cut = replace(cut, book=replace(cut.book, micro_offset_bps_close=np.zeros(len(cut))))
    faults = {
        name: battery.faults(made, cut)
        for name, made in FEATURES.items()
        if made.family in {"order_book", "sweeps"}
    }
    assert len(faults) > 12
    assert not any(faults.values()), faults


def test_the_microprice_of_a_recorded_book_stays_near_the_mid() -> None:
    offset = FEATURES["microprice_offset_bps"](rested(DATA).bars)
    known = offset[np.isfinite(offset)]
    assert known.size > 100
    assert np.abs(known).max() < 0.05
    assert np.abs(known).max() > 0.002
