"""Whether the decision on a bar looks back no further than its head declares."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hydra_ft.bars.candles import part
from hydra_ft.decisions.evaluation import Frame, Memory, Observation
from hydra_ft.decisions.pipeline import Decisions, judge

if TYPE_CHECKING:
    from hydra_ft.decisions.rules import HeadRules

TRIED_BARS: Final = 48
"""Newest bars on which it is tried, or so many times as many."""
STRIDES: Final = 8
"""Only the first of the bars that are decided alone see less than they would: each try begins
elsewhere, up to so many times as far back."""
WHOLE: Final = frozenset(
    {"rules", "time", "failing", "candidate", "light", "errors", "columns", "numbers"}
)
"""Fields of decisions that are not one value a bar, or are told of otherwise."""
ROWS: Final = tuple(item.name for item in fields(Decisions) if item.name not in WHOLE)
"""Fields of decisions that are one value a bar."""


class Sight:
    """What is known of that; the memories of all pairs of a bot share it.

    A signal that compares with forty bars ago and declares no ``memory_bars`` is right where
    all bars are decided together, and wrong, without a word, where the newest are decided alone.
    """

    def __init__(self) -> None:
        self._too_far: HeadRules | None = None
        self._is_told = False
        self._tries = 0

    def reaches(self, rules: HeadRules) -> bool:
        """Whether the newest bars may be decided alone, as far as was seen."""
        return self._too_far is not rules

    def try_on(
        self, seen: Observation, rules: HeadRules, memory: Memory, made: Decisions, context: int
    ) -> None:
        """Decide the newest bars of ``made``, which was decided whole, alone, and compare."""
        if made.errors or not self.reaches(rules):
            return
        bars = TRIED_BARS * (1 + self._tries % STRIDES)
        self._tries += 1
        if len(made) <= bars + context:
            return
        alone = judge(tail(seen, bars + context), rules, memory)
        pairs = [(getattr(made, name), getattr(alone, name)) for name in ROWS]
        pairs += zip(_values(made.candidate), _values(alone.candidate), strict=True)
        if not all(_are_alike(one[-bars:], other[-bars:]) for one, other in pairs):
            self._too_far = rules

    def news(self) -> str:
        """What a user should be told, once; empty where there is nothing."""
        if self._too_far is None or self._is_told:
            return ""
        self._is_told = True
        names = ", ".join(made.name for made in self._too_far.signals)
        return (
            "a decision looks back at more bars than is declared, so each is made with all bars "
            f"before it, which takes longer: expected memory_bars of each signal ({names}) to be "
            "the number of base bars before its own that it reads"
        )


def tail(seen: Observation, n: int) -> Observation:
    """The last rows of what was observed; the bars of the frames stay whole."""
    return replace(
        seen,
        base=part(seen.base, -n, None),
        close=seen.close[-n:],
        frames={
            timeframe: Frame(frame.bars, frame.rows[-n:], frame.features)
            for timeframe, frame in seen.frames.items()
        },
        features={key: values[-n:] for key, values in seen.features.items()},
        columns={key: values[-n:] for key, values in seen.columns.items()},
    )


def _values(choice: Any) -> list[Any]:
    return [getattr(choice, item.name) for item in fields(choice)]


def _are_alike(one: Any, other: Any) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
