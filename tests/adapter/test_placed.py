"""Which of freqtrade's orders counts as the one that an attempt became."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import Order, Trade, init_db

from hydra_ft.adapter.orders.placed import child_of
from hydra_ft.types import Attempt, Kind, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEAR = "NEAR/USDT:USDT"
SENT = datetime(2026, 3, 3, 12, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _books(tmp_path: Path) -> Iterator[None]:
    init_db(f"sqlite:///{tmp_path / 'trades.sqlite'}")
    yield
    Trade.session.remove()


def book(side: Side, *orders: tuple[str, str, float, float, float, str]) -> None:
    """Book a trade; of each order id, direction, seconds since the attempt, price, size and tag."""
    trade = Trade(
        pair=NEAR,
        exchange="binance",
        is_short=side is Side.SHORT,
        stake_amount=260.0,
        amount=241.0,
        open_rate=3.2,
        open_date=SENT - timedelta(minutes=5),
        fee_open=0.0,
        fee_close=0.0,
        leverage=3.0,
    )
    for order_id, direction, after_s, price, quantity, tag in orders:
        order = Order(
            ft_pair=NEAR,
            ft_order_side=direction,
            ft_is_open=False,
            ft_amount=quantity,
            ft_price=price,
            order_id=order_id,
            symbol=NEAR,
            side=direction,
            price=price,
            amount=quantity,
            filled=quantity,
            order_date=SENT + timedelta(seconds=after_s),
            ft_order_tag=tag,
        )
        trade.orders.append(order)
    Trade.session.add(trade)
    Trade.commit()


def attempt(kind: Kind, side: Side, **changes: Any) -> Attempt:
    plain = {"quantity": 241.0, "price": 3.231, "sent_at": int(SENT.timestamp() * 1000), "mid": 3.2}
    return Attempt(parent_key="k", pair=NEAR, side=side, kind=kind, **(plain | changes))


def became(one: Attempt, *known: str) -> str | None:
    order = child_of(one, known, 1.0)
    return order.order_id if order is not None else None


def test_an_entry_has_become_no_exit_of_the_other_side() -> None:
    book(Side.SHORT, ("1", "sell", -200, 3.266, 238, ""), ("2", "buy", -70, 3.231, 143, "stop"))
    assert became(attempt(Kind.ENTRY, Side.LONG)) is None
    book(Side.LONG, ("3", "buy", 0.1, 3.231, 241, "drill"))
    assert became(attempt(Kind.ENTRY, Side.LONG)) == "3"


@pytest.mark.parametrize("parts", ["partial_1", "partial_2"])
def test_an_exit_has_become_no_part_that_was_taken_before_it(parts: str) -> None:
    taken = ("2", "buy", -7.5, 3.237, 95, parts)
    book(Side.SHORT, ("1", "sell", -90, 3.266, 238, ""), taken)
    whole = attempt(Kind.EXIT, Side.SHORT, quantity=143.0, price=0.0)
    assert became(whole) is None
    book(Side.SHORT, ("4", "sell", -90, 3.2, 9, ""), ("5", "buy", 0.1, 3.24, 143, "trailing_stop"))
    assert became(whole) == "5"


def test_an_attempt_has_become_the_newest_order_that_agrees() -> None:
    book(
        Side.LONG,
        ("1", "buy", -30, 3.231, 241, "drill"),
        ("2", "buy", 0.1, 3.231, 241, "drill"),
    )
    assert became(attempt(Kind.ENTRY, Side.LONG)) == "2"
    assert became(attempt(Kind.ENTRY, Side.LONG), "2") == "1"
    assert became(attempt(Kind.ENTRY, Side.LONG), "1", "2") is None


def test_a_clock_that_is_far_off_hides_no_order() -> None:
    book(Side.LONG, ("1", "buy", -1800, 3.231, 241, "drill"))
    assert became(attempt(Kind.ENTRY, Side.LONG)) == "1"
