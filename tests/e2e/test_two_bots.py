"""Two whole bots on one account: the second counts what the first holds, has lost, and reserves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.housemates import Housemate
from e2e.plan import PLAN
from e2e.planned import TERMS, bars
from e2e.rig import BTC, ETH
from freqtrade.persistence import PairLocks

from hydra_ft.risk.policy import LimitRules, RiskPolicy, SizingRules
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loopback_exchange.server import Server

pytestmark = pytest.mark.e2e
CAPITAL = 10_000.0
"""Of each."""
Two = tuple[Housemate, Housemate]


@pytest.fixture
def limits() -> LimitRules:
    """The first entry takes a tenth of the account, which is more than the second may stand by."""
    return LimitRules(max_side_share=0.1, max_correlated_share=0.05)


@pytest.fixture
def two(server: Server, tmp_path: Path, limits: LimitRules) -> Iterator[Two]:
    """Both have the same limits, and half of the account each."""
    server.reset()
    PLAN.clear()
    TERMS.clear()
    sizing = SizingRules(risk_per_trade=min(0.005, limits.max_open_risk), max_stake_share=1.0)
    TERMS.risk = RiskPolicy(sizing=sizing, limits=limits)
    one = Housemate(server, tmp_path, "one", pairs=(BTC,), available_capital=CAPITAL)
    other = Housemate(server, tmp_path, "two", one, pairs=(ETH,), available_capital=CAPITAL)
    for bot in (other, one):
        bot.step(1)  # from here on each knows of the other
    yield one, other
    other.close()
    one.awake().close()


def decide(bot: Housemate, pair: str, side: Side = Side.LONG) -> None:
    PLAN.enter[pair] = side
    bars(bot, 1)
    PLAN.enter.clear()


def open_trade(bot: Housemate, pair: str) -> None:
    decide(bot, pair)
    bot.fill(bot.quantity(pair), pair)
    bot.step(1, times=2)
    assert bot.trade(pair) is not None


def drop(bot: Housemate, share: float) -> None:
    """Let the price of BTC fall until the position is gone."""
    bot.move(-share * bot.bid)
    bot.until(lambda: not bot.position(), limit=20)
    bot.step(1, times=2)


def test_the_second_is_refused_for_what_the_first_holds_until_that_is_closed(two: Two) -> None:
    one, other = two
    open_trade(one, BTC)
    decide(other, ETH)
    assert other.working_orders(ETH) == []
    (refused,) = other.passes(ETH)
    assert refused.outcome == "veto_corr"
    assert "correlated positions of 0.10 of the equity" in refused.detail
    drop(one, 0.02)
    decide(other, ETH)
    assert len(other.working_orders(ETH)) == 1
    other.fill(other.quantity(ETH), ETH)
    other.step(1, times=2)
    with one.account().look() as told:
        assert [(row.bot, row.pair) for row in told.holdings()] == [("two", ETH)]
        assert [row.bot for row in told.bots()] == ["one", "two"]


def test_an_order_that_works_counts_before_anybody_has_told_of_it(two: Two) -> None:
    """The first has reserved, sent, and not looked since: the second looks in this moment."""
    one, other = two
    PLAN.enter[BTC] = Side.LONG
    one.step(61 - one.clock_now().second)
    PLAN.enter.clear()
    assert len(one.working_orders(BTC)) == 1
    with one.account().look() as told:
        assert told.holdings() == []
        assert [(row.bot, row.is_sent) for row in told.reservations()] == [("one", True)]
    decide(other, ETH)
    assert [row.outcome for row in other.passes(ETH)] == ["veto_corr"]


def test_an_entry_that_ends_unfilled_gives_its_room_back(two: Two) -> None:
    one, other = two
    decide(one, BTC)
    one.until(lambda: not one.working_orders(BTC), seconds=10, limit=40)
    one.step(1, times=2)
    with one.account().look() as told:
        assert told.reservations() == told.holdings() == []
    decide(other, ETH)
    assert len(other.working_orders(ETH)) == 1


@pytest.mark.parametrize(
    "limits", [LimitRules(day_loss=0.01, max_open_risk=0.008, day_flatten_loss=0.011)]
)
def test_the_loss_of_one_ends_the_day_of_both_and_closes_what_the_other_holds(two: Two) -> None:
    one, other = two
    open_trade(other, ETH)
    open_trade(one, BTC)
    drop(one, 0.08)
    other.step(12, times=2)
    assert other.position(ETH) == 0
    assert [trade.exit_reason for trade in other.awake().closed(ETH)] == ["day_loss"]
    (lock,) = PairLocks.get_pair_locks("*")
    assert "day_loss" in lock.reason
    decide(other, ETH)
    assert [row.outcome for row in other.passes(ETH)][-1] == "veto_day_loss"
