"""Decisions of a bot that trades: the newest bars are decided, those before stand as they were.

A bot meets one new bar a pair each time. What is decided on it depends on its own row of the
columns and on a few rows before; a thousand rows decided along with it are only looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.decisions.evaluation import Memory, Observation, scores_of
from hydra_ft.decisions.exits import market_bars
from hydra_ft.decisions.pipeline import Decisions, judge, numbers_of
from hydra_ft.decisions.reasons import CODES
from hydra_ft.decisions.rules import active_signals, needed_features
from hydra_ft.decisions.select import Choice
from hydra_ft.decisions.sight import ROWS, Sight, tail
from hydra_ft.features.drift import Drift, longest_lookback
from hydra_ft.market.regime import lookback

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import Feed

MOST_NEW = 48
"""New bars up to which those before stand; after a longer pause all are decided again."""
MOST_MOVES = 8
"""Coarse bars that may be added meanwhile."""


def context_bars(rules: HeadRules, feeds: Collection[Feed]) -> int:
    """Base bars before a bar that its decision looks at: turns, stretches, signals."""
    memories = (made.memory_bars for made in active_signals(rules, feeds))
    stretches = (rules.flow_exits.fast_bars, rules.flow_exits.slow_bars)
    return max(market_bars(rules), *stretches, *memories)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What was decided last; columns and numbers are left out, failing steps are bits.

    ``coarse`` is, by timeframe, the version of the columns of a coarse frame, and when its bar
    opened that was known at the last base bar; ``moves`` how often such a frame has moved on since
    all bars were decided.
    """

    feeds: tuple[Feed, ...]
    coarse: Mapping[str, tuple[int, int]]
    moves: int
    decisions: Decisions
    failing: Any


class NewestFirst(Memory):
    """A memory of one pair that also keeps what was decided on it.

    The bars before the newest keep their decisions for as long as rules and feeds are the same,
    and coarse bars are only added to: what such a bar knew of them has not changed then. After
    ``MOST_MOVES`` of these all are decided again, so that ``sight`` can try: where it finds that a
    decision looks back further than is declared, all are decided each time.
    """

    def __init__(self, sight: Sight | None = None, drift: Drift | None = None) -> None:
        super().__init__(drift or Drift())
        self._sight = sight or Sight()
        self._decided: _Decided | None = None
        self._moves = 0

    def judge(self, seen: Observation, rules: HeadRules) -> Decisions:
        """Decide on what this memory has observed last, as ``pipeline.judge`` does."""
        made = self._continued(seen, rules)
        if made is None:
            self._moves = 0
            made = judge(seen, rules, self)
            self._sight.try_on(seen, rules, self, made, context_bars(rules, seen.feeds))
        if not len(made) or made.errors:
            # A signal that could not be computed is off on all bars that are decided at once.
            self._decided = None
            return made
        bits = np.packbits(made.failing, axis=1)
        lean = replace(made, columns={}, numbers={}, failing=made.failing[:0].copy())
        coarse = {timeframe: self._known(seen, timeframe, -1) for timeframe in _coarse(rules)}
        self._decided = _Decided(seen.feeds, coarse, self._moves, lean, bits)
        return made

    def _known(self, seen: Observation, timeframe: str, row: int) -> tuple[int, int]:
        """Version of the columns of a frame, and the open of its bar known at a base bar, or -1."""
        frame = seen.frames[timeframe]
        at = int(frame.rows[row])
        return self.frame(timeframe).version, int(frame.bars.time[at]) if at >= 0 else -1

    def _stands(self, seen: Observation, last: _Decided, stay: int) -> bool:
        """Whether coarse frames say of the bars that stay what they did; counts their moves."""
        rules, self._moves = last.decisions.rules, last.moves
        for timeframe, before in last.coarse.items():
            if self.frame(timeframe).version == before[0]:
                continue
            self._moves += 1
            is_whole = self.frame(timeframe).whole_since > before[0]
            is_warm = seen.frames[timeframe].rows[0] >= _lookback(rules, seen.feeds, timeframe)
            same_bar = self._known(seen, timeframe, stay - 1)[1] == before[1]
            if is_whole or not is_warm or not same_bar:
                return False
        return self._moves <= MOST_MOVES

    def _continued(self, seen: Observation, rules: HeadRules) -> Decisions | None:
        """Decide the new bars alone; None where that is not enough."""
        last = self._decided
        if last is None or last.decisions.rules is not rules or last.feeds != seen.feeds:
            return None
        if not self._sight.reaches(rules):
            return None
        time, before = seen.base.time, last.decisions.time
        stay = int(np.searchsorted(time, before[-1], side="right"))
        new, context = time.shape[0] - stay, context_bars(rules, seen.feeds)
        if not 0 < new <= MOST_NEW or not context < stay <= before.shape[0]:
            return None
        if not np.array_equal(time[:stay], before[-stay:]) or not self._stands(seen, last, stay):
            return None
        newest = judge(tail(seen, new + context), rules, self)
        return None if newest.errors else self._joined(seen, last, newest, new)

    def _joined(self, seen: Observation, last: _Decided, newest: Decisions, new: int) -> Decisions:
        """The decisions of before, for as many bars as are left of them, and the new ones."""
        before, stay = last.decisions, len(seen.base) - new
        rules = before.rules
        failing = np.unpackbits(last.failing[-stay:], axis=1, count=len(CODES)).view(np.bool_)
        candidate = Choice(
            *(
                _with_new(
                    getattr(before.candidate, f.name), getattr(newest.candidate, f.name), stay, new
                )
                for f in fields(Choice)
            )
        )
        rows: dict[str, Any] = {
            name: _with_new(getattr(before, name), getattr(newest, name), stay, new)
            for name in ROWS
        }
        scores = scores_of(seen, rules, self)
        with np.errstate(invalid="ignore", divide="ignore"):
            numbers = numbers_of(seen, rules, scores, rows["bias_score"], candidate)
        return replace(
            newest,
            time=seen.base.time,
            failing=np.concatenate((failing, newest.failing[-new:])),
            candidate=candidate,
            columns=seen.features,
            numbers=numbers,
            **rows,
        )


def _coarse(rules: HeadRules) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for t in (rules.market, rules.structure) if t != rules.base))


def _lookback(rules: HeadRules, feeds: Collection[Feed], timeframe: str) -> int:
    """Bars of a coarse frame that decide with a base bar, before the one that is known there."""
    longest = longest_lookback(needed_features(rules, feeds)[timeframe])
    return max(longest, lookback(rules.regime)) if timeframe == rules.market else longest


def _with_new(before: Any, newest: Any, stay: int, new: int) -> Any:
    return np.concatenate((before[-stay:], newest[-new:]))
