"""Fills as the exchange tells them, in the currency of the pair."""

from __future__ import annotations

from typing import Any

import pytest

from hydra_ft.adapter.orders.host import Host


class _FeesOnly(Host):
    """No exchange: only its rate of fees is asked for."""

    def __init__(self) -> None:
        pass

    def fee(self, pair: str, *, is_maker: bool) -> float:
        return 0.0002 if is_maker else 0.0005


def trade(**changes: Any) -> dict[str, Any]:
    fee = {"cost": 0.5, "currency": "USDT"}
    plain = {"price": 1000.0, "amount": 2.0, "timestamp": 7, "takerOrMaker": "maker", "fee": fee}
    return plain | changes


def test_a_fee_in_the_currency_of_the_pair_is_taken_as_it_is() -> None:
    fill = _FeesOnly()._fill(trade(), "ETH/USDT:USDT")
    assert (fill.price, fill.quantity, fill.at, fill.fee_quote, fill.is_maker) == (
        1000.0,
        2.0,
        7,
        0.5,
        True,
    )


@pytest.mark.parametrize(("kind", "cost"), [("maker", 0.4), ("taker", 1.0)])
def test_a_fee_in_bnb_is_not_taken_for_quote_currency(kind: str, cost: float) -> None:
    fee = {"cost": 0.0031, "currency": "BNB"}
    fill = _FeesOnly()._fill(trade(fee=fee, takerOrMaker=kind), "ETH/USDT:USDT")
    assert fill.fee_quote == pytest.approx(cost)
