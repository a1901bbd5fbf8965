"""Stage A on recorded data: every bar of a set, as a live bot sees it, against the whole frame.

A number may differ by 1e-6 of itself. A code may differ only where a number stands that close
to its threshold, and such rows are listed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE
from decisions.heads import LIGHT
from decisions.test_recorded import NEEDS_DATA, recorded

from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import part
from hydra_ft.decisions.pipeline import Decisions, decide, startup_candles
from hydra_ft.decisions.thresholds import values_of

if TYPE_CHECKING:
    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import Bars

pytestmark = NEEDS_DATA

HEADS = Path(__file__).parents[2] / "strategies"
BARS = 3_000
CLOSE = 1e-6
NUMBERS = ("confidence", "stop", "target", "bias_score", "bias_strength", "trend")
COMPARED = {
    "chop_score": ("regime.chop_above",),
    "trend_score": ("regime.trend_above",),
    "range_score": ("regime.range_above",),
    "vol_expansion": ("vetoes.max_vol_expansion",),
    "ema_distance": ("vetoes.extended_above",),
    "reward_to_risk": ("vetoes.min_reward_to_risk",),
    "bias_score": ("bias.neutral_below", "bias.full_strength"),
}
"""Numbers of the ledger, and the thresholds that they are compared with."""

CASES = (("binance_2023q3", "ETH_USDT_USDT"), ("binance_2025mar", "BTC_USDT_USDT"))


def live_window(frames: dict[str, Bars], row: int, size: int) -> dict[str, Bars]:
    """What a live bot holds when a base bar has closed."""
    now = int(frames["5m"].time[row]) + 5 * MINUTE
    window = {}
    for timeframe, bars in frames.items():
        stop = int(np.searchsorted(bars.time + bars.step_ms, now, side="right"))
        window[timeframe] = part(bars, max(0, stop - size), stop)
    return window


def near_a_threshold(whole: Decisions, row: int, rules: HeadRules) -> list[str]:
    """Numbers of a row that stand within 1e-6 of a threshold."""
    values = values_of(rules)
    return [
        f"{name} at {path}"
        for name, paths in COMPARED.items()
        for path in paths
        if abs(abs(whole.numbers[name][row]) - values[path]) <= CLOSE
    ]


def differences(live: Decisions, whole: Decisions, row: int) -> list[str]:
    """What a live bot sees otherwise on the newest bar than a backtest does."""
    pairs = {name: (getattr(live, name)[-1], getattr(whole, name)[row]) for name in NUMBERS}
    pairs |= {name: (live.numbers[name][-1], whole.numbers[name][row]) for name in whole.numbers}
    return [
        f"{name}: live {seen}, whole {expected}"
        for name, (seen, expected) in pairs.items()
        if not np.isclose(seen, expected, rtol=CLOSE, atol=CLOSE, equal_nan=True)
    ]


@pytest.mark.parametrize(("data_set", "pair"), CASES)
def test_every_live_window_decides_as_the_whole_frame_does(data_set: str, pair: str) -> None:
    """F4 P4: codes of stage A are equal, numbers within 1e-6."""
    rules = load_rules("HydraFlow", HEADS)
    frames = recorded(pair, data_set)
    whole, size = decide(frames, rules, LIGHT), startup_candles(rules)
    other_codes, other_numbers = [], []
    near = {row: near_a_threshold(whole, row, rules) for row in range(len(whole))}
    rows = range(len(whole) - BARS, len(whole))
    for row in rows:
        live = decide(live_window(frames, row, size), rules, LIGHT)
        same = live.code[-1] == whole.code[row] and live.side[-1] == whole.side[row]
        if not (same and np.array_equal(live.failing[-1], whole.failing[row])):
            other_codes.append(row)
        other_numbers += [(row, text) for text in differences(live, whole, row)]
    listed = [(row, near[row]) for row in rows if near[row]]
    print(f"{data_set} {pair}: {len(rows)} windows, {len(set(whole.code[rows[0] :]))} codes")
    print(f"rows within {CLOSE} of a threshold: {len(listed)}: {listed[:5]}")
    assert other_numbers == []
    assert [row for row in other_codes if not near[row]] == []
    assert (whole.code[rows[0] :] == 0).any()
