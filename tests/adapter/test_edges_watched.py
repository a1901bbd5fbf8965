"""The scalper's signal as it is watched: bar by bar, for every pair, and never left standing."""

from __future__ import annotations

import functools
import logging
import operator
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import START
from signals.test_scalp import TEN_SECONDS, lively

from hydra_ft.adapter.edges.live_edges import LiveEdges
from hydra_ft.adapter.edges.states import Change, Edge
from hydra_ft.adapter.edges.watch import HOUR_MS, MOST_TOLD, EdgeWatch
from hydra_ft.adapter.trades import to_ms
from hydra_ft.bars.candles import part
from hydra_ft.errors import StoreError
from hydra_ft.features.registry import FEATURES
from hydra_ft.signals.scalp import PRIOR, READ, ScalpRules, flags, holds

if TYPE_CHECKING:
    from hydra_ft.types import Bars

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
TTL = 20_000
QUIET = 150
"""Row of the bar that fires; it closes at ``FIRED``."""
FIRED = START + (QUIET + 1) * TEN_SECONDS


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


def test_both_edges_of_a_signal_are_seen_bar_by_bar() -> None:
    tape = Tape({BTC: lively((QUIET,))}, now=FIRED - 60_000)
    found = tape.run(tape.watch(), FIRED + 60_000)
    assert found == [
        (FIRED - 55_000, Change.ENDED),
        (FIRED, Change.BEGAN),
        (FIRED + TTL, Change.ENDED),
    ]
    assert tape.told[1].expires_at == FIRED + TTL


@pytest.mark.parametrize("every", [10_000, 5_000])
def test_the_receiver_believes_what_the_head_goes_by(every: int) -> None:
    """P3: off was told while HydraScalp still entered on the bar before."""
    bars = lively((QUIET, QUIET + 40, QUIET + 80), n=QUIET + 90)
    columns = {name: FEATURES[name](bars) for name in (*READ, *PRIOR)}
    expected = holds(columns, READ, ScalpRules()) | holds(columns, PRIOR, ScalpRules())
    tape = Tape({BTC: bars}, now=FIRED - 60_000)
    watch = tape.watch()
    found = []
    for row in range(QUIET - 5, len(bars)):
        tape.run(watch, int(bars.time[row]) + TEN_SECONDS, every)
        found.append(tape.told[-1].is_active)
    assert found == expected[QUIET - 5 :].tolist()
    assert sum(found) == 2 * 3


def test_a_signal_is_told_by_a_loop_that_comes_a_bar_late() -> None:
    """Loops of 15 s: a further bar has closed since, but the signal still lives."""
    tape = Tape({BTC: lively((QUIET,))}, now=FIRED - 33_000)
    assert tape.run(tape.watch(), FIRED + 40_000, every=15_000) == [
        (FIRED - 18_000, Change.ENDED),
        (FIRED + 12_000, Change.BEGAN),
        (FIRED + 27_000, Change.ENDED),
    ]


def test_a_bar_that_is_not_known_ends_the_signal_of_the_one_before() -> None:
    """The head does not enter there either: it needs the newest bar."""
    bars = lively((QUIET,))
    volume = bars.volume.copy()
    volume[QUIET + 1] = np.nan
    tape = Tape({BTC: replace(bars, volume=volume)}, now=FIRED - 5_000)
    assert tape.run(tape.watch(), FIRED + 60_000) == [
        (FIRED, Change.BEGAN),
        (FIRED + TEN_SECONDS, Change.ENDED),
    ]


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


def test_a_signal_is_ended_when_its_pair_leaves_the_whitelist() -> None:
    """Nobody looks at the pair from then on; one that comes back is told anew."""
    bars = lively((QUIET,))
    tape = Tape({BTC: bars, ETH: bars}, now=FIRED - TEN_SECONDS)
    watch = tape.watch()
    tape.run(watch, FIRED)
    told = len(tape.told)
    for _ in range(3):
        watch.look([ETH], tape.now)
    assert tape.told[told:] == [Edge(BTC, Change.ENDED)]
    watch.look([BTC, ETH], tape.now)
    assert tape.told[told + 1 :] == [Edge(BTC, Change.BEGAN, FIRED + TTL)]


def test_a_whitelist_that_is_empty_for_a_loop_ends_nothing() -> None:
    """It is a pairlist that failed; the time of a signal is over all the same."""
    tape = Tape({BTC: lively((QUIET,))}, now=FIRED)
    watch = tape.watch()
    watch.look([BTC], FIRED)
    assert tape.told[-1] == Edge(BTC, Change.BEGAN, FIRED + TTL)
    told = len(tape.told)
    watch.look([], FIRED + 1_000)
    watch.look([BTC], FIRED + 2_000)
    assert tape.told[told:] == []
    tape.now = FIRED + TTL
    watch.look([], FIRED + TTL)
    assert tape.told[told:] == [Edge(BTC, Change.ENDED)]


def test_a_whitelist_of_others_ends_few_in_one_loop_and_the_rest_in_the_next() -> None:
    pairs = {f"P{i}/USDT:USDT": lively((QUIET,)) for i in range(13)}
    stays = "P12/USDT:USDT"
    tape = Tape(pairs, now=FIRED)
    watch = tape.watch()
    for _ in range(3):
        watch.look(pairs, FIRED)
    counts = []
    for _ in range(4):
        before = len(tape.told)
        watch.look([stays], FIRED)
        counts.append(len(tape.told) - before)
    assert counts == [MOST_TOLD, MOST_TOLD, 2, 0]
    assert {edge.pair for edge in tape.told[13:] if not edge.is_active} == {*pairs} - {stays}


def test_a_loop_that_waited_looks_by_the_time_after_it() -> None:
    """A signal that has passed while the loop waited for trades is none to be told."""
    seen: list[int] = []

    class Waits:
        def bot_loop_start(self, **_: object) -> None:
            time.sleep(0.05)

    class Bot(LiveEdges, Waits):
        def _look_at_edges(self, now: int) -> None:
            seen.append(now)

    begun = datetime.now(UTC)
    Bot().bot_loop_start(current_time=begun)
    assert seen[0] - to_ms(begun) >= 50


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
