"""What is taken out of ccxt's own caches, and what is said of a feed that stands or does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ccxt.async_support.base.ws.cache import ArrayCache
from feeds import payloads
from feeds.recording import QUICK

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.normal import Contract
from hydra_ft.feeds.recorder_feeds import TradeReader
from hydra_ft.feeds.recorder_pair import OPEN, PairRecorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.sink import GapReason
from hydra_ft.types.flow import TradeGrid

PAIR = "BTC/USDT:USDT"
T0 = payloads.BINANCE_AGG_TRADE["T"]


def client(*liquidations: dict[str, Any], trades: int = 0, limit: int = 100) -> Any:
    """What a reader sees of a ccxt.pro client: its caches."""
    forced, public = ArrayCache(limit), ArrayCache(limit)
    for order in liquidations:
        forced.append({"symbol": PAIR, "info": order})
    for number in range(trades):
        public.append({"symbol": PAIR, "info": aggregate(number)})
    wires = {"wss": SimpleNamespace(last_message_at=None)}
    return SimpleNamespace(liquidations=forced, trades={PAIR: public}, orderbooks={}, clients=wires)


def heard(one: Any) -> Any:
    """The same client, after a message or a pong has come."""
    one.clients["wss"].last_message_at = (one.clients["wss"].last_message_at or T0) + 1
    return one


def aggregate(number: int, **changed: Any) -> dict[str, Any]:
    return {**payloads.BINANCE_AGG_TRADE, "a": 100 + number, "T": T0 + number, **changed}


def order(quantity: int) -> dict[str, Any]:
    return {**payloads.BINANCE_FORCE_ORDER["o"], "z": str(quantity)}


class Wall:
    """A clock of milliseconds that is moved by hand."""

    now = T0

    def __call__(self) -> int:
        """Tell the time."""
        return self.now


def trade_reader(**policy: Any) -> tuple[TradeReader, PairRecorder]:
    chosen = RecorderPolicy(**{**QUICK, **policy})
    pair = PairRecorder(BINANCE, PAIR, TradeGrid(0.1, 0.001), chosen)
    return TradeReader(BINANCE, {PAIR: pair}, {PAIR: Contract()}, chosen), pair


def test_the_cache_is_empty_after_each_look_and_nothing_is_taken_twice() -> None:
    reader, pair = trade_reader()
    one = client(trades=5)
    assert reader.drain(one, 1.0) == 5
    assert reader.drain(one, 2.0) == 0
    assert len(one.trades[PAIR]) == 0
    assert (pair.counts().counted, reader.counts.last_event_s) == (5, 1.0)


def test_a_cache_that_was_full_is_counted() -> None:
    reader, pair = trade_reader(most_cached=10)
    reader.drain(client(trades=3), 1.0)
    assert reader.counts.overflows == 0
    reader.drain(client(trades=40, limit=10), 2.0)
    assert reader.counts.overflows == 1
    assert pair.wanted(9.0) is None
    (gap,) = pair.take_gaps()
    assert (gap.reason, gap.missing) == (GapReason.OVERFLOW, 27)


def test_without_ids_a_cache_that_was_full_is_a_gap_of_time() -> None:
    policy = RecorderPolicy(**QUICK)
    pair = PairRecorder(BYBIT, PAIR, TradeGrid(0.5, 0.001), policy)
    reader = TradeReader(BYBIT, {PAIR: pair}, {PAIR: Contract()}, policy)
    for begin, count in ((0, 3), (20, 10)):
        one = client(limit=10)
        for number in range(begin, begin + count):
            told = {**payloads.BYBIT_TRADE["data"][0], "T": T0 + number, "i": str(number)}
            one.trades[PAIR].append({"symbol": PAIR, "info": told})
        reader.drain(one, 1.0)
    (gap,) = pair.take_gaps()
    assert (gap.reason, gap.start, gap.stop) == (GapReason.OVERFLOW, T0 + 2, T0 + 20)


def test_what_cannot_be_read_is_refused_and_what_follows_is_not() -> None:
    reader, pair = trade_reader()
    one = client()
    for payload in (aggregate(0), aggregate(1, p="?"), aggregate(2)):
        one.trades[PAIR].append({"symbol": PAIR, "info": payload})
    assert reader.drain(one, 1.0) == 2
    assert (reader.counts.refused, pair.counts().last_id) == (1, 102)
    assert pair.wanted(2.0) == (101, 101)
    assert pair.take_gaps() == []


@pytest.mark.parametrize(
    ("stamps", "gaps", "whole"),
    [
        ([T0 + 300, T0 + 310], [(300, 311)], [False, False, True, True]),
        ([None], [(-510, 501)], [False, False, False, True]),
        ([T0 + 600, T0 + 560], [(600, 601), (560, 561)], [False, True, False, True]),
    ],
)
def test_without_ids_a_trade_that_cannot_be_read_makes_its_bar_no_whole_one(
    stamps: list[int | None], gaps: list[tuple[int, int]], whole: list[bool]
) -> None:
    policy, wall = RecorderPolicy(**QUICK), Wall()
    pair = PairRecorder(BYBIT, PAIR, TradeGrid(0.5, 0.001), policy)
    reader = TradeReader(BYBIT, {PAIR: pair}, {PAIR: Contract()}, policy, wall)

    def bring(at_ms: int, *unread: int | None) -> None:
        one, wall.now = client(), T0 + at_ms
        sound = {**payloads.BYBIT_TRADE["data"][0], "T": T0 + at_ms, "i": f"{at_ms}"}
        told = [({**sound, "S": "None"}, stamp) for stamp in unread]
        told += [(sound, T0 + at_ms)] if not unread else []
        for info, stamp in told:
            one.trades[PAIR].append({"symbol": PAIR, "info": info, "timestamp": stamp})
        reader.drain(one, at_ms / 1_000)

    reader.connected(0.0)
    bring(0)
    bring(90)
    bring(500, *stamps)
    bring(1_100)
    assert reader.counts.refused == len(stamps)
    assert "S: expected one of 'Buy', 'Sell', was 'None'" in reader.counts.refused_why
    flow = pair.close(T0 + 1_000, 1.6)
    assert flow is not None
    assert (flow.sub_bars.time - T0).tolist() == [-120, 130, 380, 630]
    assert flow.sub_bars.whole.tolist() == whole
    told = [(gap.start - T0, gap.stop - T0, gap.missing) for gap in pair.take_gaps()]
    assert told == [(*gap, -1) for gap in gaps]


def test_a_time_far_ahead_of_all_others_does_not_close_the_bars() -> None:
    reader, _ = trade_reader()
    reader.drain(client(trades=1), 1.0)
    one = client()
    one.trades[PAIR].append({"symbol": PAIR, "info": aggregate(1, T=T0 + 86_400_000)})
    assert reader.drain(one, 1.1) == 0
    assert reader.counts.refused == 1
    assert reader.until(1.1) == T0 - QUICK["grace_ms"]


def test_the_time_of_a_quiet_feed_goes_on_only_while_its_connection_stands() -> None:
    reader, _ = trade_reader()
    assert reader.until(0.0) is None
    reader.connected(0.0)
    one, grace = client(trades=1), QUICK["grace_ms"]
    reader.drain(one, 1.0)
    quiet_s = QUICK["quiet_s"]
    reader.drain(heard(one), 1.0 + quiet_s)
    assert reader.until(1.0 + quiet_s) == T0 - grace
    reader.drain(heard(one), 5.0 + quiet_s)
    assert reader.until(5.0 + quiet_s) == T0 - grace + 4_000
    reader.lost(8.0)
    assert reader.until(9.0) == T0 - grace


def test_a_line_that_answers_nothing_is_not_taken_for_a_quiet_one() -> None:
    reader, _ = trade_reader()
    reader.connected(0.0)
    one, grace = client(trades=1), QUICK["grace_ms"]
    reader.drain(one, 1.0)
    reader.drain(heard(one), 1.5)
    for now_s in (5.0, 10.0, 29.0):
        reader.drain(one, now_s)
        assert reader.until(now_s) == T0 - grace + 500


def test_of_two_wires_the_one_that_answers_nothing_counts() -> None:
    reader, _ = trade_reader()
    reader.connected(0.0)
    one = client(trades=1)
    one.clients["dead"] = SimpleNamespace(last_message_at=T0)
    reader.drain(one, 1.0)
    reader.drain(heard(one), 9.0)
    assert reader.until(9.0) == T0 - QUICK["grace_ms"]


def test_an_outage_is_doubted_before_the_first_trade_after_it() -> None:
    """Its bars would else close by the clock, as calm, and what is fetched then comes too late."""
    reader, pair = trade_reader(refetch_within_s=10.0)
    reader.connected(0.0)
    reader.drain(client(trades=1), 1.0)
    reader.lost(2.0)
    reader.connected(300.0)
    one = client()
    for now_s in (300.1, 300.3, 303.0):
        reader.drain(heard(one), now_s)
        until = reader.until(now_s)
        assert until is not None
        assert pair.close(until, now_s) is None
    one.trades[PAIR].append({"symbol": PAIR, "info": aggregate(301, T=T0 + 303_000)})
    reader.drain(heard(one), 303.1)
    assert pair.wanted(304.0) == (101, 400)
    asked = [aggregate(number, T=T0 + number * 1_000) for number in range(1, 301)]
    pair.fetched([BINANCE.trade(one, Contract()) for one in asked], 400, 304.0)
    assert (pair.counts().refetched, pair.counts().missing, pair.late) == (300, 0, 0)


def test_what_a_quiet_venue_was_asked_after_an_outage_lets_its_bars_close() -> None:
    reader, pair = trade_reader(refetch_within_s=10.0)
    reader.connected(0.0)
    reader.drain(client(trades=1), 1.0)
    reader.lost(2.0)
    reader.connected(60.0)
    pair.wanted(60.1)
    assert pair.wanted(60.5) == (101, OPEN)
    pair.caught_up([])
    one = client()
    reader.drain(one, 62.0)
    reader.drain(heard(one), 63.0)
    until = reader.until(63.0)
    assert until == T0 - QUICK["grace_ms"] + 60_000
    flow = pair.close(until, 63.0)
    assert flow is not None
    assert flow.sub_bars.uncovered_ms.sum() == flow.sub_bars.uncovered_ms[0]


def test_without_a_grace_a_trade_that_was_quicker_than_the_last_is_not_ahead() -> None:
    reader, _ = trade_reader(grace_ms=0)
    reader.connected(0.0)
    reader.drain(client(trades=1), 1.0)
    one = client()
    one.trades[PAIR].append({"symbol": PAIR, "info": aggregate(1, T=T0 + 900)})
    reader.drain(one, 1.3)
    assert reader.until(1.3) == T0 + 900


def test_after_a_sleep_of_the_machine_trades_are_taken_and_all_pairs_are_in_doubt() -> None:
    """H3: with a clock that stood still each later trade was refused, for ever."""
    reader, pair = trade_reader(refetch_within_s=10.0)
    reader.connected(0.0)
    reader.drain(client(trades=1), 1.0)
    one = client()
    for number in range(1, 6):
        told = aggregate(500 + number, T=T0 + 600_000 + number * 100)
        one.trades[PAIR].append({"symbol": PAIR, "info": told})
        reader.drain(one, 1.0 + number / 10)
    assert reader.counts.refused == 2
    assert pair.wanted(3.0) == (101, 602)
    assert pair.counts().held == 3


def test_a_feed_that_was_never_heard_is_silent_since_it_was_connected() -> None:
    reader, _ = trade_reader(silence_s=10.0)
    reader.connected(100.0)
    assert reader.complaint(109.0) is None
    assert reader.complaint(111.0) == "silent for more than 10.0 s"
