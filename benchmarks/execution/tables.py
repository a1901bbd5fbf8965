"""The tables of the page, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.execution.drift import LAGS_S
from benchmarks.execution.intervals import Interval
from benchmarks.execution.methods import MARKET
from benchmarks.execution.rows import REFERENCES
from benchmarks.execution.trial import HORIZONS_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.execution.bench import Result
    from benchmarks.execution.speed import Speed


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Draw a table; the first column is text, the others are figures."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def plain(figure: Interval) -> str:
    """A figure with its interval."""
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def signed(figure: Interval, digits: int = 2) -> str:
    """A difference with its interval, in bold where that excludes zero."""
    text = f"{figure.value:+.{digits}f} ({figure.low:+.{digits}f} to {figure.high:+.{digits}f})"
    return f"**{text}**" if figure.excludes_zero else text


def methods_table(result: Result, market: str) -> str:
    """What each method did in one market."""
    head = (
        "method", "filled at the limit", "seconds, median", "95th percentile", "requotes",
        "maker share", "cost at the limit, mean", "median", "completed, mean", "median",
        "of it fees",
    )  # fmt: skip
    rows = [
        (
            row.method,
            f"{100 * row.filled:.1f} %",
            f"{row.seconds:.0f}",
            f"{row.late_s:.0f}",
            f"{row.requotes:.2f}",
            f"{row.maker_share:.2f}",
            plain(row.cost),
            f"{row.median_bps:.2f}",
            plain(row.completed),
            f"{row.completed_median_bps:.2f}",
            f"{row.fee_bps:.2f}",
        )
        for row in result.methods
        if row.market == market
    ]
    return table(head, rows)


def differences_table(result: Result, market: str, reference: str) -> str:
    """How much more each method cost than a reference in one market."""
    head = (
        "method", "completed, mean", "completed, median", "completed without fees, mean",
        "at the limit, mean", "at the limit, median", "filled at the limit, points",
    )  # fmt: skip
    rows = [
        (
            row.method,
            signed(row.completed),
            signed(row.completed_median),
            signed(row.price),
            signed(row.cost),
            signed(row.cost_median),
            signed(Interval(*(100 * end for end in row.filled)), 1),
        )
        for row in result.differences
        if (row.market, row.reference) == (market, reference) and row.method not in REFERENCES[:1]
    ]
    return table(head, rows)


def trends_table(result: Result) -> str:
    """Extra cost against the market order, by whether the hour ran away from the order."""
    first = result.trends[0]
    head = ("method", f"ran away (n {first.with_n})", f"came (n {first.against_n})")
    rows = [
        (row.method, signed(row.with_trend), signed(row.against_trend)) for row in result.trends
    ]
    return f"Against the {MARKET}, completed, mean, bps:\n\n{table(head, rows)}"


def drifts_table(result: Result) -> str:
    """What passive fills earned and lost."""
    horizons = [f"against it after {horizon} s" for horizon in HORIZONS_S]
    head = ("passive fills of", "fills", "earned", *horizons)
    rows = [
        (row.source, f"{row.fills}", plain(row.earned), *map(plain, row.against))
        for row in result.drifts
    ]
    return table(head, rows)


def roughness_table(result: Result) -> str:
    """How moves of the mid add up."""
    head = ("mid of", *(f"{lag} s" for lag in LAGS_S))
    rows = [
        (row.source, *(f"{ratio:.2f}" for ratio in row.roughness))
        for row in result.drifts
        if row.roughness
    ]
    return table(head, rows)


def speeds_table(speeds: Sequence[Speed]) -> str:
    """Times of a decision, and as a ratio to the yardstick in the first row."""
    head = ("call", "median, us", "99th percentile, us", "median as a ratio")
    rows = [
        (
            speed.name,
            f"{speed.median_us:.1f}",
            f"{speed.p99_us:.1f}",
            f"{speed.median_us / speeds[0].median_us:.1f}",
        )
        for speed in speeds
    ]
    return table(head, rows)
