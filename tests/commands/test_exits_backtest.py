"""Exits of a backtest beside the decisions that its trades were entered on."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from commands.freqtrade_commands import PAIRS, REPOSITORY, TESTED, Home

from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from hydra_ft.store.decisions import DecisionRow

pytestmark = pytest.mark.e2e
BAR_MS, DAY_MS, HOLD_S = 300_000, 86_400_000, 7200
CLOSE = 2e-5
"""Of the price: a stop and a target stand on ticks."""

STILL = """
from dataclasses import replace

from HydraFlow import HydraFlow
from hydra_ft.risk.policy import ExitRules, RiskPolicy


class Still(HydraFlow):
    rules = replace(
        HydraFlow.rules,
        signals=tuple(replace(made, max_hold_s=7200) for made in HydraFlow.rules.signals),
    )
    searched = ()
    risk = RiskPolicy(
        exits=ExitRules(break_even_at=0.0, break_even_at_r=0.0, lock_at_r=0.0, trail_from_r=0.0)
    )
"""

LADDER = """
from dataclasses import replace

from HydraFlow import HydraFlow
from hydra_ft.risk.policy import LADDER, RiskPolicy


class Ladder(HydraFlow):
    risk = RiskPolicy(exits=replace(LADDER, lock_at_r=0.0, trail_from_r=0.0))
"""

PARTLY = """
from dataclasses import replace

from HydraFlow import HydraFlow
from hydra_ft.risk.policy import LADDER


class Partly(HydraFlow):
    searched = ()
    rules = replace(
        HydraFlow.rules,
        signals=tuple(replace(made, max_hold_s=14400) for made in HydraFlow.rules.signals),
    )
    risk = replace(
        HydraFlow.risk,
        exits=replace(
            LADDER, partial_1_at_r=0.4, partial_2_at_r=0.9, trail_from_r=0.8, trail_r=0.5
        ),
    )
"""

ASKED = """
from Partly import Partly
from hydra_ft.adapter.exits.exit_callbacks import PartialExits, TargetExits


class Asked(PartialExits, TargetExits, Partly):
    # Freqtrade looks for after_fill among the names.
    def custom_stoploss(self, pair, trade, current_time, current_rate, current_profit, after_fill):
        told = (pair, trade, current_time, current_rate, current_profit, after_fill)
        return super().custom_stoploss(*told)

    def custom_roi(self, *more, **named):
        return super().custom_roi(*more, **named)

    def adjust_trade_position(self, *more, **named):
        return super().adjust_trade_position(*more, **named)
"""
"""The same head; its callbacks are its own, so that freqtrade calls them at every candle."""


def run(
    downloaded: Home, name: str, text: str, chases: object, *words: str, sizes: bool = False
) -> Home:
    """Backtest a head of this text, with freqtrade's own stakes unless it sizes."""
    hydra = {"chase": {"backtest": chases}, "risk": {"enabled": sizes}}
    home = Home(downloaded.folder, downloaded.commands, downloaded.config | {"hydra": hydra})
    folder = home.folder / "heads"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    shutil.copy(REPOSITORY / "strategies" / "HydraFlow.py", folder)
    done = home.freqtrade(
        "backtesting", *TESTED, *words, "--strategy", name, "--strategy-path", str(folder)
    )
    assert done.code == 0, done.output
    assert done.errors() == []
    assert "caused the following exception" not in done.output
    assert "Traceback" not in done.output
    return home


@pytest.fixture(scope="module")
def trades(
    downloaded: Home, request: pytest.FixtureRequest
) -> list[tuple[dict[str, Any], DecisionRow]]:
    """Trades of a backtest whose stops do not move, each with its row of the ledger."""
    home = run(downloaded, "Still", STILL, request.param)
    ledger = TestedLedger(home.userdir.joinpath(*FOLDER))
    passes = {(p, row.at): row for p in PAIRS for row in ledger.rows(p) if row.code == "ok"}
    made = home.result()["trades"]
    assert len(made) > 3
    return [(one, passes[one["pair"], one["open_timestamp"] // BAR_MS * BAR_MS]) for one in made]


BOTH_WAYS = pytest.mark.parametrize("trades", [True, False], ids=["chased", "plain"], indirect=True)


def sign(trade: dict[str, Any]) -> int:
    return -1 if trade["is_short"] else 1


@BOTH_WAYS
def test_every_stop_stands_where_its_decision_said(
    trades: list[tuple[dict[str, Any], DecisionRow]],
) -> None:
    checked = 0
    for trade, row in trades:
        if trade["exit_reason"] == "time_stop":
            continue
        assert row.stop is not None
        expected = trade["open_rate"] * (1 - sign(trade) * row.stop)
        assert trade["stop_loss_abs"] == pytest.approx(expected, rel=CLOSE)
        if trade["exit_reason"] == "stop_loss":
            assert sign(trade) * (trade["close_rate"] / expected - 1) <= CLOSE
        checked += 1
    assert checked > 0
    assert len({round(row.stop or 0.0, 5) for _, row in trades}) > 1


@BOTH_WAYS
def test_every_target_that_was_taken_is_that_of_its_decision(
    trades: list[tuple[dict[str, Any], DecisionRow]],
) -> None:
    taken = [(trade, row) for trade, row in trades if trade["exit_reason"] == "target"]
    assert taken
    for trade, row in taken:
        assert row.target is not None
        expected = trade["open_rate"] * (1 + sign(trade) * row.target)
        # A candle that opens beyond the target fills there.
        assert sign(trade) * (trade["close_rate"] / expected - 1) >= -CLOSE


@BOTH_WAYS
def test_no_trade_is_held_longer_than_its_signal_meant(
    trades: list[tuple[dict[str, Any], DecisionRow]],
) -> None:
    over = [trade for trade, _ in trades if trade["exit_reason"] == "time_stop"]
    assert over
    for trade in over:
        assert trade["close_timestamp"] - trade["open_timestamp"] == HOLD_S * 1000
    longest = max(trade["close_timestamp"] - trade["open_timestamp"] for trade, _ in trades)
    assert longest <= HOLD_S * 1000


@pytest.mark.parametrize("chases", [True, False], ids=["chased", "plain"])
def test_a_ladder_takes_its_parts_once_each(downloaded: Home, *, chases: bool) -> None:
    found = run(downloaded, "Ladder", LADDER, chases).result()["trades"]
    firsts = 0
    for trade in found:
        entered = sum(order["amount"] for order in trade["orders"] if order["ft_is_entry"])
        exits = [order for order in trade["orders"] if not order["ft_is_entry"]]
        parts = [one for one in exits if (one["ft_order_tag"] or "").startswith("partial_")]
        assert len({one["ft_order_tag"] for one in parts}) == len(parts)
        assert sum(order["amount"] for order in exits) == pytest.approx(entered)
        for one in parts[:1]:
            firsts += 1
            assert one["ft_order_tag"] == "partial_1"
            assert one["amount"] == pytest.approx(0.4 * entered, rel=0.05)
    assert firsts


@pytest.mark.parametrize("chases", [True, False], ids=["chased", "plain"])
def test_exits_that_are_not_asked_for_in_vain_make_the_same_trades(
    downloaded: Home, *, chases: bool
) -> None:
    made = {}
    for name, text in (("Partly", PARTLY), ("Asked", ASKED)):
        home = run(downloaded, name, text, chases, sizes=True)
        made[name] = home.result()["trades"]
    assert made["Partly"] == made["Asked"]
    reasons = {trade["exit_reason"] for trade in made["Asked"]}
    assert {"stop_loss", "trailing_stop_loss"} <= reasons
    assert reasons & {"roi", "target"}
    assert any(len(trade["orders"]) > 2 for trade in made["Asked"])


GUARDED = (
    STILL.replace("Still", "Guarded")
    + """
    @property
    def protections(self):
        return [
            {
                "method": "StoplossGuard",
                "lookback_period_candles": 288,
                "stop_duration_candles": 288,
                "trade_limit": 1,
            }
        ]
"""
)


def test_stoploss_guard_counts_stops_and_no_time_stops(downloaded: Home) -> None:
    """A day without entries follows every stop, and no position that was left for its time."""
    home = run(downloaded, "Guarded", GUARDED, False, "--enable-protections")
    made = home.result()["trades"]

    def entered_after(reason: str) -> list[int]:
        losses = [one for one in made if one["profit_abs"] < 0 and one["exit_reason"] == reason]
        assert losses
        ends = [one["close_timestamp"] for one in losses]
        return [
            one for end in ends for t in made if end < (one := t["open_timestamp"]) < end + DAY_MS
        ]

    assert not entered_after("stop_loss")
    assert entered_after("time_stop")


def test_the_ledger_of_a_backtest_says_under_which_policy_it_ran(downloaded: Home) -> None:
    place = run(downloaded, "Still", STILL, chases=False, sizes=True).userdir
    rules = TestedLedger(place.joinpath(*FOLDER)).rules
    assert rules["risk.exits.break_even_at"] == 0.0
    assert rules["risk.sizing.risk_per_trade"] == 0.005
    assert rules["regime.chop_above"] == 0.7
