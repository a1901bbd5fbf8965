"""The line about how a recorder does: what is wrong stands in it."""

from __future__ import annotations

from dataclasses import replace

from hydra_ft.feeds.recorder import RecorderHealth
from hydra_ft.feeds.recorder_policy import FeedCounts, PairCounts
from hydra_ft.feeds.recorder_report import line_of
from hydra_ft.types import Feed

UP = FeedCounts(Feed.TRADES, is_connected=True, last_event_s=97.0, events=12, losses=1)
PAIR = PairCounts("X", 10, 1, 2, 3, 4, 0, 99, 1_000)
HEALTH = RecorderHealth((UP,), (PAIR, PAIR), 5, 6, 7, 8, 9, 2, "", "")


def test_all_that_is_counted_is_in_the_line() -> None:
    assert line_of(HEALTH, 100.0) == (
        "trades up, 12 events, last 3 s ago, losses 1 | "
        "trades counted 20 (fetched 6), missing 8, late 4 | "
        "written 6, waiting 5, dropped 7, failed writes 8, failed fetches 2"
    )


def test_a_feed_that_is_down_says_why() -> None:
    down = FeedCounts(Feed.BOOK, last_error="FeedError: silent", refused=2, overflows=3)
    line = line_of(replace(HEALTH, feeds=(down,), pairs=()), 100.0)
    assert line.startswith(
        "book DOWN, 0 events, nothing yet, losses 0, refused 2, overflows 3 (FeedError: silent) | w"
    )
    assert "trades counted" not in line
    why = "ap: expected a positive number, was '0'"
    line = line_of(replace(HEALTH, feeds=(replace(down, refused_why=why),)), 100.0)
    assert f"refused 2 ({why}), overflows 3" in line


def test_a_pair_whose_tick_has_changed_is_named() -> None:
    off = replace(PAIR, pair="Y", off_grid=5)
    assert "| refused 5 off the steps known then, which are asked for anew: Y | written" in line_of(
        replace(HEALTH, pairs=(PAIR, off)), 100.0
    )


def test_what_keeps_it_from_writing_or_beginning_is_named() -> None:
    assert line_of(replace(HEALTH, write_error="disk full"), 0.0).endswith(
        " | cannot write, trying again: disk full"
    )
    left_out = replace(HEALTH, left_out=("pair: expected A", "pair: expected B"))
    assert line_of(left_out, 0.0).endswith(
        "failed fetches 2 | left out 2: pair: expected A; pair: expected B"
    )
    empty = replace(HEALTH, feeds=(), pairs=())
    assert line_of(empty, 0.0) == "loading markets"
    assert line_of(replace(empty, markets_error="NetworkError: x"), 0.0) == (
        "markets cannot be loaded, trying again: NetworkError: x"
    )


def test_an_error_of_many_lines_takes_one_and_the_last_line_promises_nothing() -> None:
    error = "the database refused:\n locked\n[SQL: BEGIN]\n(Background on this error at: https://x)"
    line = line_of(replace(HEALTH, write_error=error), 0.0)
    assert line.endswith(" | cannot write, trying again: the database refused: locked")
    line = line_of(replace(HEALTH, write_error=error), 0.0, is_over=True)
    assert line.endswith(" | cannot write: the database refused: locked")
    away = replace(HEALTH, feeds=(), markets_error="NetworkError: x")
    assert line_of(away, 0.0, is_over=True) == "markets cannot be loaded: NetworkError: x"
