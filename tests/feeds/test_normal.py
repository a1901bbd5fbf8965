"""What the venues send, in the one meaning that Hydra gives it (P9, F-A7)."""

from __future__ import annotations

from typing import Any

import ccxt.pro
import pytest
from feeds import payloads

from hydra_ft.errors import DataError
from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.normal import BUY, SELL, Contract, Venue, as_arrays, stamp_ms
from hydra_ft.feeds.okx import OKX
from hydra_ft.types import Side
from hydra_ft.types.flow import NO_ID

BASE = Contract()
HUNDREDTH = Contract(size=0.01)


def test_binance_a_buyer_who_was_the_maker_means_that_the_taker_sold() -> None:
    trade = BINANCE.trade(payloads.BINANCE_AGG_TRADE, BASE)
    assert trade == (5_933_014, 5_933_014, 1_763_716_200_120, 86250.40, 0.125, SELL, "5933014")
    single = BINANCE.trade(payloads.BINANCE_TRADE, BASE)
    assert (single.last_id, single.side) == (105, BUY)


def test_binance_an_answer_of_the_rest_route_reads_as_the_stream_does() -> None:
    answer = {k: payloads.BINANCE_AGG_TRADE[k] for k in ("a", "p", "q", "f", "l", "T", "m")}
    assert BINANCE.trade(answer, BASE) == BINANCE.trade(payloads.BINANCE_AGG_TRADE, BASE)


def test_binance_a_force_order_that_sells_has_closed_a_long() -> None:
    """The price is what was paid, the quantity all that was filled, not the last part."""
    (found,) = BINANCE.forced(payloads.BINANCE_FORCE_ORDER, BASE)
    assert found == ("BTCUSDT", 1_763_716_200_998, Side.LONG, 86100.50, 0.030)
    bought = {"o": {**payloads.BINANCE_FORCE_ORDER["o"], "S": "BUY"}}
    assert BINANCE.forced(bought, BASE)[0].side is Side.SHORT
    assert BINANCE.forced(bought["o"], BASE) == BINANCE.forced(bought, BASE)


def test_bybit_the_side_of_a_trade_is_the_takers_and_its_id_no_number() -> None:
    trade = BYBIT.trade(payloads.BYBIT_TRADE["data"][0], BASE)
    assert trade[:6] == (NO_ID, NO_ID, 1_672_304_486_865, 16578.50, 0.001, BUY)
    assert trade.key == "20f43950-d8dd-5b31-9112-a178eb6023af"
    sold = {**payloads.BYBIT_TRADE["data"][0], "S": "Sell"}
    assert BYBIT.trade(sold, BASE).side == SELL


def test_bybit_a_liquidation_names_the_side_of_the_position() -> None:
    """Buy is a long that was liquidated: the other way round than on Binance."""
    short, long = (BYBIT.forced(one, BASE)[0] for one in payloads.BYBIT_LIQUIDATION["data"])
    assert short == ("ROSEUSDT", 1_739_502_302_929, Side.SHORT, 0.04499, 20_000)
    assert long.side is Side.LONG
    old = {"price": "0.03803", "side": "Buy", "size": "1637", "symbol": "GALAUSDT"}
    (found,) = BYBIT.forced({**old, "updatedTime": 1_673_251_091_822}, BASE)
    assert found == ("GALAUSDT", 1_673_251_091_822, Side.LONG, 0.03803, 1_637)


def test_okx_counts_contracts_and_tells_several_ids_as_one() -> None:
    trade = OKX.trade(payloads.OKX_TRADE["data"][0], HUNDREDTH)
    assert trade[:4] == (130_639_472, 130_639_474, 1_630_048_897_897, 42219.9)
    assert trade.quantity == pytest.approx(0.12)
    assert trade.side == SELL
    single = {**payloads.OKX_TRADE["data"][0]}
    del single["count"]
    assert OKX.trade(single, HUNDREDTH).first_id == 130_639_474


def test_okx_a_liquidation_order_that_buys_has_closed_a_short_and_all_details_count() -> None:
    short, long = OKX.forced(payloads.OKX_LIQUIDATION["data"][0], HUNDREDTH)
    assert short == ("BTC-USDT-SWAP", 1_692_266_434_010, Side.SHORT, 42100.5, 0.13)
    assert (long.side, long.quantity) == (Side.LONG, 0.02)


def test_okx_a_position_side_that_contradicts_the_order_is_refused() -> None:
    entry = payloads.OKX_LIQUIDATION["data"][0]
    wrong = {**entry, "details": [{**entry["details"][0], "posSide": "long"}]}
    with pytest.raises(DataError, match=r"posSide: expected short.* was 'long'"):
        OKX.forced(wrong, HUNDREDTH)


def test_an_inverse_contract_is_worth_quote_currency() -> None:
    hundred_dollars = Contract(size=100, is_inverse=True)
    payload = {**payloads.BINANCE_AGG_TRADE, "p": "50000", "q": "5"}
    assert BINANCE.trade(payload, hundred_dollars).quantity == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (1_763_716_200, 1_763_716_200_000),
        (1_763_716_200_120, 1_763_716_200_120),
        (1_763_716_200_120_999, 1_763_716_200_120),
        ("1763716200120999888", 1_763_716_200_120),
    ],
)
def test_a_time_stamp_of_any_unit_is_milliseconds(stamp: Any, expected: int) -> None:
    assert stamp_ms(stamp) == expected


@pytest.mark.parametrize("stamp", [None, 0, -5, "soon", ""])
def test_what_is_no_time_stamp_is_refused(stamp: Any) -> None:
    with pytest.raises(DataError, match="time: expected milliseconds"):
        stamp_ms(stamp)


@pytest.mark.parametrize(
    ("venue", "payload", "wrong"),
    [
        (BINANCE, payloads.BINANCE_AGG_TRADE, {"m": None}),
        (BINANCE, payloads.BINANCE_AGG_TRADE, {"p": "0"}),
        (BINANCE, payloads.BINANCE_AGG_TRADE, {"q": None}),
        (BINANCE, payloads.BINANCE_AGG_TRADE, {"a": "x"}),
        (BYBIT, payloads.BYBIT_TRADE["data"][0], {"S": "buy"}),
        (BYBIT, payloads.BYBIT_TRADE["data"][0], {"v": "nan"}),
        (OKX, payloads.OKX_TRADE["data"][0], {"side": "Sell"}),
        (OKX, payloads.OKX_TRADE["data"][0], {"ts": "never"}),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(
    venue: Venue, payload: dict[str, Any], wrong: dict[str, Any]
) -> None:
    name = "time" if "ts" in wrong else next(iter(wrong))
    with pytest.raises(DataError, match=f"^{name}: expected"):
        venue.trade({**payload, **wrong}, BASE)


def test_trades_become_arrays_with_the_last_id_of_each() -> None:
    trades = as_arrays([OKX.trade(payloads.OKX_TRADE["data"][0], HUNDREDTH)])
    assert trades.id.tolist() == [130_639_474]
    assert (trades.side.dtype.name, trades.time.dtype.name) == ("int8", "int64")
    assert len(as_arrays([])) == 0


MARKETS: dict[str, tuple[str, str, float]] = {
    "binance": ("BTCUSDT", "BTC/USDT:USDT", 1.0),
    "bybit": ("BTCUSDT", "BTC/USDT:USDT", 1.0),
    "okx": ("BTC-USDT-SWAP", "BTC/USDT:USDT", 0.01),
}


class Wire:
    """What ccxt's message readers need of a connection."""

    subscriptions: dict[str, Any] = {}  # noqa: RUF012
    url = "wss://127.0.0.1/linear"

    def resolve(self, *_: object) -> None:
        """Nobody waits."""


def read_by_ccxt(name: str, read: str, message: dict[str, Any]) -> Any:
    """What ccxt.pro makes of a message, without a connection."""
    market_id, symbol, size = MARKETS[name]
    client = getattr(ccxt.pro, name)()
    market = client.safe_market_structure(
        {"id": market_id, "symbol": symbol, "base": "BTC", "quote": "USDT", "settle": "USDT",
         "type": "swap", "spot": False, "swap": True, "contract": True, "linear": True,
         "contractSize": size, "precision": {}, "limits": {}}
    )  # fmt: skip
    client.set_markets([market])
    getattr(client, read)(Wire(), message)
    return client


@pytest.mark.parametrize(
    ("venue", "read", "message", "payload"),
    [
        (BINANCE, "handle_trade", payloads.BINANCE_AGG_TRADE, payloads.BINANCE_AGG_TRADE),
        (BYBIT, "handle_trades", payloads.BYBIT_TRADE, payloads.BYBIT_TRADE["data"][0]),
        (OKX, "handle_trades", payloads.OKX_TRADE, payloads.OKX_TRADE["data"][0]),
    ],
)
def test_ccxt_keeps_the_payload_and_agrees_on_side_time_and_price(
    venue: Venue, read: str, message: dict[str, Any], payload: dict[str, Any]
) -> None:
    client = read_by_ccxt(venue.name, read, message)
    (kept,) = client.trades["BTC/USDT:USDT"]
    contract = Contract(MARKETS[venue.name][2])
    ours, theirs = venue.trade(kept["info"], contract), kept
    assert kept["info"] == payload
    assert (ours.time, ours.price) == (theirs["timestamp"], theirs["price"])
    assert ours.quantity == pytest.approx(theirs["amount"] * contract.size)
    assert {BUY: "buy", SELL: "sell"}[ours.side] == theirs["side"]


def test_ccxt_keeps_the_raw_side_of_a_liquidation_which_differs_by_venue() -> None:
    """What it calls side is the order's on Binance, and the position's on Bybit."""
    order = read_by_ccxt("binance", "handle_liquidation", payloads.BINANCE_FORCE_ORDER)
    (kept,) = order.liquidations
    assert (kept["side"], kept["contracts"]) == ("sell", 0.010)
    assert BINANCE.forced(kept["info"], BASE)[0].side is Side.LONG
    message = {"data": [{**payloads.BYBIT_LIQUIDATION["data"][0], "s": "BTCUSDT"}]}
    (kept,) = read_by_ccxt("bybit", "handle_liquidation", message).liquidations
    assert kept["side"] == "sell"
    assert BYBIT.forced(kept["info"], BASE)[0].side is Side.SHORT


def test_ccxt_drops_all_details_of_an_okx_message_but_the_first_and_ours_does_not() -> None:
    client = read_by_ccxt("okx", "handle_liquidation", payloads.OKX_LIQUIDATION)
    (kept,) = client.liquidations
    assert kept["contracts"] == 13
    assert len(OKX.forced(kept["info"], HUNDREDTH)) == 2
