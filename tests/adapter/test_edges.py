"""Both edges of the scalper's signal: told once, with a time to live; hit rates, webhook."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bars.synthetic import random_bars
from hypothesis import given
from hypothesis import strategies as st
from signals.test_scalp import TEN_SECONDS

from hydra_ft.adapter.edges.hits import HitCounts, only_whole
from hydra_ft.adapter.edges.states import Change, Edge, SignalStates, body
from hydra_ft.adapter.edges.tested_hits import TestedHits
from hydra_ft.adapter.edges.webhook import complaints, is_told
from hydra_ft.adapter.heads import load_rules
from hydra_ft.features.scalper import RULES, hit_rates
from hydra_ft.signals.scalp import ScalpRules, flags
from hydra_ft.types import Feed

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
TTL = 20_000
STRATEGIES = Path(__file__).parents[2] / "strategies"


def changes(states: SignalStates, *looks: tuple[int, int]) -> list[Edge | None]:
    """Look at a pair whose newest bar that fires closed at the first time, at the second."""
    return [states.see(BTC, fired_at, now) for fired_at, now in looks]


def test_the_first_state_of_a_pair_is_told_whatever_it_is() -> None:
    """F-B1: after a restart the receiver knows nothing."""
    off = SignalStates(TTL).see(BTC, 0, 1000)
    on = SignalStates(TTL).see(BTC, 1000, 1001)
    assert off == Edge(BTC, Change.ENDED)
    assert on == Edge(BTC, Change.BEGAN, 21_000)


def test_each_edge_is_told_once() -> None:
    """F-B1: the original told only that a signal began."""
    states = SignalStates(TTL)
    told = changes(
        states,
        (0, 11_000),
        (0, 16_000),
        (20_000, 21_000),
        (20_000, 26_000),
        (20_000, 41_000),
        (0, 46_000),
    )
    assert [edge and edge.change for edge in told] == [
        Change.ENDED, None, Change.BEGAN, None, Change.ENDED, None,
    ]  # fmt: skip


def test_a_signal_that_goes_on_is_told_with_its_new_end() -> None:
    states = SignalStates(TTL)
    told = changes(states, (10_000, 11_000), (20_000, 21_000), (20_000, 26_000))
    assert told == [
        Edge(BTC, Change.BEGAN, 30_000),
        Edge(BTC, Change.GOES_ON, 40_000),
        None,
    ]


@pytest.mark.parametrize(("now", "ends"), [(29_999, False), (30_000, True), (90_000, True)])
def test_a_signal_ends_with_its_time_where_the_feed_falls_silent(now: int, ends: bool) -> None:
    states = SignalStates(TTL)
    states.see(BTC, 10_000, 11_000)
    edge = states.see(BTC, 10_000, now)
    assert (edge == Edge(BTC, Change.ENDED)) == ends


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.integers(0, 40)), max_size=40))
def test_the_receiver_never_believes_what_is_not_so(steps: list[tuple[int, bool, int]]) -> None:
    """Whatever bars come and however late one looks: told is what holds, and no more often."""
    states, now, fired_at = SignalStates(TTL), 0, 0
    believed: bool | None = None
    until = 0
    for bar_s, is_quiet, wait_s in steps:
        if bar_s and is_quiet:
            fired_at = now + 1000 * bar_s
        now += 1000 * (bar_s + wait_s)
        edge = states.see(BTC, fired_at, now)
        if edge is not None:
            assert edge.is_active != believed or edge.change is Change.GOES_ON
            believed, until = edge.is_active, edge.expires_at
        assert believed == bool(fired_at and now < fired_at + TTL)
        assert not believed or until == fired_at + TTL


def test_what_stands_is_ended_with_the_bot_and_only_that() -> None:
    states = SignalStates(TTL)
    states.see(BTC, 10_000, 11_000)
    states.see(ETH, 0, 11_000)
    assert list(states.end()) == [Edge(BTC, Change.ENDED)]
    assert list(states.end()) == []


def test_the_body_is_the_scalpers_own_with_its_end() -> None:
    """F-B1: what the audited receiver reads stands where it stood."""
    told = json.loads(body(Edge(BTC, Change.BEGAN, 30_000), "HydraScalp", "scalp", 20.0))
    assert (told["strategy_name"], told["symbol"]) == ("HydraScalp", "BTCUSDT")
    assert told["settings"] == {"signal_active": True}
    assert (told["expires_at"], told["ttl_s"], told["signal"]) == (30_000, 20.0, "scalp")
    ended = json.loads(body(Edge("1000PEPE/USDC:USDC", Change.ENDED), "Mine", "scalp_1m", 120.0))
    assert (ended["symbol"], ended["settings"]) == ("1000PEPEUSDC", {"signal_active": False})
    assert ended["expires_at"] is None


def test_rates_that_are_counted_in_parts_are_those_of_the_whole() -> None:
    bars = random_bars(2000, TEN_SECONDS, volatility=0.0045)
    found = flags(bars, ScalpRules())
    hits = HitCounts()
    for first in range(0, 2000, 70):
        hits.add({name: values[first : first + 70] for name, values in found.items()})
    sentence = hits.sentence(BTC, TEN_SECONDS)
    assert f"of {2000 - 50} bars" in sentence
    expected = np.mean(found["high_natr"][50:])
    assert f"high_natr {100 * expected:.3g} %" in sentence
    assert expected == pytest.approx(hit_rates(bars)["high_natr"], abs=0.02)
    assert HitCounts().sentence(BTC, TEN_SECONDS).endswith("is known with the 50 before it")
    assert [name for name in (*RULES, "signal") if name not in sentence] == []


def test_a_test_before_any_trade_was_kept_says_that_no_bar_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No database yet: the head has no fine bars, and the test goes on."""

    class Plain:
        def _review(self, *_given: object) -> None:
            """Nothing more of a head is needed."""

    class Head(TestedHits, Plain):  # type: ignore[misc]
        rules_in_force = rules = load_rules("HydraScalp", STRATEGIES)
        feeds = frozenset({Feed.CANDLES, Feed.TRADES})

    caplog.set_level(logging.INFO)
    head: Any = object.__new__(Head)
    head._review(BTC, {"1m": random_bars(200, 60_000)}, None)
    assert caplog.messages == [f"{BTC}: no bar of 10 s is known with the 50 before it"]


def test_a_bar_of_which_trades_are_missing_is_not_known() -> None:
    """A hole is no quiet bar: it silences every window that holds it."""
    bars = random_bars(100, TEN_SECONDS)
    assert bars.flow is not None
    covered, missing = np.ones(100), np.zeros(100)
    covered[10], missing[20] = 0.5, 1.0
    torn = only_whole(replace(bars, flow=replace(bars.flow, covered=covered, missing=missing)))
    assert np.flatnonzero(np.isnan(torn.volume)).tolist() == [10, 20]
    unknown = np.flatnonzero(np.isnan(flags(torn, ScalpRules())["signal"]))
    # 30 bars of ranges, and the two closes that growth compares.
    assert unknown.tolist() == [*range(51), 60, 70]
    plain = replace(bars, flow=None)
    assert only_whole(plain) is plain


GOOD = {
    "enabled": True,
    "url": "http://127.0.0.1:3001/update_settings",
    "format": "raw",
    "timeout": 1,
    "retries": 1,
    "allow_custom_messages": True,
    "strategy_msg": {"data": "{msg}"},
}


@pytest.mark.parametrize(
    ("change", "told", "says"),
    [
        ({}, True, None),
        ({"enabled": False}, False, None),
        ({"allow_custom_messages": False}, False, "allow_custom_messages"),
        ({"strategy_msg": None}, False, "strategy_msg"),
        ({"format": "json"}, True, "'json'"),
        ({"strategy_msg": {"data": "x {msg}"}}, True, "another body"),
        ({"timeout": 10}, True, "was 20.1 s"),
    ],
)
def test_a_webhook_that_would_tell_nothing_or_hold_up_the_loop_is_named(
    change: dict[str, object], told: bool, says: str | None
) -> None:
    config = {"webhook": {**GOOD, **change}}
    found = list(complaints(config))
    assert is_told(config) == told
    assert len(found) == (says is not None)
    if says is not None:
        assert says in found[0]


def test_no_webhook_is_no_complaint() -> None:
    assert list(complaints({})) == []
    assert not is_told({})
