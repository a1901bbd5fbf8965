"""Scores, regime, bias and fired signals over all pairs of a set, put end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.recorded.dwell import Dwell, dwell, stretches
from benchmarks.recorded.stage_a import LIGHT, frames_of
from benchmarks.recorded.standing import BIAS_SIZE
from hydra_ft.decisions import select
from hydra_ft.decisions.evaluation import evaluate, observe
from hydra_ft.decisions.rules import active_signals
from hydra_ft.market.bias import bias_columns
from hydra_ft.market.regime import regime_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.recorded.sets import RecordedSet
    from hydra_ft.decisions.evaluation import Evaluation
    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import BoolArray, FloatArray, IntArray
    from loopback_exchange import Replay

INPUTS = (
    "efficiency_24",
    "choppiness_14",
    "vol_expansion_20",
    "change_4",
    "change_24",
    "funding_z_168",
)
SIGNED = ("change_4", "change_24", "funding_z_168")
"""Inputs that are looked at by size."""


@dataclass(frozen=True, slots=True)
class Fired:
    """Base bars on which a signal fired where it may, and those that the bias gate removed."""

    name: str
    fired: int
    removed: int

    @property
    def share(self) -> float:
        """Share that was removed, 0..1; NaN without any."""
        return self.removed / self.fired if self.fired else float("nan")


@dataclass(frozen=True, slots=True)
class PairState:
    """One pair: columns and states on market bars, bars that fired by signal and in all."""

    columns: Mapping[str, FloatArray]
    regime: list[IntArray]
    proposal: list[IntArray]
    bias: IntArray
    fired: tuple[Fired, ...]
    base_bars: int


@dataclass(frozen=True, slots=True)
class SetState:
    """All pairs of a set; arrays end to end, shape (bars of all pairs,)."""

    about: RecordedSet
    spans: Mapping[str, tuple[int, int]]
    columns: Mapping[str, FloatArray]
    regime: IntArray
    held: Dwell
    proposed: Dwell
    bias: IntArray
    fired: tuple[Fired, ...]
    base_bars: int


def pair_state(market: Replay, symbol: str, head: HeadRules) -> PairState:
    """Compute what the thresholds are compared with, and what they make of it."""
    seen = observe(frames_of(market, symbol, head), head, LIGHT)
    native = seen.native
    with np.errstate(invalid="ignore", divide="ignore"):
        regime = regime_columns(native, head.regime)
        bias = bias_columns(native, head.bias, LIGHT)
    columns = {_by_size(name): _sized(name, native[name]) for name in INPUTS}
    columns |= {
        "chop score": regime.chop_score,
        "trend score": regime.trend_score,
        "range score": regime.range_score,
        BIAS_SIZE: np.abs(bias.score),
    }
    known = np.isfinite(regime.confidence)
    fired, base_bars = fired_signals(evaluate(seen, head), head)
    return PairState(
        columns=columns,
        regime=stretches(regime.regime, known),
        proposal=stretches(regime.proposal, known),
        bias=bias.bias[~bias.stale],
        fired=fired,
        base_bars=base_bars,
    )


def fired_signals(state: Evaluation, head: HeadRules) -> tuple[tuple[Fired, ...], int]:
    """Count by signal, and at last of any signal, over the base bars on which all is known."""
    found = select.candidates(state, select.entry_state(state)).found
    passes, _ = select.unbiased(state, found)
    market = state.market
    known = np.isfinite(market.regime_confidence + market.bias_strength + market.trend)
    fires, removed = found.fires & known, found.fires & ~passes & known
    rows = []
    for made in active_signals(head, LIGHT):
        own = found.number == head.signals.index(made)
        rows.append(_fired(made.name, fires[own], removed[own]))
    rows.append(_fired("any", fires, removed))
    return tuple(rows), int(known.sum())


def _fired(name: str, fires: BoolArray, removed: BoolArray) -> Fired:
    return Fired(name, int(fires.any(axis=0).sum()), int(removed.any(axis=0).sum()))


def _by_size(name: str) -> str:
    return f"size of {name}" if name in SIGNED else name


def _sized(name: str, values: FloatArray) -> FloatArray:
    return np.abs(values) if name in SIGNED else values


def together(
    about: RecordedSet, spans: Mapping[str, tuple[int, int]], pairs: Sequence[PairState]
) -> SetState:
    """Put the pairs of a set end to end."""
    names = pairs[0].columns
    none = np.empty(0, dtype=np.int64)
    fired = tuple(
        Fired(same[0].name, sum(one.fired for one in same), sum(one.removed for one in same))
        for same in zip(*(pair.fired for pair in pairs), strict=True)
    )
    return SetState(
        about=about,
        spans=spans,
        columns={name: np.concatenate([pair.columns[name] for pair in pairs]) for name in names},
        regime=np.concatenate([none, *(part for pair in pairs for part in pair.regime)]),
        held=dwell(part for pair in pairs for part in pair.regime),
        proposed=dwell(part for pair in pairs for part in pair.proposal),
        bias=np.concatenate([none, *(pair.bias for pair in pairs)]),
        fired=fired,
        base_bars=sum(pair.base_bars for pair in pairs),
    )
