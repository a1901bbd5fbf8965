"""What an open trade keeps over every end of a bot: stop, target, R, break-even, parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from e2e.barriers import (
    TARGET,
    barred,
    fee,
    forget_trade_data,
    go,
    hold,
    left_by,
    price_at,
    price_at_r,
    rule_at_the_end,
    stance,
    stands_at,
    trade_of,
)
from e2e.rig import BTC
from freqtrade.enums import SignalDirection
from freqtrade.persistence import Trade
from sqlalchemy import text

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.rig import Rig

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
BOTH = pytest.mark.parametrize("side", list(Side))


def killed(rig: Rig) -> None:
    rig.restart()


def ended(rig: Rig) -> None:
    """As SIGINT ends a bot, and as ``/reload_config`` replaces one."""
    rig.bot.cleanup()
    rig.restart()


def killed_without_its_database(rig: Rig) -> None:
    rig.kill()
    for file in rig.folder.glob("user_data/hydra.sqlite*"):
        file.unlink()
    rig.restart()


def killed_without_trade_data(rig: Rig) -> None:
    forget_trade_data(rig)
    rig.restart()


ENDS = pytest.mark.parametrize(
    "end", [killed, ended, killed_without_its_database, killed_without_trade_data]
)


def kept(rig: Rig) -> dict[str, Any]:
    """Stop, target, R and what is left of a trade."""
    trade = trade_of(rig)
    return {
        **stance(rig),
        "stands": trade.stop_loss,
        "moved": trade.is_stop_loss_trailing,
        "held": rig.position(),
        "parts": [o.ft_order_tag for o in trade.orders if o.ft_order_side == trade.exit_side],
    }


@ENDS
@BOTH
def test_p8_a_trade_of_which_a_part_was_taken_is_the_same_after(
    rigged: Callable[..., Rig], side: Side, end: Callable[[Rig], None]
) -> None:
    """P8, F-D10, 2-17: stop, target, R, the break-even flag and the parts that were taken.

    3-14: what is persisted is loaded, whatever of it is lost.
    """
    rig = barred(rigged, "LadderHead")
    trade = hold(rig, side)
    go(rig, price_at_r(trade, 1.1), loops=2)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    before = kept(rig)
    assert before["parts"] == ["partial_1"]
    assert before["rule"] == "break_even"
    assert stands_at(trade_of(rig), price_at(trade_of(rig), fee(trade_of(rig))))
    end(rig)
    rig.step(1, times=4)
    after = kept(rig)
    if end is killed_without_trade_data:
        # The rule is a word, known again when the stop moves; the stop itself is freqtrade's.
        before.pop("rule")
        after.pop("rule")
    assert after == before
    assert rig.working_orders() == []
    go(rig, price_at(trade_of(rig), TARGET * 1.01))
    rig.until(rig.working_orders, limit=4)
    rig.fill(rig.quantity())
    assert left_by(rig) == "target"


@ENDS
def test_break_even_reached_before_is_kept_to_the_end(
    rigged: Callable[..., Rig], end: Callable[[Rig], None]
) -> None:
    rig = barred(rigged)
    trade = hold(rig)
    go(rig, price_at(trade, 0.0085), loops=2)
    end(rig)
    go(rig, price_at(trade_of(rig), 0.004), loops=2)
    assert stands_at(trade_of(rig), price_at(trade_of(rig), fee(trade_of(rig))))
    go(rig, price_at(trade_of(rig), 0.0))
    assert left_by(rig) == "trailing_stop_loss"
    if end is not killed_without_trade_data:
        assert rule_at_the_end(rig) == "break_even"


@ENDS
def test_the_age_of_a_position_is_that_of_the_trade(
    rigged: Callable[..., Rig], end: Callable[[Rig], None]
) -> None:
    rig = barred(rigged)
    hold(rig)
    rig.step(100, times=5)
    end(rig)
    rig.step(100, times=5)
    assert left_by(rig) == "time_stop"


def test_the_fee_in_r_is_that_of_the_day_of_the_entry(rigged: Callable[..., Rig]) -> None:
    """R does not change under an open trade where the venue, or the policy, changes its mind."""
    rig = barred(rigged)
    hold(rig)
    before = stance(rig)
    rig.restart()
    rig.bot.exchange.get_fee = lambda *_, **__: 0.004
    rig.step(1, times=3)
    assert stance(rig) == before
    trade = trade_of(rig)
    go(rig, price_at(trade, 0.0095), loops=2)
    assert stands_at(trade_of(rig), price_at(trade, fee(trade)))


def test_a_trade_that_has_the_number_of_a_deleted_one_has_a_stop_of_its_own(
    rigged: Callable[..., Rig],
) -> None:
    rig = barred(rigged, force_entry_enable=True)
    first = hold(rig)
    rpc, number, held = rig.bot.rpc._rpc, first.id, rig.position()
    go(rig, price_at(first, 0.0085), loops=2)
    rpc._rpc_delete(number)
    rig.bot.exchange._api.create_order(BTC, "market", "sell", held, None, {"reduceOnly": True})
    rig.step(1, times=5)
    short = SignalDirection.SHORT
    rpc._rpc_force_entry(BTC, None, order_type="market", order_side=short, stake_amount=500)
    rig.step(1, times=3)
    second = trade_of(rig)
    assert (second.id, second.is_short) == (number, True)
    assert stands_at(second, price_at(second, -0.04)), "the head's: nothing was declared for it"
    assert second.get_custom_data("hydra_stance") is None
    rig.step(100, times=10)
    assert rig.position() < 0, "nor is its time over"


def spoil(rig: Rig, written: str) -> None:
    """Put a text in the place of the stance of the trade; start anew."""
    change = text("update trade_custom_data set cd_value = :new where cd_key = 'hydra_stance'")
    Trade.session.execute(change, {"new": written})
    Trade.commit()
    rig.restart()
    rig.step(1, times=2)


@pytest.mark.parametrize("written", ["{broken", "[1]"])
def test_a_stance_that_cannot_be_read_takes_no_exit_away(
    rigged: Callable[..., Rig], written: str
) -> None:
    rig = barred(rigged)
    hold(rig)
    spoil(rig, written)
    assert stance(rig)["target"] == TARGET, "known from the parent, and kept anew"
    go(rig, price_at(trade_of(rig), 0.0085), loops=2)
    assert stands_at(trade_of(rig), price_at(trade_of(rig), fee(trade_of(rig))))
    go(rig, price_at(trade_of(rig), TARGET * 1.01))
    rig.until(rig.working_orders, limit=4)


def test_a_stop_that_is_read_back_stands_within_the_heads_own(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged)
    hold(rig)
    spoil(rig, json.dumps(stance(rig) | {"stop": 5.0}))
    assert rig.bot.strategy.stances.barriers(trade_of(rig)).stop == 0.04
