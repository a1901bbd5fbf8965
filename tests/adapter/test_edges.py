"""Both edges of the scalper's signal: told once, with a time to live, and never left standing."""

from __future__ import annotations

import functools
import json
import logging
import operator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import START, random_bars
from hypothesis import given
from hypothesis import strategies as st
from signals.test_scalp import TEN_SECONDS, lively

from hydra_ft.adapter.edges.hits import HitCounts, only_whole
from hydra_ft.adapter.edges.states import Change, Edge, SignalStates, body
from hydra_ft.adapter.edges.watch import HOUR_MS, MOST_TOLD, EdgeWatch
from hydra_ft.adapter.edges.webhook import complaints, is_told
from hydra_ft.bars.candles import part
from hydra_ft.errors import StoreError
from hydra_ft.features.scalper import RULES, hit_rates
from hydra_ft.signals.scalp import ScalpRules, flags

if TYPE_CHECKING:
    from hydra_ft.types import Bars

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
TTL = 20_000
QUIET = 150
"""Row of the bar that fires; it closes at ``FIRED``."""
FIRED = START + (QUIET + 1) * TEN_SECONDS


def changes(states: SignalStates, *looks: tuple[int, int, bool]) -> list[Edge | None]:
    return [states.see(BTC, closed, now, fires=fires) for closed, now, fires in looks]


@dataclass
class Tape:
    """Bars of 10 s that close one after another, as a recorder writes them."""

    of: dict[str, Bars]
    now: int = START
    step_ms: int = TEN_SECONDS
    broken: bool = False
    reads: int = 0
    told: list[Edge] = field(default_factory=list)

    def bars(self, pair: str) -> Bars | None:
        self.reads += 1
        if self.broken:
            raise StoreError("expected a database, was none")
        bars = self.of[pair]
        stop = int(np.searchsorted(bars.time + bars.step_ms, self.now, side="right"))
        return part(bars, max(0, stop - 120), stop) if stop else None

    def watch(self) -> EdgeWatch:
        return EdgeWatch(self, ScalpRules, self.told.append)

    def run(self, watch: EdgeWatch, until: int, every: int = 5_000) -> list[tuple[int, Change]]:
        """Look every 5 s; return what was told of BTC since, and when."""
        found = []
        while self.now < until:
            self.now += every
            before = len(self.told)
            watch.look(self.of, self.now)
            found += [(self.now, edge.change) for edge in self.told[before:] if edge.pair == BTC]
        return found


def test_the_first_state_of_a_pair_is_told_whatever_it_is() -> None:
    """F-B1: after a restart the receiver knows nothing."""
    off = SignalStates(TTL).see(BTC, 0, 1000, fires=False)
    on = SignalStates(TTL).see(BTC, 1000, 1001, fires=True)
    assert off == Edge(BTC, Change.ENDED)
    assert on == Edge(BTC, Change.BEGAN, 21_000)


def test_each_edge_is_told_once() -> None:
    """F-B1: the original told only that a signal began."""
    states = SignalStates(TTL)
    told = changes(
        states,
        (10_000, 11_000, False),
        (10_000, 16_000, False),
        (20_000, 21_000, True),
        (20_000, 26_000, True),
        (30_000, 31_000, False),
        (30_000, 36_000, False),
    )
    assert [edge and edge.change for edge in told] == [
        Change.ENDED, None, Change.BEGAN, None, Change.ENDED, None,
    ]  # fmt: skip


def test_a_signal_that_goes_on_is_told_with_its_new_end() -> None:
    states = SignalStates(TTL)
    told = changes(states, (10_000, 11_000, True), (20_000, 21_000, True), (20_000, 26_000, True))
    assert told == [
        Edge(BTC, Change.BEGAN, 30_000),
        Edge(BTC, Change.GOES_ON, 40_000),
        None,
    ]


@pytest.mark.parametrize(("now", "ends"), [(29_999, False), (30_000, True), (90_000, True)])
def test_a_signal_ends_with_its_time_where_the_feed_falls_silent(now: int, ends: bool) -> None:
    states = SignalStates(TTL)
    states.see(BTC, 10_000, 11_000, fires=True)
    edge = states.see(BTC, 10_000, now, fires=True)
    assert (edge == Edge(BTC, Change.ENDED)) == ends


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.integers(0, 40)), max_size=40))
def test_the_receiver_never_believes_what_is_not_so(steps: list[tuple[int, bool, int]]) -> None:
    """Whatever bars come and however late one looks: told is what holds, and no more often."""
    states, now, closed_at, fires = SignalStates(TTL), 0, 0, False
    believed: bool | None = None
    until = 0
    for bar_s, is_quiet, wait_s in steps:
        if bar_s:
            closed_at, fires = now + 1000 * bar_s, is_quiet
        now = max(now, closed_at) + 1000 * wait_s
        edge = states.see(BTC, closed_at, now, fires=fires)
        if edge is not None:
            assert edge.is_active != believed or edge.change is Change.GOES_ON
            believed, until = edge.is_active, edge.expires_at
        assert believed == (fires and now < closed_at + TTL)
        assert not believed or until == closed_at + TTL


def test_what_stands_is_ended_with_the_bot_and_only_that() -> None:
    states = SignalStates(TTL)
    states.see(BTC, 10_000, 11_000, fires=True)
    states.see(ETH, 10_000, 11_000, fires=False)
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


def test_both_edges_of_a_signal_are_seen_bar_by_bar() -> None:
    tape = Tape({BTC: lively((QUIET,))}, now=FIRED - 60_000)
    found = tape.run(tape.watch(), FIRED + 60_000)
    assert found == [
        (FIRED - 55_000, Change.ENDED),
        (FIRED, Change.BEGAN),
        (FIRED + TEN_SECONDS, Change.ENDED),
    ]
    assert tape.told[1].expires_at == FIRED + TTL


def test_a_feed_that_breaks_off_ends_the_signal_when_its_time_is_over() -> None:
    tape = Tape({BTC: lively((QUIET,), n=QUIET + 1)}, now=FIRED - 10_000)
    watch = tape.watch()
    tape.run(watch, FIRED)
    tape.broken = True
    assert tape.run(watch, FIRED + 60_000) == [(FIRED + TTL, Change.ENDED)]


def test_a_restart_in_the_midst_of_a_signal_tells_it_again() -> None:
    tape = Tape({BTC: lively((QUIET,))}, now=FIRED)
    assert tape.run(tape.watch(), FIRED + 5_000) == [(FIRED + 5_000, Change.BEGAN)]
    watch = tape.watch()
    tape.now = FIRED
    assert tape.run(watch, FIRED + 5_000) == [(FIRED + 5_000, Change.BEGAN)]
    assert watch.end() == 1
    assert tape.told[-1].change is Change.ENDED


def test_bars_are_read_only_once_a_new_one_can_be_there() -> None:
    tape = Tape({BTC: lively((), n=300)}, now=START + 1_000_000)
    tape.run(tape.watch(), tape.now + 60_000, every=1_000)
    assert tape.reads == 6 + 1


def test_one_loop_tells_few_and_the_next_begins_with_the_others() -> None:
    """Freqtrade waits for the receiver, so that a dead one must not be asked for every pair."""
    pairs = {f"P{i}/USDT:USDT": lively((), n=300) for i in range(12)}
    tape = Tape(pairs, now=START + 1_000_000)
    watch = tape.watch()
    told = []
    for _ in range(3):
        before = len(tape.told)
        watch.look(pairs, tape.now)
        told.append([edge.pair for edge in tape.told[before:]])
    assert [len(some) for some in told] == [MOST_TOLD, MOST_TOLD, 2]
    assert sorted(functools.reduce(operator.iadd, told, [])) == sorted(pairs)


def test_hit_rates_are_logged_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """F-B5: every bar since the start is counted once, however often one looks."""
    bars = lively((QUIET, 300), n=800)
    tape = Tape({BTC: bars}, now=START + 60 * TEN_SECONDS)
    begun = tape.now
    with caplog.at_level(logging.INFO):
        tape.run(tape.watch(), begun + HOUR_MS + 5_000)
    (line,) = [r.message for r in caplog.records if "bars of 10 s" in r.message]
    assert f"{BTC}: of 360 bars of 10 s low_vol " in line
    times = int(np.sum(flags(bars, ScalpRules())["signal"][60 : 60 + 361]))
    assert line.endswith(f"signal {100 * times / 360:.3g} % ({times})")
    assert times >= 2


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
