"""The way from evaluated bars to fills, as the ledger of a backtest tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.cli.why.funnel import SignalCount, Stage, signals, stages
from hydra_ft.decisions.reasons import CODES
from hydra_ft.store.decision_row import Tally
from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hydra_ft.decisions.pipeline import Decisions

RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Funnel:
    """Stages and candidates by signal; without a ledger only stage A, and no candidates."""

    stages: tuple[Stage, ...]
    signals: tuple[SignalCount, ...]

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
    tallies = TestedLedger(folder).tallies(since)
    return Funnel(stages(tallies), tuple(signals(tallies)))


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
