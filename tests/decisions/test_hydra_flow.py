"""HydraFlow as it ships, with every feed that it can use, on made-up bars."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from decisions.flow_frames import flow_frames

from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import part
from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.decisions.rules import startup_candles, usual_feeds

if TYPE_CHECKING:
    from hydra_ft.types import Bars, Feed

RULES = load_rules("HydraFlow", Path(__file__).parents[2] / "strategies")
CASCADE = [made.name for made in RULES.signals].index("liquidation_cascade")


@cache
def frames() -> dict[str, Bars]:
    return flow_frames(45, 4, 0.001)


@cache
def decided(feeds: tuple[Feed, ...] = RULES.feeds) -> Decisions:
    return decide(frames(), RULES, feeds)


def test_every_feed_together_trades_cascades_and_leaves_by_flow() -> None:
    """P3, F-A8: from liquidations beside bars through stage A to an entry."""
    found = decided()
    entries = np.flatnonzero(found.signal == CASCADE)
    assert entries.size
    assert not found.errors
    assert not found.light
    ratios = found.columns["liquidation_ratio_12_5m"]
    sides = found.columns["liquidation_imbalance_12_5m"]
    assert (ratios[entries] > 5).all()
    np.testing.assert_array_equal(found.side[entries], -np.sign(sides[entries]))
    asked = {EXIT_TAGS[tag] for tag in (*found.exit_long_tag, *found.exit_short_tag)}
    assert asked == set(EXIT_TAGS)


def test_what_is_recorded_is_used_where_it_is_listed() -> None:
    """The feeds of freqtrade are the rule; the mark says that there is more."""
    usual = decided(usual_feeds(RULES))
    assert usual.light
    assert not (usual.signal == CASCADE).any()
    assert not {EXIT_TAGS[tag] for tag in usual.exit_long_tag} & set(EXIT_TAGS[3:])
    assert (usual.bias_score != decided().bias_score).any()


def test_a_window_of_live_length_decides_the_same_with_trades() -> None:
    """P4: codes and exits, at entries of cascades, at exits by flow, and between."""
    whole, size = decided(), startup_candles(RULES)
    by_flow = np.flatnonzero((whole.exit_long_tag > 2) | (whole.exit_short_tag > 2))
    entries = np.flatnonzero(whole.signal == CASCADE)
    rows = {*by_flow[-6:].tolist(), *entries[-4:].tolist(), *range(9000, 12900, 390)}
    for row in sorted(rows):
        window = {}
        now = int(frames()["5m"].time[row]) + frames()["5m"].step_ms
        for timeframe, bars in frames().items():
            stop = int(np.searchsorted(bars.time + bars.step_ms, now, side="right"))
            window[timeframe] = part(bars, max(0, stop - size), stop)
        live = decide(window, RULES, RULES.feeds)
        for name in ("code", "side", "signal", "regime", "bias", "exit_long_tag", "exit_short_tag"):
            assert getattr(live, name)[-1] == getattr(whole, name)[row], (name, row)
        for name, values in whole.numbers.items():
            np.testing.assert_allclose(live.numbers[name][-1], values[row], rtol=1e-9, atol=1e-12)
