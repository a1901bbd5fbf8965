"""Columns of a backtest as the rows of the ledger: equal neighbours joined, as they are live."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.store.decision_row import OK, DecisionRow
from hydra_ft.store.tested_file import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDED = ("code", "failing", "signal", "regime", "bias", "entry_state")
COMPARED = (*WORDED, "side", "light")
FLOATS = ("confidence", "stop", "target", "regime_confidence", "bias_strength", "trend")
_SIDES = ("", "long", "short")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stage B made of a bar that may trade."""

    outcome: str
    outcomes: tuple[str, ...] = ()
    detail: str = ""


def of_bars(columns: Columns, start: int = 0, end: int | None = None) -> Columns:
    """Return the bars that closed from start to end (UTC ms), both included."""
    at = columns.values["at"]
    low = int(np.searchsorted(at, start))
    high = len(at) if end is None else int(np.searchsorted(at, end, side="right"))
    cut = {name: values[low:high] for name, values in columns.values.items()}
    return Columns(cut, columns.words)


def joined(pair: str, columns: Columns, outcomes: Mapping[int, Outcome]) -> list[DecisionRow]:
    """Rows of a pair's bars, oldest first; bars that may trade have a row each."""
    starts, ends = _spans(columns)
    return [
        _row(pair, columns, first, past, outcomes)
        for first, past in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def covering(
    pair: str, columns: Columns, outcomes: Mapping[int, Outcome], at: int
) -> DecisionRow | None:
    """Row that stands for a time (UTC ms), else the last one before it."""
    bar = int(np.searchsorted(columns.values["at"], at, side="right")) - 1
    if bar < 0:
        return None
    starts, ends = _spans(columns)
    span = int(np.searchsorted(starts, bar, side="right")) - 1
    return _row(pair, columns, int(starts[span]), int(ends[span]), outcomes)


def _spans(columns: Columns) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """First bar of each row, and the bar after its last."""
    n = len(columns)
    differs = _code(columns) == OK
    differs[:1] = True
    for name in COMPARED:
        values = columns.values.get(name)
        if values is not None:
            differs[1:] |= values[1:] != values[:-1]
    starts = np.flatnonzero(differs)
    return starts, np.append(starts[1:], n)[: len(starts)]


def tallied(columns: Columns, outcomes: Mapping[int, Outcome]) -> Counter[tuple[str, str, str]]:
    """Count bars by code, outcome and signal."""
    found: Counter[tuple[str, str, str]] = Counter()
    if not len(columns):
        return found
    code = columns.values["code"].astype(np.int64)
    signal = columns.values.get("signal", np.full(len(columns), -1)).astype(np.int64)
    blocked = _code(columns) != OK
    pairs, bars = np.unique(np.stack([code, signal])[:, blocked], axis=1, return_counts=True)
    for (i, j), count in zip(pairs.T.tolist(), bars.tolist(), strict=True):
        found[columns.words["code"][i], "", _signal(columns, j)] += count
    at = columns.values["at"]
    for row in np.flatnonzero(~blocked).tolist():
        became = outcomes.get(int(at[row]), Outcome(""))
        found[OK, became.outcome, _signal(columns, int(signal[row]))] += 1
    return found


def _code(columns: Columns) -> np.ndarray[Any, Any]:
    code: np.ndarray[Any, Any] = np.asarray(columns.words["code"])[columns.values["code"]]
    return code


def _signal(columns: Columns, index: int) -> str:
    return columns.words["signal"][index] if index >= 0 else ""


def _row(
    pair: str, columns: Columns, first: int, past: int, outcomes: Mapping[int, Outcome]
) -> DecisionRow:
    values, words = columns.values, columns.words
    at = int(values["at"][first])
    told: dict[str, Any] = {
        name: words[name][int(values[name][first])] for name in WORDED if name in values
    }
    failing = told.pop("failing", "")
    if "signal" in told:
        told["signal"] = _signal(columns, int(values["signal"][first]))
    numbers = {
        name: float(column[first])
        for name, column in values.items()
        if name not in COMPARED and name != "at" and isfinite(column[first])
    }
    known: dict[str, Any] = {name: numbers.pop(name, None) for name in FLOATS}
    became = outcomes.get(at, Outcome(""))
    return DecisionRow(
        pair=pair,
        at=at,
        until=int(values["at"][past - 1]),
        bars=past - first,
        codes=tuple(failing.split(",")) if failing else (),
        side=_SIDES[int(values["side"][first])] if "side" in values else "",
        light=bool(values["light"][first]) if "light" in values else False,
        numbers=numbers,
        outcome=became.outcome,
        outcomes=became.outcomes,
        detail=became.detail,
        **told,
        **known,
    )
