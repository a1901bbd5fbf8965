"""Decisions as rows of the ledger, and the newest of them for the callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from hydra_ft.adapter.exits.barriers import NO_BARRIERS, Barriers, barriers_at
from hydra_ft.bars.volatility import volatility_bps
from hydra_ft.store.decisions import DecisionRow
from hydra_ft.types import Bias, EntryState, Regime, Side

if TYPE_CHECKING:
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.types import Bars, FloatArray

SIDES = {1: Side.LONG.value, -1: Side.SHORT.value, 0: ""}


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The newest row of a pair's decisions; ``at`` is the open time of the bar (UTC ms).

    ``close`` is the price that it was decided on, ``volatility_bps`` how far the price
    moves within a second (``bars/volatility.py``). ``barriers`` is what it declared of its
    exits, empty where it enters nothing.
    """

    at: int
    side: int
    exits_long: bool
    exits_short: bool
    close: float = 0.0
    volatility_bps: float = 0.0
    barriers: Barriers = NO_BARRIERS

    def enters(self, side: Side) -> bool:
        """Whether this bar enters on a side."""
        return self.side == side.sign

    def leaves(self, side: Side) -> bool:
        """Whether this bar leaves a position on a side."""
        return self.exits_long if side is Side.LONG else self.exits_short


def last_of(decisions: Decisions, bars: Bars) -> LastDecision | None:
    """Newest row of the decisions on these bars, None when there is no bar at all."""
    if not len(decisions.time):
        return None
    return LastDecision(
        at=int(decisions.time[-1]),
        side=int(decisions.side[-1]),
        exits_long=bool(decisions.exit_long[-1]),
        exits_short=bool(decisions.exit_short[-1]),
        close=float(bars.close[-1]),
        volatility_bps=volatility_bps(bars.close, bars.step_ms),
        barriers=barriers_at(decisions, -1),
    )


def funnel(decisions: Decisions) -> str:
    """How many bars were decided, and how many ended with each first code."""
    counts = decisions.counts()
    reasons = ", ".join(f"{code} {count}" for code, count in counts.items())
    return f"{len(decisions)} bars decided: {reasons}"


def row_of(pair: str, decisions: Decisions, row: int, step_ms: int) -> DecisionRow:
    """One bar of the decisions, as the ledger keeps it."""
    verdict, candidate = decisions.verdict(row), decisions.candidate
    at, chosen = int(decisions.time[row]) + step_ms, int(candidate.signal[row])
    numbers = {name: float(values[row]) for name, values in decisions.numbers.items()}
    return DecisionRow(
        pair=pair,
        at=at,
        until=at,
        bars=1,
        code=verdict.code,
        codes=verdict.codes,
        side=SIDES[int(candidate.side[row])],
        signal=decisions.rules.signals[chosen].name if chosen >= 0 else "",
        confidence=_known(candidate.confidence, row),
        stop=_known(candidate.stop, row),
        target=_known(candidate.target, row),
        regime=Regime(int(decisions.regime[row])).name,
        regime_confidence=_known(decisions.regime_confidence, row),
        bias=Bias(int(decisions.bias[row])).name,
        bias_strength=_known(decisions.bias_strength, row),
        trend=_known(decisions.trend, row),
        entry_state=EntryState(int(decisions.entry_state[row])).name,
        light=decisions.light,
        numbers={name: value for name, value in numbers.items() if isfinite(value)},
    )


def _known(values: FloatArray, row: int) -> float | None:
    value = float(values[row])
    return value if isfinite(value) else None
