"""Cascades: which side, how large, how old, and one signal each (A6, F-A7, F-A8, X35)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, random_frames
from signals.cases import DOWN, UP, market

from hydra_ft.bars.candles import part
from hydra_ft.decisions.pipeline import decide, startup_candles
from hydra_ft.decisions.rules import HeadRules, active_signals
from hydra_ft.errors import DeclarationError
from hydra_ft.signals.liquidation_cascade import IMBALANCE, MAX_AGE, QUIET, RATIO, confidence
from hydra_ft.signals.liquidation_cascade import liquidation_cascade as cascade
from hydra_ft.signals.registry import MarketColumns, check
from hydra_ft.types import Feed, Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.signals.registry import SignalColumns
    from hydra_ft.types import FloatArray

# X35: 3.0 M where 2.5 M are the threshold, so 6 times the usual; ATR 1.2 % of the price.
LONG = {
    "close_5m": 100_000.0,
    "atr_14_1h": 1_200.0,
    "vol_expansion_20_1h": 1.0,
    RATIO: 6.0,
    IMBALANCE: -0.7,
}
SHORT = {**LONG, IMBALANCE: 0.7}
CALM = {RATIO: 1.0, IMBALANCE: 0.0}


def over(state: MarketColumns, n: int) -> MarketColumns:
    """The state of one bar on each of n bars."""
    names = [field.name for field in fields(MarketColumns)]
    return MarketColumns(**{name: np.repeat(getattr(state, name), n) for name in names})


def run(
    *bars: Mapping[str, float], state: MarketColumns = UP, start: Mapping[str, float] = LONG
) -> SignalColumns:
    """The signal over bars, each given by what differs from ``start``."""
    rows = [{**start, **bar} for bar in bars]
    columns = {name: np.array([row[name] for row in rows]) for name in start}
    return cascade(columns, over(state, len(rows)) if len(state.trend) == 1 else state)


def longs(*bars: Mapping[str, float], state: MarketColumns = UP) -> list[int]:
    """Rows that fire long; none may fire short."""
    found = run(*bars, state=state)
    assert not found.short.any()
    return [int(row) for row in np.flatnonzero(found.long)]


def test_liquidated_shorts_give_a_long_and_liquidated_longs_a_short() -> None:
    """X35, F-A7: the side is against that of the liquidated positions."""
    found = run({})
    assert (found.long[0], found.short[0]) == (True, False)
    found = run({}, state=DOWN, start=SHORT)
    assert (found.long[0], found.short[0]) == (False, True)


def test_numbers_of_both_sides() -> None:
    """X35: stop 1.2 %, target 2.4 %, confidence .60 + .10 + .02."""
    for found, side in ((run({}), 0), (run({}, state=DOWN, start=SHORT), 1)):
        assert found.stop[side][0] == pytest.approx(0.012)
        assert found.target[side][0] == pytest.approx(0.024)
        assert found.confidence[side][0] == pytest.approx(0.72)


def test_stop_stays_within_its_bounds() -> None:
    assert run({"atr_14_1h": 900.0}).stop[0][0] == pytest.approx(0.010)
    assert run({"atr_14_1h": 1_600.0}).stop[0][0] == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("ratio", "imbalance", "trust"),
    [(5.0, 0.5, 0.60), (5.0, 0.8, 0.75), (5.0, -1.0, 0.75), (10.0, 0.5, 0.70), (50.0, 1.0, 0.80)],
)
def test_confidence_has_its_parts_and_caps(ratio: float, imbalance: float, trust: float) -> None:
    found = confidence(np.array([ratio]), np.array([imbalance]), cascade.rules)
    assert found[0] == pytest.approx(trust)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({RATIO: 5.01}, {RATIO: 5.0}),
        ({IMBALANCE: -0.51}, {IMBALANCE: -0.5}),
        ({IMBALANCE: -0.51}, {IMBALANCE: 0.7}),
        ({"vol_expansion_20_1h": 1.0}, {"vol_expansion_20_1h": 0.99}),
    ],
)
def test_each_condition_has_its_edge(inside: dict[str, float], outside: dict[str, float]) -> None:
    """X35: an imbalance of exactly 0.5 is none."""
    assert longs(inside) == [0]
    assert longs(outside) == []
    mirrored = [{**bar, IMBALANCE: -bar.get(IMBALANCE, -0.7)} for bar in (inside, outside)]
    assert run(mirrored[0], state=DOWN).short[0]
    assert not run(mirrored[1], state=DOWN).short[0]


def test_it_needs_regime_and_trend_of_its_side() -> None:
    for regime in (Regime.DOWN, Regime.RANGING, Regime.CHOPPY):
        assert longs({}, state=market(regime)) == []
    assert longs({}, state=market(confidence=np.nan)) == []
    assert longs({}, state=market(trend=0.51)) == [0]
    assert longs({}, state=market(trend=0.50)) == []
    assert longs({}, state=market(trend=-0.7)) == []


@pytest.mark.parametrize("key", cascade.needs)
def test_it_is_silent_when_a_needed_column_is_unknown(key: str) -> None:
    assert longs({key: np.nan}) == []


# --- one signal per cascade ----------------------------------------------------------------


def test_a_cascade_that_stays_in_the_window_gives_one_signal() -> None:
    assert longs(CALM, *[{}] * 40) == [1]


def test_a_cascade_that_flickers_around_its_threshold_gives_one_signal() -> None:
    assert longs({}, {RATIO: 4.9}, {}, {IMBALANCE: -0.4}, {}, {}) == [0]


def test_another_cascade_needs_an_hour_of_calm_before_it() -> None:
    """A6: the original armed again at once."""
    assert longs({}, *[CALM] * QUIET, {}) == [0, QUIET + 1]
    assert longs({}, *[CALM] * (QUIET - 1), {}) == [0]


def waits_for(condition: Mapping[str, float], bars: int) -> list[int]:
    """Rows that fire when a condition comes true only so many bars after the detection."""
    return longs(*[dict(condition)] * bars, {}, {}, {})


def test_a_cascade_may_wait_for_its_conditions_for_three_quarters_of_an_hour() -> None:
    quiet = {"vol_expansion_20_1h": 0.5}
    assert waits_for(quiet, MAX_AGE) == [MAX_AGE]
    assert waits_for(quiet, MAX_AGE + 1) == []


def test_the_price_may_move_by_two_per_cent_since_the_detection_either_way() -> None:
    late = {"vol_expansion_20_1h": 0.5}
    for moved, fires in ((1.0199, True), (1.0201, False), (0.9801, True), (0.9799, False)):
        found = longs(late, {"close_5m": 100_000.0 * moved})
        assert found == ([1] if fires else []), moved


def test_a_price_that_comes_back_is_in_time() -> None:
    away = {"close_5m": 103_000.0, "vol_expansion_20_1h": 1.0}
    assert longs({"vol_expansion_20_1h": 0.5}, away, away, {}) == [3]


def test_a_bar_without_a_known_stop_does_not_use_the_cascade_up() -> None:
    assert longs({"atr_14_1h": np.nan}, {}, {}) == [1]


def test_a_cascade_whose_side_turns_is_no_evidence_for_either() -> None:
    """Conflicting evidence gives no signal."""
    assert longs({IMBALANCE: 0.7}, {}, {}) == []
    assert longs({"vol_expansion_20_1h": 0.5}, {IMBALANCE: 0.7}, {}) == [2]


# --- as the pipeline runs it ---------------------------------------------------------------


def wild(n: int, seed: int) -> tuple[dict[str, FloatArray], MarketColumns]:
    """Columns on which cascades of both sides begin, flicker and wait."""
    random = np.random.default_rng(seed)
    hourly = np.arange(n) // 12
    turns = random.choice([-1, 1], n // 12 + 1)[hourly]
    bursts = np.convolve(random.random(n) < 0.03, np.ones(8), mode="full")[:n]
    columns = {
        "close_5m": 100 * np.exp(np.cumsum(random.normal(0, 0.004, n))),
        "atr_14_1h": np.ones(n),
        "vol_expansion_20_1h": random.uniform(0.8, 1.2, n // 12 + 1)[hourly],
        RATIO: 6.0 * (bursts > 0) + random.normal(0, 0.8, n),
        IMBALANCE: random.choice([-0.8, -0.6, 0.6, 0.8], n // 20 + 1)[np.arange(n) // 20],
    }
    state = over(UP, n)
    regime = np.where(turns > 0, int(Regime.UP), int(Regime.DOWN))
    return columns, replace(state, regime=regime, trend=0.7 * turns)


def fired(columns: Mapping[str, FloatArray], state: MarketColumns, rows: slice) -> list[bool]:
    """Whether the last of these rows fires, long and short."""
    names = [field.name for field in fields(MarketColumns)]
    part = MarketColumns(**{name: getattr(state, name)[rows] for name in names})
    found = cascade({name: values[rows] for name, values in columns.items()}, part)
    return [bool(found.long[-1]), bool(found.short[-1])]


def test_a_bar_is_decided_by_its_declared_memory_alone() -> None:
    """P4: neither the future nor where the data begins changes a signal."""
    columns, state = wild(4000, seed=4)
    whole = cascade(columns, state)
    memory = cascade.memory_bars
    for row in range(memory, 4000):
        expected = [bool(whole.long[row]), bool(whole.short[row])]
        assert fired(columns, state, slice(row - memory, row + 1)) == expected, row
    assert whole.long.sum() > 10
    assert whole.short.sum() > 10


def test_the_memory_is_no_longer_than_it_must_be() -> None:
    """The oldest bar that counts: it makes the cascade of 9 bars ago the same as its own."""
    waiting = [{"vol_expansion_20_1h": 0.5}] * MAX_AGE
    bars = [*[CALM] * (QUIET - 1), *waiting, {}]
    assert len(bars) == cascade.memory_bars
    assert longs(*bars) == [len(bars) - 1]
    assert longs({}, *bars) == [0]


def test_a_negative_memory_is_refused() -> None:
    with pytest.raises(DeclarationError, match="memory_bars must not be negative, was -1"):
        check(replace(cascade, memory_bars=-1))


HEAD = HeadRules(name="Test", signals=(cascade,), feeds=(Feed.CANDLES, Feed.LIQUIDATIONS))


def test_without_the_feed_the_signal_is_off() -> None:
    assert active_signals(HEAD, HEAD.feeds) == (cascade,)
    assert active_signals(HEAD, (Feed.CANDLES,)) == ()


def test_the_warm_up_covers_the_memory() -> None:
    bare = replace(HEAD, signals=(replace(cascade, memory_bars=0),))
    # 21 bars of 5m begin in the second hour before; the hours are what takes longest.
    assert MAX_AGE + QUIET == 21
    assert startup_candles(HEAD) == startup_candles(bare) + 2


def test_a_head_trades_cascades_on_made_up_bars() -> None:
    """P3: from liquidations in bars to an entry."""
    found = decide(random_frames(40, seed=8), HEAD, HEAD.feeds)
    entries = np.flatnonzero(found.code == 0)
    assert entries.size
    assert not found.errors
    side = -np.sign(found.columns[IMBALANCE][entries])
    np.testing.assert_array_equal(found.side[entries], side)


def test_a_window_of_live_length_gives_the_same_codes_during_a_cascade() -> None:
    """P4 with the whole pipeline around it: the warm-up is enough for the memory."""
    frames = random_frames(40, seed=8)
    whole, size = decide(frames, HEAD, HEAD.feeds), startup_candles(HEAD)
    for row in {int(e) + later for e in np.flatnonzero(whole.code == 0) for later in (0, 1, 9)}:
        now = int(frames["5m"].time[row]) + 5 * MINUTE
        stops = {tf: int(np.sum(bars.time + bars.step_ms <= now)) for tf, bars in frames.items()}
        window = {
            tf: part(bars, max(0, stops[tf] - size), stops[tf]) for tf, bars in frames.items()
        }
        live = decide(window, HEAD, HEAD.feeds)
        assert live.code[-1] == whole.code[row]
        assert live.side[-1] == whole.side[row]
