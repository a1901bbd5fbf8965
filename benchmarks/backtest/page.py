"""The page that the measurement writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.backtest.exits import ASKED, PARTS, SIZED, STOPS
from benchmarks.backtest.loop import BARE, COLUMN, COLUMNS, ROW, TABLE, VARIANTS
from benchmarks.backtest.tables import judged, table

if TYPE_CHECKING:
    from benchmarks.backtest.bench import Result
    from benchmarks.backtest.exits import Exits, Row

_COUNTED = """\
Counted in `strategy_safe_wrapper`, and the same on every machine. A candle of a trade is one at
which freqtrade looked at its exit; it is one with an order where an order of the trade was placed,
filled, ended or open. There freqtrade asks more than once: about the order, about its price, and
about the stop after a fill."""


def render(result: Result, duration_s: float) -> str:
    """Write the whole page."""
    parts = [
        "# What Hydra adds to freqtrade's own work",
        _opening(result, duration_s),
        "## Goals",
        _goals(result),
        "## Live: one cycle of all pairs",
        _cycle(result),
        "## Backtest: HydraFlow's own trades",
        _own(result),
        "## Backtest: always in a trade",
        _always(result),
        "## Backtest: exits and sizes",
        _exits(result.exits, result.plan.exit_days),
        "## Copies of a trade",
        _COUNTED,
        _copies(result),
        "## Rules",
        _rules(result),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(result: Result, duration_s: float) -> str:
    return f"""\
Written by `make bench-backtest`; do not edit. Everything was measured side by side in one run, in
turns, in CPU time of one process; figures are medians of {result.plan.rounds} rounds, and only
ratios carry over to another machine. The candles are of the embedded exchange's generated market.
The run took {duration_s / 60:.1f} minutes."""


def _goals(result: Result) -> str:
    live, own, always = result.cycle, result.own, result.callbacks
    whole = result.columns.whole_ratio(COLUMNS)
    rows = [
        ("live, HydraFlow's own steps, in cycles of an empty strategy", live.features_ratio, 1.5),
        ("live, whole cycle with HydraFlow, in the same", live.whole_ratio, 2.5),
        ("backtest as columns, always in a trade, in those trades alone", whole, 1.25),
        ("backtest as columns, HydraFlow's own few trades, in the same", own.ratio(COLUMNS), 1.25),
        ("loop with one trade callback, in loops without", always.ratio(TABLE), 3.5),
    ]
    rows += [
        (f"loop with {name}, in loops of the same trades", row.loop_ratio, 3.5)
        for name, row in result.exits.dense.items()
        if name != ASKED
    ]
    rows += [
        ("copies of a trade at a candle without an order, HydraFlow", _quiet(result.exits), 1),
        ("reading the side table, of a callback's cost", always.lookup_share, 0.05),
        ("writing the ledger, of a backtest's time", own.ledger_share, 0.03),
    ]
    return table(
        ("goal", "at most", "measured", "met"),
        [(text, f"{limit:g}", f"{value:.3g}", judged(value, limit)) for text, value, limit in rows],
    )


def _quiet(exits: Exits) -> int:
    """The largest number of copies at a candle without an order, over all that Hydra ships."""
    rows = {**exits.dense, **exits.own}
    return max(row.copies.quiet_most for name, row in rows.items() if name != ASKED)


def _cycle(result: Result) -> str:
    live = result.cycle
    rows = [("empty strategy", f"{live.floor_ms:.2f}", "1.00")]
    rows += [
        (f"HydraFlow, {name}", f"{spent:.2f}", f"{spent / live.floor_ms:.2f}")
        for name, spent in live.steps_ms.items()
    ]
    rows.append(("whole cycle with HydraFlow", f"{live.whole_ms:.2f}", f"{live.whole_ratio:.2f}"))
    return f"""\
{live.pairs} pairs, {live.bars} candles of each of 5m, 1h and 4h, analysed as freqtrade does it at
a new candle, through the twelve candles of an hour. HydraFlow adds {live.columns} columns to the
frame; those of 1h and 4h are computed when such a candle has closed. Neither the ledger nor orders
are in it.

{table(("step", "ms a pair", "ratio"), rows)}"""


def _own(result: Result) -> str:
    own = result.own
    rows = [
        (
            name,
            f"{spent.indicators_s:.3f}",
            f"{spent.loop_s:.3f}",
            f"{spent.loop_s / own.times[BARE].loop_s:.2f}",
            f"{own.ratio(name):.2f}",
        )
        for name, spent in own.times.items()
    ]
    same = "the same trades to the price" if own.same else "**not the same trades**"
    head = ("strategy", "indicators, s", "loop, s", "loop, ratio", "whole, ratio")
    return f"""\
{own.pairs} pairs, {own.candles} candles with the warm-up, {own.trades} trades. The rows
made {same}. HydraFlow was in few of them at a time, so that the
loop had little to do but to look at candles, and every ratio is high for that. What HydraFlow
decided was given to a strategy without indicators and callbacks. Here HydraFlow has no risk policy:
stops, targets and stakes are freqtrade's own.

{table(head, rows)}

Writing the ledger takes {100 * own.ledger_share:.1f} % of a backtest of HydraFlow as it is shipped,
with exits, sizes and its chase."""


def _always(result: Result) -> str:
    always, whole = result.callbacks, result.columns
    base = always.callback_s * 1e6
    rows = [(BARE, f"{always.loop_s[BARE]:.2f}", "1.00", "")]
    rows += [
        (
            name,
            f"{always.loop_s[name]:.2f}",
            f"{always.ratio(name):.2f}",
            f"{100 * always.read_share(name):+.0f} %" if name in (TABLE, COLUMN, ROW) else "",
        )
        for name in VARIANTS
    ]
    head = ("callbacks", "loop, s", "ratio", "reading adds to a callback")
    return f"""\
{whole.trades} trades keep every pair in the market for nearly all of {whole.candles} candles,
warm-up included. {_same(whole.same)} HydraFlow decides on every candle
and is asked about every entry, with these trades put in the place of its own: its loop takes
{whole.ratio(COLUMNS):.2f} of the loop of the trades alone ({whole.loop_s[BARE]:.2f} s), and with
its indicators the whole takes {whole.whole_ratio(COLUMNS):.2f}.

Callbacks, on {always.trades} such trades in {always.candles} candles. {_same(always.same)} The
frame that the last two rows read has {always.columns} feature columns.

{table(head, rows)}

A call of a callback that does nothing costs {base:.0f} us here, nearly all of it freqtrade's copy
of the trade; a look at the side table, timed by itself, {always.lookup_s * 1e6:.2f} us, which is
{100 * always.lookup_share:.2f} % of that. What the loop shows for the table is its noise."""


def _exits(exits: Exits, days: float) -> str:
    head = (
        "exits", "trades", "parts", "loop, s", "the trades alone, s", "loop, ratio", "whole, ratio",
    )  # fmt: skip
    dense, own = exits.dense, exits.own
    adjusting = dense[PARTS].adjusting
    share = adjusting.loop_s / dense[PARTS].alone.loop_s if adjusting else float("nan")
    same = all(row.same for row in {**dense, **own}.values())
    ended = ", ".join(f"{name} {count}" for name, count in dense[STOPS].reasons.items())
    left_out = sum(row.left_out for row in own.values())
    return f"""\
HydraFlow's exits at work: its stop moves, its target is reached, its parts are taken. The trades
alone are the same pairs on the same candles, opened and closed by signals of a strategy without
callbacks; they close at the open of the candle, where a stop closes within it.
{"The candles were the same." if same else "**The candles differ.**"}

Always in a trade, {days:g} days, {exits.dense_candles} candles with the warm-up: a stop at 2 %, a
target at 5 %, a day at most, one entry after the other. The trades of the first row ended by
{ended}. `{SIZED}` asks for every limit and size, and then takes the stake of the others, so that
the trades stay the same.

{table(head, [_exit_row(name, row) for name, row in dense.items()])}

With partial exits freqtrade looks at every position at every candle whether it is to be adjusted;
that alone, with nobody who answers, takes {share:.2f} of the loop of the trades alone. The last row
is what the first would be if freqtrade called both callbacks at every candle, as it does for a
strategy that overrides them, and as it does live.

HydraFlow's own trades, {exits.own_candles} candles with the warm-up, limits and sizes on. It was in
few of them at a time, so that the loop of the trades alone had little to do; most of the rest is
judging entries again and again while their signals stand. {left_out} trades that closed on the
candle on which they opened are left out of the trades alone.

{table(head, [_exit_row(name, row) for name, row in own.items()])}"""


def _exit_row(name: str, row: Row) -> tuple[str, ...]:
    return (
        name,
        str(row.trades),
        str(row.parts),
        f"{row.times.loop_s:.2f}",
        f"{row.alone.loop_s:.2f}",
        f"{row.loop_ratio:.2f}",
        f"{row.whole_ratio:.2f}",
    )


def _same(same: bool) -> str:
    return "The same trades were made." if same else "**The trades differ.**"


def _copies(result: Result) -> str:
    found = [(f"{name} (own trades)", copies) for name, copies in result.own.copies.items()]
    found += [(COLUMNS, result.columns.copies[COLUMNS]), *result.callbacks.copies.items()]
    exits = {**result.exits.dense, **result.exits.own}
    found += [(name, row.copies) for name, row in exits.items()]
    rows = [
        (
            name,
            str(copies.candles),
            str(copies.copies),
            f"{copies.copies / copies.candles:.2f}",
            str(copies.quiet_most),
            str(copies.busy_most),
            str(copies.busy),
        )
        for name, copies in found
    ]
    head = (
        "strategy", "candles of trades", "copies", "copies a candle",
        "most at one without an order", "most at one with an order", "candles with more than one",
    )  # fmt: skip
    return table(head, rows)


def _rules(result: Result) -> str:
    plan = result.plan
    return f"""\
- **Empty strategy.** No indicators, no signals; freqtrade still validates and keeps the frame. Its
  cycle is the floor.
- **Live.** `_analyze_ticker_internal`, pair by pair: first all pairs with the empty strategy, then
  all with HydraFlow. Steps are timed inside the second.
- **Backtest.** From frames in memory to trades: `advise_all_indicators` (HydraFlow reads its
  coarser frames from disk there) and `backtest`. {plan.own_days:g} days of HydraFlow's own trades,
  {plan.columns_days:g} and {plan.callback_days:g} of being always in a trade, stop and target as
  HydraFlow declares them.
- **The trades alone.** The signals of the candles on which HydraFlow's trades open, and its exit
  signals.
- **Always in a trade.** Entries on every candle but every 200th, which is an exit.
- **Callbacks.** The bench's own; they read, and leave stop and target where they are, so that the
  trades stay the same. The one that gives a stop gives one that is never reached.
- **Exits.** HydraFlow with its risk policy; partial exits are 40 % at 0.5 R and at 1 R. In a
  backtest freqtrade is let call a callback only where the stop moves or a part is due, and is told
  the target without a call (`hydra_ft/adapter/exits/tested_exits.py`); a test compares the trades
  with those of callbacks that are called at every candle. Live, the callbacks are plain.
- **Side table.** A numpy array per pair, looked at by pair and candle number."""
