"""The way from evaluated bars to fills, as the ledger of a backtest tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.cli.why.funnel import SignalCount, Stage, signals, stages
from hydra_ft.decisions.reasons import CODES
from hydra_ft.store.decision_row import OK, Tally
from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hydra_ft.decisions.pipeline import Decisions

RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Funnel:
    """Stages and candidates by signal; without a ledger only stage A, and no candidates.

    ``against`` counts the bars that may trade by all that spoke against them: a bar counts
    under each of its reasons, while the stages count it under the first.
    """

    stages: tuple[Stage, ...]
    signals: tuple[SignalCount, ...]
    against: Mapping[str, int] = field(default_factory=dict)

    @property
    def evaluated(self) -> int:
        """Bars that entered the first stage."""
        return self.stages[0].entered

    @property
    def passed(self) -> int:
        """Bars that may trade."""
        return self.stages[0].passed


def funnel_of_ledger(userdir: Path, since: int) -> Funnel | None:
    """Return the funnel of the bars that closed at or after a time (UTC ms).

    None where the backtest wrote no ledger.
    """
    folder = userdir.joinpath(*FOLDER)
    if not (folder / RUN).is_file():
        return None
    ledger = TestedLedger(folder)
    tallies = ledger.tallies(since)
    against: Counter[str] = Counter()
    for row in ledger.since(since):
        if row.code == OK:
            against.update({row.outcome, *row.outcomes})
    return Funnel(stages(tallies), tuple(signals(tallies)), against)


def stops_of_ledger(userdir: Path, step_ms: int) -> Callable[[str, int], float]:
    """Return what finds the stop (fraction of the price) that was decided for an entry.

    It takes a pair and the time of the entry (UTC ms); NaN where no bar decided one.
    """
    ledger = TestedLedger(userdir.joinpath(*FOLDER))

    def stop(pair: str, entered_at: int) -> float:
        at = entered_at // step_ms * step_ms
        row = ledger.covering(pair, at)
        known = row is not None and row.at == at and row.code == OK and row.stop
        return float(known) if known else float("nan")

    return stop


def funnel_of_stage_a(decisions: Iterable[Decisions], window: tuple[int, int]) -> Funnel:
    """Return stage A over the bars that open in a window (UTC ms), of all pairs."""
    first, _ = stages(
        Tally(code, "", "", count) for code, count in counts_within(decisions, window).items()
    )
    return Funnel((first,), ())


def counts_within(decisions: Iterable[Decisions], window: tuple[int, int]) -> Mapping[str, int]:
    """Bars of all pairs in a window by their first code."""
    total = np.zeros(len(CODES), dtype=np.int64)
    for made in decisions:
        rows = (made.time >= window[0]) & (made.time < window[1])
        total += np.bincount(made.code[rows], minlength=len(CODES))
    return {code: int(count) for code, count in zip(CODES, total, strict=True) if count}
