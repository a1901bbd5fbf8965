"""Features of the book, sweeps, footprints, cascades and basis: plain Python, gaps, absence."""

from __future__ import annotations

from dataclasses import fields, replace
from statistics import mean, median, pstdev
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import random_bars

from hydra_ft.features.footprint import nearest
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

BARS = random_bars(420, seed=5)
BOOK, FOOTPRINT, FORCED = BARS.book, BARS.footprint, BARS.forced
assert BOOK is not None
assert FOOTPRINT is not None
assert FORCED is not None
assert BARS.reference is not None
GROUPS = {
    "order_book": "book",
    "sweeps": "book",
    "footprint": "footprint",
    "cascades": "forced",
    "basis": "reference",
}
"""Family -> what its features need beside the prices."""
NAMES = [name for name, made in FEATURES.items() if made.family in GROUPS]


def value(name: str, row: int = -1) -> float:
    return float(FEATURES[name](BARS)[row])


def balance(left: float, right: float) -> float:
    return (left - right) / (left + right) if left + right else 0.0


def z(values: FloatArray, t: int, window: int) -> float:
    before = values[t - window : t].tolist()
    return (values[t] - mean(before)) / pstdev(before)


def rows(values: FloatArray, t: int, window: int) -> list[float]:
    return values[t - window + 1 : t + 1].tolist()


def of_order_book(t: int) -> dict[str, float]:
    flow = BOOK.order_flow / BOOK.touch
    return {
        "ofi": flow[t],
        "ofi_deep": BOOK.deep_flow[t] / BOOK.touch[t],
        "ofi_z_48": z(flow, t, 48),
        "queue_imbalance": BOOK.queue_imbalance[t],
        "queue_imbalance_close": BOOK.queue_imbalance_close[t],
        "depth_imbalance": BOOK.depth_imbalance[t],
        "weighted_offset_bps": BOOK.weighted_offset_bps_close[t],
        "microprice_offset_bps": BOOK.micro_offset_bps_close[t],
        "spread_bps": BOOK.spread_bps[t],
        "depth_ratio_48": BOOK.depth[t] / median(BOOK.depth[t - 48 : t].tolist()),
    }


def of_sweeps(t: int) -> dict[str, float]:
    bids, asks = sum(rows(BOOK.bid_swept, t, 12)), sum(rows(BOOK.ask_swept, t, 12))
    return {
        "bid_swept_12": bids,
        "ask_swept_12": asks,
        "sweep_balance_12": balance(asks, bids),
        "bid_refill_per_s": BOOK.bid_refill_per_s[t],
        "ask_refill_per_s": BOOK.ask_refill_per_s[t],
    }


def of_footprint(t: int) -> dict[str, float]:
    buys, sells = sum(rows(FOOTPRINT.buy_levels, t, 12)), sum(rows(FOOTPRINT.sell_levels, t, 12))
    close, atr = BARS.close[t], value("atr_14", t)
    stacks = {
        side: min(rows(getattr(FOOTPRINT, f"{side}_stack"), t, 48), key=lambda p: abs(p - close))
        for side in ("buy", "sell")
    }
    return {
        "buy_imbalance_share": FOOTPRINT.buy_levels[t] / FOOTPRINT.levels[t],
        "sell_imbalance_share": FOOTPRINT.sell_levels[t] / FOOTPRINT.levels[t],
        "level_balance_12": balance(buys, sells),
        "buy_stacks_12": sum(rows(FOOTPRINT.buy_stacks, t, 12)),
        "sell_stacks_12": sum(rows(FOOTPRINT.sell_stacks, t, 12)),
        "buy_stack_distance_48": (close - stacks["buy"]) / atr,
        "sell_stack_distance_48": (close - stacks["sell"]) / atr,
    }


def of_cascades(t: int) -> dict[str, float]:
    found: dict[str, float] = {
        "liquidation_peak_30_s": FORCED.peak_30_s[t],
        "cascade_30_s": FORCED.cascade[t],
        "exhaustion_30_s": FORCED.exhaustion[t],
    }
    for s in (30, 120, 300):
        longs, shorts = getattr(FORCED, f"long_{s}_s")[t], getattr(FORCED, f"short_{s}_s")[t]
        found[f"liquidated_{s}_s"] = longs + shorts
        found[f"liquidated_imbalance_{s}_s"] = balance(longs, shorts)
    return found


def of_basis(t: int) -> dict[str, float]:
    found = BARS.close / BARS.reference - 1
    held = rows(found, t, 168)
    return {"basis": found[t], "basis_z_168": (held[-1] - mean(held)) / pstdev(held)}


def test_every_value_is_that_of_plain_python() -> None:
    seen = set()
    for t in (200, 287, 350, 419):
        for told in (of_order_book, of_sweeps, of_footprint, of_cascades, of_basis):
            for name, wanted in told(t).items():
                assert value(name, t) == pytest.approx(wanted, rel=1e-9, abs=1e-12), name
                seen.add(name)
    assert seen == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_carried_is_unknown(name: str) -> None:
    bare = replace(BARS, **{GROUPS[FEATURES[name].family]: None})
    assert np.isnan(FEATURES[name](bare)).all()


def without(bars: Bars, group: str, row: int) -> Bars:
    """The bars with nothing known of one of them."""
    held = getattr(bars, group)
    if group == "reference":
        torn = held.copy()
        torn[row] = np.nan
        return replace(bars, reference=torn)
    columns = {f.name: getattr(held, f.name).copy() for f in fields(held)}
    for values in columns.values():
        values[row] = np.nan
    return replace(bars, **{group: type(held)(**columns)})


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_is_unknown_while_a_window_holds_it_and_is_never_a_zero(name: str) -> None:
    made = FEATURES[name]
    torn = made(without(BARS, GROUPS[made.family], 250))
    assert np.isnan(torn[250])
    whole = made(BARS)
    lost = np.flatnonzero(np.isnan(torn[250:])) + 250
    assert lost.tolist() == list(range(250, 250 + lost.size))
    assert lost.size <= made.lookback + 1
    np.testing.assert_array_equal(torn[250 + lost.size :], whole[250 + lost.size :])


def test_the_nearest_price_is_the_newer_one_of_two_and_unknown_without_any() -> None:
    close = np.array([10.0, 10.0, 10.0, 10.0, 10.0])
    prices = np.array([9.0, np.nan, 11.0, 14.0, np.nan])
    np.testing.assert_array_equal(nearest(prices, close, 2), [np.nan, 9, 11, 11, 14])
    np.testing.assert_array_equal(nearest(prices, close, 3), [np.nan, np.nan, 11, 11, 11])
    assert np.isnan(nearest(np.full(5, np.nan), close, 2)).all()
    assert np.isnan(nearest(prices[:1], close[:1], 2)).all()


def test_no_stack_within_two_days_of_hours_is_unknown_and_no_gap() -> None:
    none = replace(BARS, footprint=replace(FOOTPRINT, buy_stack=np.full(420, np.nan)))
    assert np.isnan(FEATURES["buy_stack_distance_48"](none)).all()
    assert np.isfinite(FEATURES["sell_stack_distance_48"](none)[112:]).all()


def test_a_bar_in_which_nothing_traded_has_no_imbalance() -> None:
    levels = FOOTPRINT.levels.copy()
    levels[400] = 0
    counts = {"levels": levels, "buy_levels": np.where(levels == 0, 0, FOOTPRINT.buy_levels)}
    quiet = replace(BARS, footprint=replace(FOOTPRINT, **counts))
    assert FEATURES["buy_imbalance_share"](quiet)[400] == 0
