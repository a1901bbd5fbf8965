"""The way from evaluated bars to filled entries: what each step stopped, adding up exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_ft.decisions.reasons import FILLED, INDEX, OK, REASONS
from hydra_ft.decisions.wording import PENDING, Facts, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hydra_ft.store.decision_row import Tally

GROUPS = {
    "regime_not_allowed": "the regime does not permit a signal",
    "signal_error": "a signal could not be computed",
}
"""Codes that name a signal are one step of the funnel."""


@dataclass(frozen=True, slots=True)
class Step:
    """A reason, the bars that it stopped as the first one, and the bars left after it."""

    code: str
    text: str
    bars: int
    left: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the bars that entered it, the steps that stopped some, those that passed."""

    name: str
    entered: int
    steps: tuple[Step, ...]
    passed: int

    @property
    def stopped(self) -> int:
        """Bars that a step stopped."""
        return sum(step.bars for step in self.steps)

    @property
    def adds_up(self) -> bool:
        """Whether every bar that entered either passed or was stopped by one first step."""
        return self.entered == self.passed + self.stopped


@dataclass(frozen=True, slots=True)
class SignalCount:
    """A signal: bars on which it was the best candidate, may trade, and was filled."""

    signal: str
    candidates: int
    ok: int
    filled: int


def stages(tallies: Iterable[Tally]) -> tuple[Stage, Stage]:
    """Both stages: evaluations to bars that may trade, and those to fills."""
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    evaluated = asked = 0
    for tally in tallies:
        evaluated += tally.bars
        first[tally.code] += tally.bars
        if tally.code == OK:
            asked += tally.bars
            second[tally.outcome] += tally.bars
    passed, filled = first.pop(OK, 0), second.pop(FILLED, 0)
    return _stage("A", evaluated, first, passed), _stage("B", asked, second, filled)


def signals(tallies: Iterable[Tally]) -> list[SignalCount]:
    """Count candidates by signal, by name."""
    candidates: Counter[str] = Counter()
    ok: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for tally in tallies:
        if tally.signal:
            candidates[tally.signal] += tally.bars
            ok[tally.signal] += tally.bars * (tally.code == OK)
            filled[tally.signal] += tally.bars * (tally.code == OK and tally.outcome == FILLED)
    return [SignalCount(name, candidates[name], ok[name], filled[name]) for name in sorted(ok)]


def _stage(name: str, entered: int, counts: Mapping[str, int], passed: int) -> Stage:
    grouped: Counter[str] = Counter()
    for code in sorted(counts, key=_place):
        group = code.partition(":")[0]
        grouped[group if group in GROUPS else code] += counts[code]
    left, steps = entered, []
    for code, bars in grouped.items():
        left -= bars
        text = GROUPS.get(code) or _text(code)
        steps.append(Step(code, text, bars, left))
    return Stage(name, entered, tuple(steps), passed)


def _place(code: str) -> tuple[int, str]:
    """Order of the pipeline; then codes of other versions, and last what is pending."""
    return (len(INDEX) + (code == PENDING), code) if code not in INDEX else (INDEX[code], code)


def _text(code: str) -> str:
    return REASONS[code].text if code in REASONS else sentence(code, Facts())
