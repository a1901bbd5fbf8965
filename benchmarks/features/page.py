"""The page that the measurement writes."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from benchmarks.features.goals import goals
from benchmarks.features.rolling import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.features.bench import Result


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Draw a table; the first column is text, the others are figures."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def render(result: Result, duration_s: float) -> str:
    """Write the whole page."""
    parts = [
        "# What features cost",
        _opening(result, duration_s),
        "## Goals",
        _goals(result),
        "## A day of trades",
        _days(result),
        "## One new candle",
        _candles(result),
        "## Memory",
        _memory(result),
        "## Rolling profile",
        _rolling(result),
        "## Sixty columns",
        _sixty(result),
        "## Start",
        _start(result),
        "## Rules",
        RULES,
    ]
    return "\n\n".join(parts) + "\n"


def _opening(result: Result, duration_s: float) -> str:
    return f"""\
Written by `make bench-features`; do not edit. Everything was measured side by side in one run, in
CPU time; figures are medians of {result.plan.rounds} rounds (freqtrade's long ones ran once or
twice), and only ratios carry over to another machine. Trades and candles are made up. The run took
{duration_s / 60:.1f} minutes.{_missed(result)}"""


def _missed(result: Result) -> str:
    missed = [goal.text for goal in goals(result) if not goal.met]
    return "\n\n" + fill(f"Missed: {'; '.join(missed)}.", 100) if missed else ""


def _goals(result: Result) -> str:
    rows = [
        (
            goal.text,
            f"{'at least' if goal.at_least else 'at most'} {goal.limit:,g}",
            f"{goal.measured:,.3g}" if goal.measured < 100 else f"{goal.measured:,.0f}",
            "yes" if goal.met else "**no**",
        )
        for goal in goals(result)
    ]
    return table(("goal", "asked", "measured", "met"), rows)


def _days(result: Result) -> str:
    rows = []
    for day in result.days:
        each = (day.freqtrade_s, day.arrays_s, day.frame_s, day.fold_s, day.delta_s, day.read_s)
        figures = [
            f"{1e3 * spent:,.3g}" if spent < 0.1 else f"{1e3 * spent:,.0f}" for spent in each
        ]
        rows.append((f"{day.n:,}", *figures, f"{day.levels:.0f}", "yes" if day.same else "**no**"))
    head = (
        "trades", "freqtrade, ms", "full set, ms", "from its frame, ms", "bars alone, ms",
        "deltas alone, ms", "reading, ms", "levels a candle", "equal",
    )  # fmt: skip
    return f"""\
One pair, 288 candles of 5m, bins of 0.5. The full set: volumes, delta and its extremes, count,
VWAP, ids and gaps, prices, 8,640 sub-bars of ten seconds, the footprint, imbalanced and stacked
levels, point of control and value area. Freqtrade makes bid, ask, delta and its extremes, count,
the footprint, and imbalances by number of trades. Equal: bid, ask, delta, its extremes and the
count agree in all candles to 1e-8.

{table(head, rows)}"""


def _candles(result: Result) -> str:
    rows = [
        (
            f"{c.cached:,}",
            f"{c.new:,}",
            f"{1e3 * c.merge_s:,.0f}",
            f"{1e3 * c.store_s:,.0f}",
            f"{1e3 * c.populate_s:,.0f}",
            f"{1e3 * c.ours_s:.2f}",
            f"{c.freqtrade_s / c.ours_s:,.0f}",
        )
        for c in result.candles
    ]
    head = (
        "cached trades", "new", "freqtrade merges, ms", "stores, ms", "populates, ms",
        "Hydra, ms", "ratio",
    )  # fmt: skip
    return f"""\
Live, when a candle closes: freqtrade merges the new trades with those of the day, writes all of
them to disk again, and populates its candles, of which all but one are in its cache. Hydra folds
the new trades and closes the bar. The new candle has its share of the day's trades, so that both
columns grow with it.

{table(head, rows)}"""


def _memory(result: Result) -> str:
    peak = result.memory
    rows = [
        (name, f"{bytes_ / 1e6:,.0f}", f"{bytes_ / peak.n:,.1f}")
        for name, bytes_ in (("freqtrade", peak.freqtrade), ("Hydra", peak.ours))
    ]
    return f"""\
Growth of the peak over the loaded {peak.n:,} trades, each in a process of its own that had done
the same with few trades before.

{table(("", "MB", "bytes a trade"), rows)}"""


def _rolling(result: Result) -> str:
    rows = [
        (
            f"{r.bars:,}",
            f"{r.window:,}",
            f"{r.rolled_us:.2f}",
            f"{r.rebuilt_us:.1f}",
            f"{r.numpy_us:,.0f}",
            f"{r.python_us:,.0f}",
            "yes" if r.same else "**no**",
        )
        for r in (*result.windows, *result.lengths[1:])
    ]
    head = (
        "bars", "window", "rolled, us a bar", "rebuilt, compiled", "rebuilt, numpy",
        "rebuilt, Python", "equal",
    )  # fmt: skip
    return f"""\
Point of control and value area over the last {", ".join(str(w) for w in WINDOWS)} bars, each with
volume on about a dozen bins.

{table(head, rows)}"""


def _sixty(result: Result) -> str:
    live, twins, flow = result.live, result.sixty, result.live.flow
    rows = [
        ("empty strategy", f"{live.floor_ms:.2f}", "1.00"),
        ("with sixty columns", f"{live.sixty_ms:.2f}", f"{live.whole_ratio:.2f}"),
        ("all their values anew", f"{live.anew_ms:.2f}", f"{live.anew_ms / live.floor_ms:.2f}"),
        ("empty strategy, again", f"{flow.floor_ms:.2f}", "1.00"),
        *(
            (f"HydraFlow, {name}", f"{spent:.2f}", f"{spent / flow.floor_ms:.2f}")
            for name, spent in flow.steps_ms.items()
        ),
        ("whole cycle with HydraFlow", f"{flow.whole_ms:.2f}", f"{flow.whole_ratio:.2f}"),
    ]
    return f"""\
{twins.columns} features on {twins.candles:,} candles of 5m: {1e3 * twins.ours_s:.2f} ms from frame
to frame, {1e3 * twins.twin_s:.1f} ms as strategies usually compute them (talib.abstract, pandas,
one column of the frame after the other). Greatest difference of two values, of 1 or of their size:
{twins.difference:.1e}.

Live, {flow.pairs} pairs, {flow.bars:,} candles, through freqtrade's analysis at a new candle.
Values of the candles before it are carried on, as in every head; anew, all are computed each time.
HydraFlow adds {flow.columns} columns on three timeframes, and decides; its figures are means
through an hour of candles.

{table(("cycle", "ms a pair", "ratio"), rows)}"""


def _start(result: Result) -> str:
    found = result.start
    rows = [
        ("`import freqtrade.freqtradebot`", f"{found.freqtrade_s:.2f}"),
        ("the same, a head, every kernel loaded", f"{found.hydra_s:.2f}"),
        (f"`hydra dev warmup` from nothing, {found.kernels} kernels", f"{found.cold_s:.1f}"),
    ]
    return table(("process", "CPU, s"), rows)


RULES = """\
- **Compiled before.** Kernels are compiled once, by `hydra dev warmup`; no figure holds that.
- **Reading.** One compiled loop over time, price, quantity and side, 25 bytes a trade: what memory
  allows at best. The fold reads ids besides, proves that they follow, checks that every price and
  quantity is on its grid, and puts each trade into a level.
- **Deltas alone.** Volumes, delta, its extremes and the count of each bar, to the lot those of the
  flow bars; order of time and the grid of quantities are checked, ids and prices not read. A loop
  of the benchmark's own: the product always makes the full bars.
- **From its frame.** Ids and sides are strings there; they are read from their bytes.
- **Live.** `Exchange._process_trades_df`, `FeatherDataHandler.trades_store` and
  `populate_dataframe_with_trades`, as they are called when `use_public_trades` is on; the better
  of two runs.
- **Rebuilt.** Compiled: the same rules over the bars of each window, from nothing. Numpy adds up
  with `bincount`, Python with a dictionary; both then look for the value area row by row."""
