"""What a backtest overrides of freqtrade is still there, in the shape that is overridden.

That the trades are the same is shown by ``tests/commands/test_exits_backtest.py``, and how many
copies are saved by ``tests/benchmarks/test_backtest.py``.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.persistence import LocalTrade
from freqtrade.strategy import IStrategy

from hydra_ft import signals
from hydra_ft.adapter.exits.barriers import NEEDED
from hydra_ft.adapter.exits.exit_callbacks import (
    PartialExits,
    StopExits,
    TargetExits,
    exit_callbacks,
)
from hydra_ft.adapter.exits.exit_reasons import NamedExits
from hydra_ft.adapter.exits.tested_exits import (
    TestedParts,
    TestedStops,
    TestedTargets,
    in_backtests,
)
from hydra_ft.adapter.parts import parts_of
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.risk.policy import LADDER, RiskPolicy
from hydra_ft.types import Feed

PAIR = "BTC/USDT:USDT"
TESTED = (RunMode.BACKTEST, RunMode.HYPEROPT)
RULES = HeadRules(
    name="Head", base="5m", market="1h", structure="4h", feeds=(Feed.CANDLES,), signals=()
)


def shape(method: Any) -> list[tuple[str, Any, Any]]:
    """Names of the arguments, how they may be passed, and what they are by default."""
    found = inspect.signature(method).parameters.values()
    return [(one.name, one.kind, one.default) for one in found]


@pytest.mark.parametrize(
    ("made", "name"),
    [(TestedStops, "ft_stoploss_adjust"), (TestedTargets, "min_roi_reached_entry")],
)
def test_freqtrade_calls_what_is_overridden_as_it_did(made: type, name: str) -> None:
    assert shape(getattr(made, name)) == shape(getattr(IStrategy, name))


def test_freqtrade_asks_for_parts_where_it_did() -> None:
    names = [name for name, _, _ in shape(IStrategy._adjust_trade_position_internal)]
    assert {"trade", "current_exit_rate"} <= set(names)
    assert "_adjust_trade_position_internal" in vars(TestedParts)


@pytest.mark.parametrize(
    ("method", "reads"),
    [
        (IStrategy.ft_stoploss_adjust, ("self.use_custom_stoploss", "self.custom_stoploss")),
        (IStrategy.min_roi_reached_entry, ("self.use_custom_roi", "self.custom_roi")),
        (IStrategy._adjust_trade_position_internal, ("self.adjust_trade_position",)),
    ],
)
def test_the_calls_that_are_saved_are_made_there(method: Any, reads: tuple[str, ...]) -> None:
    source = inspect.getsource(method)
    for read in reads:
        assert read in source
    # Nowhere else, or it would be asked for in vain again.
    whole = inspect.getsource(IStrategy)
    assert whole.count(reads[-1]) == source.count(reads[-1])


class Head(HydraStrategy):
    """Takes parts, and a target."""

    rules = RULES
    risk = RiskPolicy(exits=replace(LADDER, target_r=20.0, trail_from_r=0.0, lock_at_r=0.0))


def parts(head: type[HydraStrategy], runmode: RunMode) -> tuple[type, ...]:
    return parts_of(head, {"runmode": runmode, "hydra": {"chase": {"enabled": False}}})


def test_only_a_backtest_looks_before_it_is_asked() -> None:
    for runmode in TESTED:
        assert parts(Head, runmode)[-2:] == (TestedParts, TestedTargets)
    for runmode in (RunMode.LIVE, RunMode.DRY_RUN, RunMode.OTHER, RunMode.PLOT):
        assert parts(Head, runmode)[-2:] == (PartialExits, TargetExits)


def test_every_class_of_exits_has_one_for_backtests() -> None:
    made = exit_callbacks(RiskPolicy(exits=LADDER), replace(RULES, signals=(signals.sma_cross,)))
    assert in_backtests((StopExits, *made)) == (TestedStops, TestedParts, TestedTargets)


class Timed(NamedExits, TestedTargets, HydraStrategy):
    """Its positions end after 300 s."""

    rules, risk = RULES, RiskPolicy()
    stoploss = -0.1


OPENED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def opened(head: Any, *, is_short: bool = False, later: float = 100.0) -> Any:
    """A trade at 100 with a stop of 1 %, a target of 5 % and an end; the next bar opens later."""
    head._kept_fees = {PAIR: 0.0}
    head._ft_stop_uses_after_fill = True
    rows = [OPENED + timedelta(minutes=5 * n) for n in (-1, 0, 1)]
    declared = zip(NEEDED, (-1 if is_short else 1, 0.01, 0.05, 300), strict=True)
    frame = pd.DataFrame({"date": rows, "open": [100.0, 100.0, later]})
    head._table.note(PAIR, frame.assign(**{name: [value, 0, 0] for name, value in declared}))
    head.stances.forget(PAIR)
    trade = LocalTrade(
        id=1,
        pair=PAIR,
        open_date=OPENED,
        open_rate=100.0,
        amount=1.0,
        fee_open=0.0005,
        fee_close=0.0005,
        is_short=is_short,
        leverage=1.0,
        stake_amount=100.0,
        price_precision=0.01,
        precision_mode_price=4,
    )
    trade.recalc_open_trade_value()
    trade.adjust_stop_loss(100.0, head.stoploss, initial=True)
    head.ft_stoploss_adjust(100.0, trade, OPENED, 0.0, 0, after_fill=True)
    return trade


@pytest.mark.parametrize("is_short", [False, True])
@pytest.mark.parametrize("best", [0.1, 0.9, 1.9, 6.0])
def test_a_position_whose_time_is_over_leaves_at_the_open_whatever_the_candle_reaches(
    best: float, *, is_short: bool
) -> None:
    """From the open of 100.05 on the candle goes so far; stop and target are later prices."""
    head: Any = Timed({"user_data_dir": "", "runmode": None, "dry_run": True})
    sign = -1 if is_short else 1
    at, reached, lost = (100 + sign * away for away in (0.05, best, -0.2))
    trade = opened(head, is_short=is_short, later=at)
    low, high = sorted((reached, lost))
    now = OPENED + timedelta(minutes=5)
    (found,) = head.should_exit(trade, at, now, enter=False, exit_=False, low=low, high=high)
    assert found.exit_reason == "time_stop"
    assert trade.stop_loss == pytest.approx(at)


@pytest.mark.parametrize("is_short", [False, True])
def test_the_stop_of_an_epoch_is_cut_at_the_stoploss_of_that_epoch(*, is_short: bool) -> None:
    head: Any = Timed({"user_data_dir": "", "runmode": None, "dry_run": True})
    sign = -1 if is_short else 1
    for stoploss, expected in ((-0.1, 0.01), (-0.005, 0.005), (-0.1, 0.01)):
        head.stoploss = stoploss
        trade = opened(head, is_short=is_short)
        assert trade.stop_loss == pytest.approx(100 * (1 - sign * expected))


@pytest.mark.parametrize("runmode", [RunMode.LIVE, RunMode.BACKTEST])
def test_a_table_of_profits_that_a_head_declares_is_in_force(runmode: RunMode) -> None:
    class Tabled(Head):
        """Takes 1 % after an hour."""

        minimal_roi = {"60": 0.01}  # noqa: RUF012 - as in any strategy

    for head, expected in ((Tabled, {"60": 0.01}), (Head, {})):
        made: Any = type("Made", (*parts(head, runmode), head), {})
        assert made.minimal_roi == expected


def test_a_target_in_r_is_that_of_the_epoch() -> None:
    """Epochs of hyperopt share the strategy, and begin to count trades anew."""

    class Searched(TestedTargets, Head):
        """Its target in R is a parameter."""

        stoploss = -0.1

    head: Any = Searched({"user_data_dir": "", "runmode": None})
    head._kept_fees = {PAIR: 0.0}
    opened = datetime(2026, 3, 1, 12, tzinfo=UTC)
    frame = pd.DataFrame({"date": [opened - timedelta(minutes=5)], "open": [100.0]})
    head._table.note(PAIR, frame.assign(**dict(zip(NEEDED, (1, 0.01, 0.03, 0), strict=True))))
    trade = LocalTrade(
        id=1,
        pair=PAIR,
        open_date=opened,
        open_rate=100.0,
        amount=1.0,
        fee_open=0.0005,
        fee_close=0.0005,
        is_short=False,
        leverage=1.0,
        stake_amount=100.0,
    )
    trade.recalc_open_trade_value()
    enough = []
    for target_r in (3.0, 4.0, 3.0):
        head.risk_exits_target_r.value = target_r
        head.read_rules()
        enough.append(head.min_roi_reached_entry(trade, 5, opened)[1])
    assert enough == pytest.approx([0.033, 0.044, 0.033], rel=0.02)
