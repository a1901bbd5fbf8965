"""Signals on whole frames: each fires on candles, and alike wherever these begin."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, random_frames
from decisions.test_recorded import HOME, PAIRS, recorded

from hydra_ft.bars.candles import part
from hydra_ft.decisions.evaluation import evaluate, observe
from hydra_ft.decisions.rules import HeadRules, startup_candles
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import Bars, BoolArray

NAMES = ("range_breakout", "structure_retest", "range_fade", "sma_cross")
HEAD = HeadRules(name="Candles", signals=tuple(SIGNALS[name] for name in NAMES))
QUIET, LIVELY = 0.0008, 0.0012
"""Volatility of 5m bars: levels break by 0.3 % in lively markets, ranges stand in quiet ones."""


def fired(frames: Mapping[str, Bars], feeds: tuple[Feed, ...]) -> dict[str, BoolArray]:
    """Bars at which each signal fires, long and short, where its regime permits: (2, n)."""
    state = evaluate(observe(frames, HEAD, feeds), HEAD)
    found = {}
    for made in HEAD.signals:
        columns = made(state.columns, state.market)
        allowed = np.isin(state.market.regime, [int(regime) for regime in made.regimes])
        found[made.name] = np.array([columns.long & allowed, columns.short & allowed])
    return found


@cache
def random_markets() -> list[Mapping[str, Bars]]:
    return [
        random_frames(40, seed, volatility) for volatility in (QUIET, LIVELY) for seed in (1, 2)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_signal_fires_on_random_candles_and_seldom(name: str) -> None:
    """P3: through features, alignment and regime, not only on columns made for it."""
    all_bars = np.concatenate([fired(f, (Feed.CANDLES,))[name] for f in random_markets()], axis=1)
    assert 0 < all_bars.any(axis=0).mean() < 0.02
    assert not all_bars.all(axis=0).any()


def test_signal_fires_alike_on_the_last_bars_alone() -> None:
    """F-A21: what has a memory is counted in closed bars, so a restart changes nothing."""
    frames = random_markets()[2]
    whole = fired(frames, (Feed.CANDLES,))
    size = startup_candles(HEAD)
    rows = np.flatnonzero(np.any([sides.any(axis=0) for sides in whole.values()], axis=0))
    assert rows.size > 50
    for row in rows[::4]:
        now = int(frames["5m"].time[row]) + 5 * MINUTE
        window = {}
        for timeframe, bars in frames.items():
            stop = int(np.searchsorted(bars.time + bars.step_ms, now, side="right"))
            window[timeframe] = part(bars, max(0, stop - size), stop)
        alone = fired(window, (Feed.CANDLES,))
        for name in NAMES:
            assert alone[name][:, -1].tolist() == whole[name][:, row].tolist(), (name, row)


@pytest.mark.ci
@pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data")
def test_signal_fires_on_recorded_candles() -> None:
    """P3 on real data, in the month as a whole: a range need not come up in each pair."""
    counts = dict.fromkeys(NAMES, 0)
    for pair in PAIRS:
        for name, sides in fired(recorded(pair), (Feed.CANDLES, Feed.FUNDING)).items():
            counts[name] += int(sides.any(axis=0).sum())
    assert min(counts.values()) > 0, counts
