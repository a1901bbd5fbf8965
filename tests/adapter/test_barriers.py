"""What a decision declared of its exits, and which callbacks a head gets for them."""

from __future__ import annotations

from dataclasses import replace
from inspect import getfullargspec
from typing import Any

import numpy as np
import pandas as pd
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from hydra_ft import signals
from hydra_ft.adapter.exits.barriers import NO_BARRIERS, Barriers, BarrierTable
from hydra_ft.adapter.exits.exit_callbacks import (
    PartialExits,
    StopExits,
    TargetExits,
    exit_callbacks,
)
from hydra_ft.adapter.parts import parts_of
from hydra_ft.adapter.start import least_levels, refuse_levels, refuse_wide_stops
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.risk.policy import LADDER, ExitRules, RiskPolicy, SizingRules
from hydra_ft.types import Feed, Side

PAIR, STEP_MS, T0 = "BTC/USDT:USDT", 300_000, 1_750_000_200_000
MOST = Barriers(0.012, 0.02, 3600)


def head(*made: Any) -> HeadRules:
    return HeadRules(
        name="Head", base="5m", market="1h", structure="4h", feeds=(Feed.CANDLES,), signals=made
    )


def table(side: tuple[int, ...] = (0, 1, -1, 0)) -> BarrierTable:
    """Four bars, of which the second and the third decide."""
    decided = np.array(side) != 0
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(T0 + STEP_MS * np.arange(4), unit="ms", utc=True),
            "open": [10.0, 11.0, 12.0, 13.0],
            "hydra_entry": side,
            "hydra_stop": np.where(decided, MOST.stop, np.nan),
            "hydra_target": np.where(decided, MOST.target, np.nan),
            "hydra_max_hold_s": np.where(decided, MOST.max_hold_s, 0),
        }
    )
    made = BarrierTable(STEP_MS)
    made.note(PAIR, frame)
    return made


@pytest.mark.parametrize(
    ("side", "bars", "expected"),
    [
        (Side.LONG, 2.0, MOST),
        (Side.LONG, 2.9, MOST),
        (Side.SHORT, 2.0, NO_BARRIERS),
        (Side.SHORT, 3.0, MOST),
        (Side.LONG, 3.0, NO_BARRIERS),
        (Side.LONG, 1.9, NO_BARRIERS),
        (Side.LONG, 0.0, NO_BARRIERS),
        (Side.SHORT, 4.0, NO_BARRIERS),
    ],
)
def test_an_entry_has_the_barriers_of_the_bar_that_closed_last(
    side: Side, bars: float, expected: Barriers
) -> None:
    assert table().decided(PAIR, side, T0 + int(bars * STEP_MS)) == expected


def test_a_pair_that_was_never_analysed_has_none() -> None:
    assert table().decided("ETH/USDT:USDT", Side.LONG, T0 + 2 * STEP_MS) == NO_BARRIERS
    assert np.isnan(table().open_at("ETH/USDT:USDT", T0))


def test_an_open_is_known_where_a_bar_opens_and_nowhere_else() -> None:
    assert table().open_at(PAIR, T0 + STEP_MS) == 11.0
    assert np.isnan(table().open_at(PAIR, T0 + STEP_MS + 60_000))
    assert np.isnan(table().open_at(PAIR, T0 + 4 * STEP_MS))


def test_a_frame_without_decisions_takes_the_place_of_the_one_before() -> None:
    made = table()
    made.note(PAIR, pd.DataFrame({"date": [], "open": []}))
    assert made.decided(PAIR, Side.LONG, T0 + 2 * STEP_MS) == NO_BARRIERS


def test_a_head_without_a_policy_gets_no_callback() -> None:
    assert exit_callbacks(None, head(signals.trend_pullback)) == ()


@pytest.mark.parametrize(
    ("exits", "made", "expected"),
    [
        (ExitRules(), (), (StopExits,)),
        (ExitRules(target_r=2.0), (), (TargetExits,)),
        (ExitRules(), (signals.trend_pullback,), (TargetExits,)),
        (LADDER, (signals.trend_pullback,), (PartialExits, TargetExits)),
        (LADDER, (), (PartialExits,)),
    ],
)
def test_a_head_gets_the_callbacks_that_its_policy_asks_for(
    exits: ExitRules, made: tuple[Any, ...], expected: tuple[type, ...]
) -> None:
    assert exit_callbacks(RiskPolicy(exits=exits), head(*made)) == expected


def test_freqtrade_sees_that_the_stop_is_asked_for_after_a_fill() -> None:
    """It looks for the argument by name; a decorated callback would hide it."""
    assert "after_fill" in getfullargspec(StopExits.custom_stoploss).args
    assert StopExits.custom_roi is IStrategy.custom_roi
    assert TargetExits.adjust_trade_position is IStrategy.adjust_trade_position


def test_a_signal_whose_stop_may_be_wider_than_the_heads_is_refused() -> None:
    rules = head(signals.trend_exhaustion)
    refuse_wide_stops(rules, -0.025)
    with pytest.raises(OperationalException, match=r"stop_high of trend_exhaustion.*was 0\.025"):
        refuse_wide_stops(rules, -0.02)
    made = signals.trend_exhaustion
    narrow = replace(made, rules=replace(made.rules, stop_high=0.018))
    refuse_wide_stops(head(narrow), -0.02)


def test_a_head_with_a_policy_may_not_bring_a_stop_of_its_own() -> None:
    class Own(HydraStrategy):
        risk = RiskPolicy()
        rules = head(signals.trend_pullback)

        def custom_stoploss(self, *_: Any, **__: Any) -> float:
            return 0.01

    with pytest.raises(OperationalException, match="expected Own without custom_stoploss"):
        parts_of(Own, {})
    Own.risk = None
    assert parts_of(Own, {}) == ()


def test_p10_levels_that_cannot_go_with_the_policy_stop_the_start() -> None:
    """P10: a stop within twice the fees, a target within them, a break-even beyond it."""
    rules = head(signals.trend_pullback, signals.structure_retest, signals.range_fade)
    refuse_levels(rules, RiskPolicy())
    for policy, text in (
        (RiskPolicy(sizing=SizingRules(round_trip_fee=0.0035)), "range_fade: expected a stop"),
        (RiskPolicy(exits=ExitRules(break_even_at=0.0095)), "range_fade: expected break_even_at"),
        (RiskPolicy(exits=ExitRules(break_even_at=0.0145)), "structure_retest: expected break_ev"),
    ):
        with pytest.raises(OperationalException, match=text):
            refuse_levels(rules, policy)


def test_a_target_in_r_is_judged_in_the_place_of_the_signals() -> None:
    rules = head(signals.structure_retest)
    near = ExitRules(target_r=0.5, break_even_at=0.006, lock_at_r=0.0, trail_from_r=0.0)
    with pytest.raises(OperationalException, match=r"below the target \(0\.0055\)"):
        refuse_levels(rules, RiskPolicy(exits=near))
    refuse_levels(rules, RiskPolicy(exits=replace(near, break_even_at=0.005)))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (signals.trend_pullback, (0.010, 0.020)),
        (signals.structure_retest, (0.008, 0.0144)),
        (signals.range_fade, (0.006, 0.009)),
        (signals.range_breakout, (0.008, 0.016)),
        (signals.trend_exhaustion, (0.015, 0.0225)),
    ],
)
def test_the_nearest_levels_of_a_signal_are_read_off_its_numbers(
    made: Any, expected: tuple[float, float]
) -> None:
    assert least_levels(made) == pytest.approx(expected)


def test_a_signal_that_does_not_say_how_near_it_stops_is_not_judged() -> None:
    silent = replace(signals.trend_pullback, rules=object())
    assert least_levels(silent) == (0.0, 0.0)
    refuse_levels(head(silent), RiskPolicy(exits=ExitRules(break_even_at=0.4)))


def test_an_epoch_whose_levels_contradict_each_other_trades_nothing() -> None:
    class Head(HydraStrategy):
        rules = head(signals.range_fade)
        risk = RiskPolicy()
        stoploss = -0.1

    strategy: Any = Head({"user_data_dir": "", "runmode": None})
    strategy._seen._seen[PAIR] = None  # it refuses before it looks at anything
    strategy.risk_exits_break_even_at.value = 0.012
    frame = strategy._judged_again(pd.DataFrame({"date": range(3)}), PAIR)
    assert not frame[["hydra_entry", "hydra_exit_long", "hydra_exit_short"]].to_numpy().any()
