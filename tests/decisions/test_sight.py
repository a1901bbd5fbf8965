"""A signal that looks back further than it declares is found out, and decided as in a test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from decisions.test_newest import FIRST, PLAIN, RULES, SIZE, Counted, counted, window

from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.newest import NewestFirst, context_bars
from hydra_ft.decisions.pipeline import judge
from hydra_ft.decisions.sight import Sight
from hydra_ft.signals.registry import SignalColumns
from hydra_ft.types import Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import FloatArray

__all__ = ["counted"]

BACK = 30
BARS = 60


def breakout(columns: Mapping[str, FloatArray], *_: object) -> SignalColumns:
    """Above the closes of 30 bars before."""
    close = columns["close_5m"]
    highest = [close[i - BACK : i].max() if i >= BACK else np.nan for i in range(len(close))]
    up, one = close > np.array(highest), np.full(len(close), 0.9)
    far = one * 0.04
    return SignalColumns(up, np.zeros(len(close), bool), (one, one), (far / 4, far / 4), (far, far))


def head(memory_bars: int) -> HeadRules:
    made = replace(
        RULES.signals[1],
        detect=breakout,
        needs=("close_5m",),
        uses=(),
        memory_bars=memory_bars,
        trend_following=False,
        regimes=(Regime.UP, Regime.RANGING, Regime.DOWN),
    )
    return replace(RULES, signals=(made,))


def differing(memory: NewestFirst, rules: HeadRules, rows: range) -> list[int]:
    """Bars, one after the other, on which the bot decides otherwise than a test."""
    found = []
    for row in rows:
        frames = window(row)
        made = memory.judge(observe(frames, rules, PLAIN, memory), rules)
        fresh = judge(observe(frames, rules, PLAIN), rules)
        if made.candidate.side[-1] != fresh.candidate.side[-1]:
            found.append(row)
    return found


def test_an_undeclared_look_back_is_found_told_of_once_and_no_more_continued(
    counted: Counted,
) -> None:
    sight, rules = Sight(), head(0)
    assert differing(NewestFirst(), replace(rules), range(FIRST, FIRST + BARS))
    for row in range(FIRST, FIRST + BARS):
        differing(NewestFirst(sight), rules, range(row, row + 1))
        if not sight.reaches(rules):
            break
    assert not sight.reaches(rules)
    news = sight.news()
    assert news.startswith("a decision looks back at more bars than is declared")
    assert rules.signals[0].name in news
    assert sight.news() == ""
    counted.bars.clear()
    # Another pair of the same bot.
    assert differing(NewestFirst(sight), rules, range(FIRST, FIRST + BARS)) == []
    assert set(counted.bars) == {SIZE}


def test_a_declared_look_back_is_continued(counted: Counted) -> None:
    sight = Sight()
    assert differing(NewestFirst(sight), head(BACK), range(FIRST, FIRST + BARS)) == []
    assert sight.news() == ""
    assert counted.bars.count(1 + BACK) > BARS / 2


def test_the_signals_of_the_shipped_head_reach_no_further_than_they_say() -> None:
    for feeds in (PLAIN, RULES.feeds):
        sight = Sight()
        for row in range(FIRST, FIRST + 600, 40):
            memory = NewestFirst()
            seen = observe(window(row), RULES, feeds, memory)
            made = memory.judge(seen, RULES)
            sight.try_on(seen, RULES, memory, made, context_bars(RULES, feeds))
            assert sight.reaches(RULES)
