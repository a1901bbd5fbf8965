"""The account of one pair, without a connection: lost, doubled, late, interrupted."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from feeds.one_pair import T0, closed, named, pair, trade
from feeds.recording import SUB_MS

from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.normal import BUY, PublicTrade
from hydra_ft.feeds.okx import OKX
from hydra_ft.feeds.sink import GapReason, Resume
from hydra_ft.types.flow import NO_ID


def market(chance: random.Random, count: int = 800) -> list[PublicTrade]:
    """Trades a few milliseconds apart."""
    time, trades = 0, []
    for number in range(1_000, 1_000 + count):
        time += chance.choice([0, 1, 5, 10])
        trades.append(trade(number, time, chance.randrange(1, 9)))
    return trades


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("can_fetch", [True, False])
def test_whatever_is_lost_or_doubled_each_trade_is_in_one_bar_or_in_a_gap(
    seed: int, can_fetch: bool
) -> None:
    chance = random.Random(seed)
    one, real, at, bars = pair(), market(chance), 0, {}
    per_bar = Counter(trade.time // SUB_MS * SUB_MS for trade in real)
    one.begin(T0)
    while at < len(real):
        size = chance.randrange(1, 30)
        sent = [t for t in real[at : at + size] if chance.random() > 0.05]
        one.take([t for t in sent for _ in range(1 + (chance.random() < 0.05))], at / 100)
        at += size
        seen = real[min(at, len(real)) - 1].time
        wanted = one.wanted(at / 100) if chance.random() < 0.5 else None
        if wanted is not None:
            known = [t for t in real if wanted[0] <= t.last_id <= wanted[1]]
            one.fetched(known if can_fetch else [], wanted[1], at / 100)
        if chance.random() < 0.5:
            bars.update({row[0]: row for row in closed(one, seen - 150 - T0)})
    gaps, counts = one.take_gaps(), one.counts()
    whole = [row for row in bars.values() if row[6] == 0]
    assert len(whole) >= 3 or not can_fetch
    assert all(row[1] == per_bar[row[0]] for row in whole)
    ids = sum(row[1] for row in bars.values())
    first, last = min(r[4] for r in bars.values()), max(r[5] for r in bars.values())
    assert ids + sum(g.missing for g in gaps if g.last_id <= last) == last - first + 1
    assert counts.late == 0
    assert (counts.refetched > 10) is can_fetch
    assert (counts.missing > 10) is not can_fetch


def test_a_bar_waits_for_the_ids_that_it_may_lack() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 10), trade(2, 100), trade(5, 400)], 0.0)
    assert closed(one, 2_000) == []
    assert one.wanted(0.1) is None
    assert one.wanted(0.3) == (3, 4)
    one.fetched([trade(3, 150), trade(4, 260)], 4, 0.3)
    assert [row[1] for row in closed(one, 600)] == [3, 2]
    (gap,) = one.take_gaps()
    assert (gap.first_id, gap.last_id, gap.missing) == (3, 4, 0)
    assert (gap.start, gap.stop) == (T0 + 100, T0 + 400)


def test_what_stays_away_is_marked_in_the_bars_between_its_neighbours() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0), trade(2, 100), trade(5, 400)], 0.0)
    assert one.wanted(0.3) == (3, 4)
    one.fetched([trade(3, 150)], 4, 0.3)
    rows = closed(one, 600)
    assert [(row[1], row[6]) for row in rows] == [(3, 150), (1, 151)]
    assert one.take_gaps()[0].missing == 1


def test_too_many_ids_are_not_asked_for() -> None:
    one = pair(refetch_most=100)
    one.begin(T0)
    one.take([trade(1, 10), trade(200, 400)], 0.0)
    assert one.wanted(0.3) is None
    (gap,) = one.take_gaps()
    assert (gap.missing, one.counts().held) == (198, 0)


def test_what_has_not_come_in_time_is_marked_so_that_bars_go_on() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 10), trade(3, 400)], 0.0)
    assert one.wanted(1.3) is None
    assert one.counts().held == 0
    assert one.take_gaps()[0].missing == 1
    assert len(closed(one, 600)) == 2


def test_a_venue_without_such_a_route_gives_up_once_it_has_waited() -> None:
    one = pair(OKX)
    one.begin(T0)
    one.take([trade(3, 10, first=1), trade(9, 300, first=6)], 0.0)
    assert one.wanted(0.1) is None
    assert closed(one, 600) == []
    assert one.wanted(0.3) is None
    (gap,) = one.take_gaps()
    assert (gap.first_id, gap.last_id, gap.missing) == (4, 5, 2)
    assert [row[1] for row in closed(one, 600)] == [1, 1]


def test_without_ids_every_interruption_is_a_gap() -> None:
    one = pair(BYBIT)
    one.begin(T0)
    one.take([named("a", 20)], 0.0)
    one.interrupted(T0 + 20, T0 + 120)
    one.take([named("b", 130), named("a", 20)], 0.5)
    assert [(row[1], row[6]) for row in closed(one, 250)] == [(2, 100)]
    (gap,) = one.take_gaps()
    assert (gap.missing, gap.first_id) == (-1, NO_ID)
    assert one.counts().duplicates == 1


def test_before_the_first_trade_of_all_nothing_is_proven() -> None:
    one = pair()
    one.begin(T0)
    assert [row[6] for row in closed(one, 250)] == [250]
    one.take([trade(7, 300)], 0.0)
    assert [(row[1], row[6]) for row in closed(one, 500)] == [(1, 50)]


def test_going_on_asks_for_all_since_the_last_bar() -> None:
    left = Resume(last_id=10, last_price_ticks=1_000, closed_until=T0)
    one = pair(resume=left)
    one.begin(T0 + 400)
    one.take([trade(13, 410)], 0.0)
    assert one.wanted(0.3) == (11, 12)
    one.fetched([trade(11, 20), trade(12, 350)], 12, 0.3)
    assert [(row[1], row[6]) for row in closed(one, 500)] == [(1, 0), (2, 0)]
    (gap,) = one.take_gaps()
    assert (gap.reason, gap.missing, gap.start) == (GapReason.RESTART, 0, T0)


def test_what_was_left_too_long_ago_is_a_gap_and_not_a_row_of_empty_bars() -> None:
    left = Resume(last_id=10, last_price_ticks=1_000, closed_until=T0)
    one = pair(resume=left, resume_most_ms=1_000, refetch_most=5)
    one.begin(T0 + 9_000)
    one.take([trade(100, 9_010)], 0.0)
    assert one.wanted(0.3) is None
    assert [row[0] - T0 for row in closed(one, 9_300)] == [9_000]
    (gap,) = one.take_gaps()
    assert (gap.reason, gap.missing) == (GapReason.RESTART, 89)


def test_a_price_off_the_grid_is_refused_and_told_of() -> None:
    one = pair()
    one.begin(T0)
    off = trade(2, 20)._replace(price=100.05)
    one.take([trade(1, 0), off, trade(3, 30)], 0.0)
    assert [row[1] for row in closed(one, 250)] == [2]
    (gap,) = one.take_gaps()
    assert (gap.first_id, gap.last_id, gap.missing) == (2, 2, 1)


def test_after_a_change_of_the_tick_the_refused_trades_of_a_sub_bar_are_one_gap() -> None:
    """The same gap told again, with more in it, replaces itself in the store."""
    one, told = pair(), []
    one.begin(T0)
    for number in range(100):  # every other trade lies between two ticks
        price = 100.0 + 0.05 * (number % 2)
        one.take([trade(1 + number, 10 * number)._replace(price=price)], 0.0)
        if number % 10 == 9:
            told += one.take_gaps()
    kept = {(gap.start, gap.first_id): gap for gap in told}
    assert len(told) == 12
    assert [(gap.start - T0, gap.first_id, gap.last_id, gap.missing) for gap in kept.values()] == [
        (10, 2, 24, 12), (250, 26, 50, 13), (510, 52, 74, 12), (750, 76, 100, 13)
    ]  # fmt: skip
    assert sum(gap.missing for gap in kept.values()) == one.counts().off_grid == 50
    assert (one.counts().counted, one.counts().late, one.take_gaps()) == (50, 0, [])


def test_without_ids_refused_trades_are_one_gap_of_time() -> None:
    one = pair(BYBIT)
    one.begin(T0)
    one.take([named(str(i), 10 * i)._replace(price=100.05) for i in range(5)], 0.0)
    (gap,) = one.take_gaps()
    assert (gap.start, gap.stop, gap.first_id, gap.missing) == (T0, T0 + 41, NO_ID, -1)


def test_a_pair_whose_ids_begin_anew_goes_on_and_tells_of_a_gap() -> None:
    """Else it would be silent for ever, and whole: every trade a repeat of an old one."""
    one = pair(resume=Resume(last_id=5_000_000, closed_until=T0))
    one.begin(T0 + 1_000)
    for i in range(4):
        one.take([trade(1 + i, 2_000 + i * 2_000)], 2.0 + i)
    flow = one.close(T0 + 9_000, 9.0)
    assert flow is not None
    assert flow.bars.count.tolist() == [0, 0, 1, 0, 1, 0, 1, 0, 1]
    assert np.flatnonzero(~flow.bars.whole).tolist() == [0, 1, 2]
    assert one.counts().duplicates == 0
    (gap,) = one.take_gaps()
    assert (gap.start, gap.stop, gap.missing) == (T0, T0 + 2_000, -1)


def test_a_batch_in_which_ids_begin_anew_is_folded_in_its_order() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(900 + i, 100 * i) for i in range(20)], 0.0)
    one.take([trade(921, 2_100), trade(1, 4_500), trade(2, 5_500), trade(2, 5_500)], 1.0)
    one.take([trade(3, 6_500)], 2.0)
    flow = one.close(T0 + 8_000, 3.0)
    assert flow is not None
    assert flow.bars.count.tolist() == [10, 10, 1, 0, 1, 1, 1, 0]
    assert np.flatnonzero(~flow.bars.whole).tolist() == [1, 2, 3, 4]
    assert (one.counts().counted, one.counts().duplicates) == (24, 1)
    assert [gap.missing for gap in one.take_gaps()] == [1, -1]


def test_a_trade_refused_before_a_hole_that_was_given_up_marks_its_bar_too() -> None:
    """Holes are marked as they are given up, what does not fit the grid when it is folded."""
    one = pair(OKX)
    one.begin(T0)
    odd = PublicTrade(4, 4, T0 + 1_100, 100.05, 0.001, BUY, "4")
    one.take([trade(1, 0), trade(3, 500), odd, trade(5, 2_000), trade(7, 3_100)], 0.0)
    one.release()
    flow = one.close(T0 + 4_000, 0.0)
    assert flow is not None
    assert flow.bars.uncovered_ms.tolist() == [501, 1, 1_000, 101]


def test_more_than_may_be_held_is_let_go() -> None:
    one = pair(most_held=5)
    one.begin(T0)
    one.take([trade(1, 0), *(trade(n, n) for n in range(3, 10))], 0.0)
    assert one.counts().held == 0
    assert one.take_gaps()[0].missing == 1


def test_stopping_leaves_the_open_bar_to_the_next_run_or_closes_it() -> None:
    one, other = pair(), pair(BYBIT)
    for each, first in ((one, trade(1, 0)), (other, named("a", 0))):
        each.begin(T0)
        each.take([first], 0.0)
    assert one.finish(T0 + 100) is None
    flow = other.finish(T0 + 100)
    assert flow is not None
    assert int(flow.bars.uncovered_ms[0]) == 900
