"""Samples of a made-up book, and trades that go with them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
from bars.flow_reference import START
from bars.synthetic import MINUTE, random_bars

from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.types import BookSamples
from hydra_ft.types.flow import FlowBars, TradeGrid

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray

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


def cut(samples: BookSamples, rows: slice | BoolArray) -> BookSamples:
    return BookSamples(*(getattr(samples, f.name)[rows] for f in fields(BookSamples)))
