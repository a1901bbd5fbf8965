"""A backtest closes a lost day, pauses and trades on: the live rules, without locks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from commands.test_exits_backtest import run

if TYPE_CHECKING:
    from commands.freqtrade_commands import Home

pytestmark = pytest.mark.e2e
PAUSE_S, BAR_S, DAY_S = 8 * 3600, 300, 86_400

BIG = """
from HydraFlow import HydraFlow
from hydra_ft.risk.policy import LimitRules, RiskPolicy, SizingRules


class Big(HydraFlow):
    risk = RiskPolicy(
        sizing=SizingRules(risk_per_trade=0.002),
        limits=LimitRules(day_loss=0.002, day_flatten_loss=0.004, max_open_risk=0.002),
    )

    # Larger than any limit would let it be: so a day is lost without a jump.
    def custom_stake_amount(self, *asked, **named):
        return 2500.0 if super().custom_stake_amount(*asked, **named) else 0.0
"""


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


@pytest.fixture(scope="module")
def trades(downloaded: Home) -> list[dict[str, Any]]:
    home = run(downloaded, "Big", BIG, False, sizes=True)
    return [
        trade | {"opened": at(trade["open_date"]), "closed": at(trade["close_date"])}
        for trade in home.result()["trades"]
    ]


def ends(trades: list[dict[str, Any]]) -> list[float]:
    return sorted({t["closed"] for t in trades if t["exit_reason"] == "day_loss"})


def test_a_lost_day_is_closed_at_the_open_of_a_candle(trades: list[dict[str, Any]]) -> None:
    assert ends(trades)
    for end in ends(trades):
        still = [t for t in trades if t["opened"] < end < t["closed"]]
        assert still == []


def test_no_entry_comes_while_it_pauses_and_they_come_again(trades: list[dict[str, Any]]) -> None:
    for end in ends(trades):
        midnight = end - end % DAY_S + DAY_S
        over = max(midnight, end + PAUSE_S)
        assert [t for t in trades if end <= t["opened"] < over] == []
    first = ends(trades)[0]
    assert [t for t in trades if t["opened"] > first + DAY_S]


def test_what_was_lost_was_as_much_as_the_rule_says(trades: list[dict[str, Any]]) -> None:
    for end in ends(trades):
        day = [t for t in trades if end - end % DAY_S <= t["closed"] <= end]
        lost = -sum(t["profit_abs"] for t in day)
        assert lost > 0.003 * 10_000
