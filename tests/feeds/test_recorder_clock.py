"""A feed's time: what one stamp moves, what a clock that stood still hides, what a wire proves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hydra_ft.feeds.recorder_clock import AHEAD_MS, FeedTime, Pulse

T0 = 1_700_000_000_000
A, B = "A/USDT:USDT", "B/USDT:USDT"


class Wall:
    """A clock of milliseconds that is moved by hand."""

    now = T0

    def __call__(self) -> int:
        """Tell the time."""
        return self.now


def feed_time(pairs: int = 2, wall: Wall | None = None) -> FeedTime:
    return FeedTime(2_000, pairs, wall or Wall())


def test_one_stamp_that_is_ahead_of_the_others_moves_nothing() -> None:
    time = feed_time()
    time.hear({A: [T0]}, 1.0)
    assert time.hear({B: [T0 + 59_000]}, 1.5) >= T0 + 59_000
    time.hear({A: [T0 + 1_000], B: [T0 + 59_500]}, 2.0)
    assert time.latest_ms == T0 + 1_000


def test_the_first_trade_is_the_time_though_this_machines_clock_is_behind() -> None:
    """Where one quiet pair trades, it would be minutes until several agreed."""
    time = feed_time(pairs=20)
    time.hear({A: [T0 + 3_000]}, 1.0)
    assert time.latest_ms == T0 + 3_000
    late = feed_time(pairs=20)
    late.hear({A: [T0 + AHEAD_MS + 1]}, 1.0)
    assert late.latest_ms == 0


def test_a_pair_whose_stamps_are_ahead_does_not_move_the_time_alone() -> None:
    time = feed_time()
    time.hear({A: [T0]}, 1.0)
    time.hear({B: [T0 + 30_000 + at for at in range(10)]}, 1.5)
    assert time.latest_ms == T0


def test_a_later_time_on_which_several_trades_of_two_pairs_agree_is_the_time() -> None:
    """H3: the seconds of a machine that sleeps do not go on, those of the venue do."""
    time = feed_time()
    time.hear({A: [T0]}, 1.0)
    assert time.hear({A: [T0 + 600_000]}, 1.1) < T0 + 600_000
    assert time.hear({A: [T0 + 600_010]}, 1.2) < T0 + 600_000
    assert time.hear({B: [T0 + 600_020]}, 1.3) >= T0 + 600_020
    assert time.latest_ms == T0 + 600_010


def test_where_one_pair_is_recorded_its_own_trades_agree() -> None:
    time = feed_time(pairs=1)
    time.hear({A: [T0]}, 1.0)
    time.hear({A: [T0 + 600_000, T0 + 600_001, T0 + 600_002]}, 1.1)
    assert time.latest_ms == T0 + 600_001


def test_the_wall_clock_says_at_once_how_long_the_machine_has_slept() -> None:
    wall = Wall()
    time = feed_time(wall=wall)
    time.hear({A: [T0]}, 1.0)
    wall.now += 600_000
    assert time.hear({A: [T0 + 600_000]}, 1.1) >= T0 + 600_000
    assert time.latest_ms == T0 + 600_000


def test_the_first_trade_of_a_run_is_held_against_the_wall_clock() -> None:
    time = feed_time()
    assert time.hear({A: [T0 + 86_400_000]}, 1.0) == T0 + AHEAD_MS
    assert time.latest_ms == 0
    time.hear({A: [T0 + 100]}, 1.1)
    assert time.latest_ms == T0 + 100


def test_a_wall_clock_that_is_far_behind_keeps_no_trades_out() -> None:
    time = feed_time()
    day = T0 + 86_400_000
    assert time.hear({A: [day, day + 10], B: [day + 20]}, 1.0) >= day + 20


def client(stamp: int | None = None) -> Any:
    return SimpleNamespace(clients={"wss": SimpleNamespace(last_message_at=stamp)})


def test_a_line_has_lived_until_its_last_message() -> None:
    pulse, one = Pulse(), client()
    pulse.begin(10.0)
    assert not pulse.look(one, 11.0)
    one.clients["wss"].last_message_at = T0
    assert pulse.look(one, 12.0)
    assert not pulse.look(one, 13.0)
    assert pulse.until_s == 12.0


def test_what_an_earlier_line_has_heard_proves_nothing_of_the_next() -> None:
    pulse = Pulse()
    pulse.begin(10.0)
    pulse.look(client(T0), 11.0)
    pulse.begin(20.0)
    assert not pulse.look(client(T0 + 5), 21.0)
    assert pulse.until_s == 20.0


def test_clients_that_were_replaced_are_forgotten() -> None:
    """Another one may come to stand at the address of one that is gone."""
    pulse = Pulse()
    pulse.begin(0.0)
    for number in range(20):
        one = client()
        for moment in range(3):
            one.clients["wss"].last_message_at = T0 + 3 * number + moment
            pulse.look(one, float(3 * number + moment))
    assert len(pulse._wires) == 2
    assert pulse.complaint() is None
