"""Frames with every feed, the trades of all of them whole, and what can be torn out of them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from bars.synthetic import MINUTE, random_bars, random_frames, with_made_flow

from hydra_ft.types import Bars, FlowColumns, ValueColumns

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = 1000
Columns = TypeVar("Columns", FlowColumns, ValueColumns)


def flow_frames(days: int, seed: int = 1, volatility: float = 0.0012) -> dict[str, Bars]:
    """The frames of ``random_frames`` with made-up flow on each."""
    frames = random_frames(days, seed, volatility)
    return {timeframe: with_made_flow(bars, seed) for timeframe, bars in frames.items()}


def fine_frames(hours: int, seed: int = 1) -> dict[str, Bars]:
    """Bars of 10 seconds, a minute, an hour and four, which end together."""
    fine = random_bars(hours * 360, 10 * SECOND, seed, 0.0003)
    minute = random_bars(hours * 60, MINUTE, seed + 1, 0.0008)
    coarse = random_frames(20, seed)
    end = int(coarse["1h"].time[-1]) + coarse["1h"].step_ms
    return {
        "10s": ending(fine, end),
        "1m": ending(minute, end),
        "1h": with_made_flow(coarse["1h"], seed),
        "4h": coarse["4h"],
    }


def ending(bars: Bars, at: int) -> Bars:
    """The bars moved in time so that the last one closes then."""
    return replace(bars, time=at - bars.step_ms * np.arange(len(bars), 0, -1))


def torn(bars: Bars, row: int, *, missing: int = 1, covered: float = 1.0) -> Bars:
    """The bars with a hole in the trades of one row, as ``with_flow`` lays it beside them."""
    return replace(
        bars,
        flow=_torn(bars.flow, row, {"missing": float(missing), "covered": covered}),
        value=_torn(bars.value, row, {}),
    )


def _torn(columns: Columns | None, row: int, known: Mapping[str, float]) -> Columns:
    assert columns is not None
    found = {f.name: getattr(columns, f.name).copy() for f in fields(columns)}
    for name, values in found.items():
        values[row] = known.get(name, np.nan)
    return type(columns)(**found)
