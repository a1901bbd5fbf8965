"""Made-up columns beside made-up bars: footprint, book, forced closures, a reference price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.types import BookColumns, FootprintColumns, ForcedColumns

if TYPE_CHECKING:
    from hydra_ft.types import Bars


def with_made_columns(bars: Bars, seed: int = 1) -> Bars:
    """The bars with the columns of all feeds, all known, that go with their prices."""
    random = np.random.default_rng(seed + 4000)
    premium = 5e-4 * np.cumsum(random.normal(0, 0.1, len(bars)))
    return replace(
        bars,
        footprint=_footprint(bars, random),
        book=_book(bars, random),
        forced=_forced(bars, random),
        reference=bars.close / (1 + premium),
    )


def _footprint(bars: Bars, random: np.random.Generator) -> FootprintColumns:
    n = len(bars)
    levels = random.integers(10, 60, n)
    buys, sells = random.integers(0, 6, (2, n))
    stacks = bars.close * random.uniform(0.99, 1.01, (2, n))
    counts = (levels, buys, sells, buys // 3, sells // 3, buys, sells)
    return FootprintColumns(*(v.astype(np.float64) for v in counts), *stacks)


def _book(bars: Bars, random: np.random.Generator) -> BookColumns:
    n = len(bars)
    touch, spread = random.gamma(4.0, 2.0, n), random.gamma(2.0, 0.2, n)
    queue, close, depth = random.uniform(-1, 1, (3, n))
    swept = 4.0 * random.integers(0, 3, (2, n))
    return BookColumns(
        order_flow=touch * random.normal(0, 5, n),
        deep_flow=touch * random.normal(0, 20, n),
        touch=touch,
        queue_imbalance=queue,
        queue_imbalance_close=close,
        depth_imbalance=depth,
        depth=1e6 * random.gamma(9.0, 0.1, n),
        spread_bps=spread,
        weighted_offset_bps_close=close * spread / 2,
        micro_offset_bps_close=close * spread / 3,
        bid_swept=swept[0],
        ask_swept=swept[1],
        bid_refill_per_s=np.where(swept[0] > 0, random.normal(0.1, 0.1, n), 0.0),
        ask_refill_per_s=np.where(swept[1] > 0, random.normal(0.1, 0.1, n), 0.0),
        covered=np.ones(n),
    )


def _forced(bars: Bars, random: np.random.Generator) -> ForcedColumns:
    n = len(bars)
    parts = 1e-4 * bars.volume * bars.close * random.gamma(0.5, 1.0, (3, 2, n))
    longs, shorts = np.cumsum(parts, axis=0).transpose(1, 0, 2)
    side = random.choice([-1.0, 1.0], n)
    is_wild = random.random(n) < 0.02
    return ForcedColumns(
        long_30_s=longs[0],
        short_30_s=shorts[0],
        long_120_s=longs[1],
        short_120_s=shorts[1],
        long_300_s=longs[2],
        short_300_s=shorts[2],
        peak_30_s=np.where(is_wild, 8.0, random.random(n)),
        cascade=np.where(is_wild, side, 0.0),
        exhaustion=np.where(random.random(n) < 0.02, side, 0.0),
    )
