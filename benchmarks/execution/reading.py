"""What the tables support, in sentences that are derived from the rows and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.execution.drift import LAGS_S
from benchmarks.execution.methods import CANDLE, MARKET
from benchmarks.execution.rows import REFERENCES
from benchmarks.execution.windows import MARKETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.execution.bench import Result
    from benchmarks.execution.intervals import Interval
    from benchmarks.execution.rows import DifferenceRow


def supported(result: Result) -> str:
    """List the mean differences whose interval excludes zero, gains and losses alike."""
    lines = [
        _line(result, market, reference, "completed", lambda row: row.completed)
        for reference in REFERENCES
        for market in MARKETS
    ]
    lines.append("")
    lines += [
        _line(result, market, MARKET, "completed without fees", lambda row: row.price)
        for market in MARKETS
    ]
    lines.append("")
    lines += [_filled_line(result, market) for market in MARKETS]
    return "\n".join(lines)


def _line(
    result: Result,
    market: str,
    reference: str,
    measure: str,
    pick: Callable[[DifferenceRow], Interval],
) -> str:
    rows = _rows(result, market, reference)
    cheaper = [f"{r.method} {-pick(r).value:.2f}" for r in rows if pick(r).high < 0]
    dearer = [f"{r.method} {pick(r).value:.2f}" for r in rows if pick(r).low > 0]
    open_ = [r.method for r in rows if not pick(r).excludes_zero]
    return (
        f"- **{market}**, against {reference}, {measure}. Cheaper by (bps): {_listed(cheaper)}. "
        f"**Dearer** by: {_listed(dearer)}. Not told apart: {_listed(open_)}."
    )


def _filled_line(result: Result, market: str) -> str:
    rows = _rows(result, market, CANDLE)
    more = [f"{r.method} {100 * r.filled.value:.1f}" for r in rows if r.filled.low > 0]
    less = [f"{r.method} {-100 * r.filled.value:.1f}" for r in rows if r.filled.high < 0]
    return (
        f"- **{market}**, filled at the limit, against {CANDLE}. More by (points): "
        f"{_listed(more)}. **Less** by: {_listed(less)}."
    )


def _rows(result: Result, market: str, reference: str) -> list[DifferenceRow]:
    return [
        row
        for row in result.differences
        if (row.market, row.reference) == (market, reference) and row.method != MARKET
    ]


def _listed(words: list[str]) -> str:
    return "; ".join(words) or "none"


def intervals_quoted(result: Result) -> int:
    """Count the intervals that ``supported`` looks at: two for each pair of row and reference."""
    return 2 * sum(row.method != MARKET for row in result.differences)


def about_the_market(result: Result) -> str:
    """Say whether the generated market selects against passive fills, and whether it comes back."""
    parts = []
    for row in result.drifts:
        if not row.roughness:
            continue
        last = row.against[-1]
        word = "yes" if last.low > row.earned.high else "not shown"
        ratio = row.roughness[LAGS_S.index(1)]
        parts.append(
            f"- {row.source}: earns {row.earned.value:.2f} bps, loses {last.value:.2f} within 30 s "
            f"(loses more than it earns: {word}); moves over a second are {ratio:.1f} times as "
            "large, in variance per second, as those over a minute."
        )
    return "\n".join(parts)
