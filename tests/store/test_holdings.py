"""What bots of one database tell each other, and that room is given away once."""

from __future__ import annotations

import threading
import time

import pytest

from hydra_ft.errors import StoreError
from hydra_ft.store.database import Database
from hydra_ft.store.holdings import (
    AccountStore,
    BotRow,
    HoldingRow,
    PauseRow,
    ReservationRow,
    ResultRow,
)
from hydra_ft.store.postgres import ANSWER_S
from hydra_ft.store.sizes import SizeRow, SizeStore
from hydra_ft.types import Side

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def bots(url: str, *names: str) -> list[AccountStore]:
    """Each bot has its own connection, as it has in its own process."""
    return [AccountStore(Database(url), name) for name in names]


def held(bot: str, pair: str = BTC) -> HoldingRow:
    return HoldingRow(bot, pair, Side.SHORT, "Head", 100.0, 0.01, -2.0, 50.0, 1000)


def room(bot: str, pair: str = BTC, at: int = 1000) -> ReservationRow:
    return ReservationRow(bot, pair, Side.LONG, "Head", 100.0, 1.5, 50.0, at)


def test_two_bots_on_one_file_see_each_other(url: str) -> None:
    one, two = bots(url, "one", "two")
    first = BotRow("one", "USDT", "binance", 900.0, None, 5)
    with one.turn() as told:
        told.put_bot(first)
        told.put_holdings([held("one"), held("one", ETH)])
        told.put_results([ResultRow("one", 1, 10, -3.0), ResultRow("one", 2, 20, 4.0)])
    with two.turn() as told:
        told.put_holdings([held("two")])
        assert told.bots() == [first]
        assert told.holdings() == [held("one"), held("one", ETH), held("two")]
        assert told.results_of_others(15) == [ResultRow("one", 2, 20, 4.0)]
    with one.turn() as told:
        told.put_holdings([])
        told.put_results([ResultRow("one", 2, 20, 5.0)], since=20)
        assert told.results_of_others(0) == []
    with two.look() as told:
        assert told.holdings() == [held("two")]
        assert [row.profit for row in told.results_of_others(0)] == [-3.0, 5.0]


def test_a_reservation_is_kept_by_pair_sent_in_time_and_dropped_with_its_entry(url: str) -> None:
    one, two = bots(url, "one", "two")
    with one.turn() as told:
        told.reserve(room("one", at=1000))
        told.reserve(room("one", at=2000))
        told.reserve(room("one", ETH, at=2000))
    with two.turn() as told:
        told.reserve(room("two"))
        assert not told.sending(ETH, 3000, 0)
        assert [row.at for row in told.reservations() if row.bot == "one"] == [2000, 2000]
    with one.turn() as told:
        assert not told.sending(BTC, 9000, since=2001)
        assert told.sending(BTC, 9000, since=2000)
        told.keep_reserved({BTC})
    with two.look() as told:
        own, other = told.reservations()
        assert (own.bot, own.pair, own.at, own.is_sent) == ("one", BTC, 9000, True)
        assert (other.bot, other.is_sent) == ("two", False)
    with one.turn() as told:
        told.keep_reserved(())
        assert [row.bot for row in told.reservations()] == ["two"]


def test_one_look_is_of_one_moment(url: str) -> None:
    """What is closed between two of its statements is held in it, and not closed as well."""
    one, two = bots(url, "one", "two")
    with two.turn() as told:
        told.put_holdings([held("two")])
    with one.look() as seen:
        before = seen.holdings()
        with two.turn() as told:
            told.put_holdings([])
            told.put_results([ResultRow("two", 1, 10, -2.0)])
        assert (before, seen.results_of_others(0)) == ([held("two")], [])
    with one.look() as seen:
        assert (seen.holdings(), len(seen.results_of_others(0))) == ([], 1)


def test_who_is_in_a_hurry_waits_a_moment_for_a_turn_and_others_as_before(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra_ft.store.database._WAIT_MS", round(1000 * ANSWER_S))
    one, two = bots(url, "one", "two")
    with two.turn():
        started = time.monotonic()
        with pytest.raises(StoreError), one.turn(50):
            pass
        assert time.monotonic() - started < ANSWER_S
    free = threading.Event()

    def hold() -> None:
        with two.turn():
            free.set()
            time.sleep(0.4)

    holder = threading.Thread(target=hold)
    holder.start()
    free.wait(60)
    with one.turn() as told:
        assert told.bots() == []
    holder.join()


def test_pauses_are_those_of_an_account(url: str) -> None:
    one, two = bots(url, "one", "two")
    lost = PauseRow("USDT", "day_loss", 1000, 5000, "lost", -3.5)
    with one.turn() as told:
        told.put_pause(lost)
        told.put_pause(PauseRow("EUR", "day_loss", 1000, 9000, "lost"))
    with two.turn() as told:
        assert told.pauses("USDT", 4000) == [lost]
        assert told.pauses("USDT", 5000) == []
        told.forget_pauses(5001)
        assert told.pauses("USDT", 0) == []
        assert len(told.pauses("EUR", 0)) == 1


def test_a_turn_that_fails_writes_nothing(url: str) -> None:
    (one,) = bots(url, "one")
    twice = PauseRow("USDT", "day_loss", 1, 2, "lost")

    def fail() -> None:
        with one.turn() as told:
            told.reserve(room("one"))
            told.put_pause(twice)
            told.put_pause(twice)

    with pytest.raises(StoreError):
        fail()
    with one.look() as told:
        assert told.reservations() == []


@pytest.mark.parametrize("rounds", [40, pytest.param(400, marks=pytest.mark.ci)])
def test_two_bots_that_race_for_the_last_room_never_both_get_it(url: str, rounds: int) -> None:
    """Each looks, judges and reserves as an entry does; there is room for one."""
    won: dict[str, list[bool]] = {"one": [], "two": []}
    together = threading.Barrier(2, timeout=60)

    def race(name: str) -> None:
        (store,) = bots(url, name)
        for _ in range(rounds):
            together.wait()
            with store.turn() as told:
                free = not told.reservations()
                if free:
                    told.reserve(room(name))
            won[name].append(free)
            together.wait()
            with store.turn() as told:
                told.keep_reserved(())

    threads = [threading.Thread(target=race, args=(name,)) for name in won]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(pair) for pair in zip(*won.values(), strict=True)] == [1] * rounds


def test_the_first_turns_of_two_new_bots_do_not_fall_over_each_other(url: str) -> None:
    Database(url).close()
    found: list[AccountStore] = []
    threads = [threading.Thread(target=lambda: found.extend(bots(url, "x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    with found[0].turn() as told:
        assert told.bots() == []


def test_sizes_are_kept_by_bot_and_pair_the_newest_first(url: str) -> None:
    store = SizeStore(Database(url), "one")
    for at in (1, 2, 3):
        store.put(SizeRow("BTC", at, "ok", {"risk": at}))
    store.put(SizeRow("BTC", 3, "below_min", {"risk": 0}))
    assert [(made.at, made.code) for made in store.last("BTC", 2)] == [(3, "below_min"), (2, "ok")]
    assert SizeStore(Database(url), "two").last("BTC", 5) == []
    store.forget_before(3)
    assert [made.at for made in store.last("BTC", 5)] == [3]
    assert store.pairs() == ["BTC"]
