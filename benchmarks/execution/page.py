"""The page that the measurement writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.execution.desk import CANCEL_MS, PLACE_MS
from benchmarks.execution.intervals import RESAMPLES
from benchmarks.execution.methods import CANDLE, LIMIT_S, MARKET, STATIC
from benchmarks.execution.reading import about_the_market, intervals_quoted, supported
from benchmarks.execution.recorded import VARIABLE
from benchmarks.execution.tables import (
    differences_table,
    drifts_table,
    methods_table,
    roughness_table,
    speeds_table,
    trends_table,
)
from benchmarks.execution.windows import LATE_MS, MARKETS, SIZES, TREND_EFFICIENCY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.execution.bench import Result
    from benchmarks.execution.speed import Speed

_TREND = """\
Trending hours, split by whether the hour went the way of the order (known only afterwards: no bot
can choose by it)."""
_SPEED = """\
The clock's own time is included; the budget is 50 us. Making a quote is the yardstick of the same
run: only the ratios carry over to another machine."""


def render(result: Result, speeds: Sequence[Speed], duration_s: float) -> str:
    """Write the whole page."""
    parts = [
        "# What executing an order costs",
        _opening(result, duration_s),
        "## What the tables support",
        _support(result),
        "## Figures",
        *(_market_part(result, market) for market in MARKETS),
        "## Where chasing loses: the market that runs away, and the one that comes",
        _TREND,
        trends_table(result),
        "## Is the generated market like a real one?",
        _realism(result),
        "## Rules",
        _rules(result),
        "## How long a decision takes",
        _SPEED,
        speeds_table(speeds),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(result: Result, duration_s: float) -> str:
    plan = result.plan
    return f"""\
Written by `make bench-execution`; do not edit. The same {plan.count} parent orders in each of three
kinds of market are executed by each method on the embedded exchange, by its own book, tape, queue
and fees (maker 2 bps, taker 5 bps). Costs are implementation shortfall in bps of the parent at the
price of the decision; positive is a cost. Intervals are 95 %.

Seed {plan.seed} (windows), {plan.market_seed} (market), {plan.count} parents a market,
{len(result.methods) // len(MARKETS)} methods; {duration_s / 60:.1f} minutes on two processes.

**The market is generated.** The tables say what these methods do in it, and nothing about profit
anywhere. How far it is like a real one is measured below."""


def _support(result: Result) -> str:
    return f"""\
Mean differences on the same parents; named is only what an interval that excludes zero supports.
{intervals_quoted(result)} intervals are looked at, so chance alone puts about
{intervals_quoted(result) / 40:.0f} of them on the cheaper and as many on the dearer side.

{supported(result)}

Taking costs 3 bps more in fees than resting here. Where a method is cheaper than the market order,
but not without fees, it saved by the fee and not by the price; where it is dearer without fees, it
would lose wherever maker and taker pay the same."""


def _market_part(result: Result, market: str) -> str:
    return f"""\
### {market}

{methods_table(result, market)}

Difference to the {MARKET} on the same parents (bps; negative is cheaper; bold where the interval
excludes zero):

{differences_table(result, market, MARKET)}

Difference to re-pricing {CANDLE}:

{differences_table(result, market, CANDLE)}"""


def _realism(result: Result) -> str:
    recorded = any(row.source.startswith("recorded") for row in result.drifts)
    missing = (
        ""
        if recorded
        else f"\n\nThe recorded rows are missing: `{VARIABLE}` was not set in this run."
    )
    return f"""\
A passive fill earns the mid just before it less its own price, and then the mid moves: what it
moves against the fill is adverse selection. Each trade that reaches the touch counts as the fill of
who rested there first; the rows of this bench are the fills that a method really got.
The recorded tapes are six minutes and two hours of one pair: they illustrate, and prove nothing.
The older one has no book; its quotes are inferred from its trades.

{drifts_table(result)}{missing}

Variance per second of moves of the mid over a lag, as a ratio to that over a minute. A random walk
has 1 everywhere; more at short lags means that moves are taken back within the minute.

{roughness_table(result)}

{about_the_market(result)}

What that means for the tables:

- Where a generated tape loses more than it earns, resting at the touch is no gift here: passive
  fills are selected against, as they are on a real exchange. Where it does not, the rows of the
  methods that rest are too good.
- Where moves over a second are larger than those over a minute, the market takes moves back within
  the minute. That favours whoever waits at an old price ({STATIC}, {CANDLE}) over whoever follows
  the touch, and makes a requote look worse than it would in a market without that habit. The mark
  of it: in a market without memory a method that rests costs, before fees, what its own fills lose
  at once (within 5 s) less what they earn. Where its completed cost less fees is well below that,
  the market came back to it. So the comparison with re-pricing {CANDLE} is a
  property of this market first; it is shown as measured.
- A trade that goes through an order's price fills all of it, so fills in part are rarer than on a
  real exchange: re-pricing {CANDLE} dropped a rest in {100 * result.dropped_share:.1f} % of its
  parents. What that costs is hardly in these tables."""


def _rules(result: Result) -> str:
    return f"""\
- **Markets.** Each clock hour of each symbol in {result.plan.days} days from 2025-01-01 is sorted
  from its 60 minutes alone. Trending: its return is at least {TREND_EFFICIENCY} of its range.
  Otherwise calm or volatile: lowest or highest third of the symbol's hours by the standard
  deviation of minute returns. The rest is not used. Hours, symbols (eight), side (even odds), bar
  and size are drawn by seed; no two parents share an hour.
- **Parents.** Entries only, decided at the close of a 5m bar between a quarter past and twenty to;
  first look {LATE_MS[0] / 1000:g} to {LATE_MS[1] / 1000:g} s later, the same for all methods. Size
  {100 * SIZES[0]:g} to {100 * SIZES[1]:g} % of the symbol's typical turnover of a minute, even in
  logarithm; about 2 % of it stands at the touch.
- **Time.** One look a second. A cancel takes effect {CANCEL_MS} ms after the look; a new order
  arrives {PLACE_MS} ms after it, priced on that look. So a quote may cross by then, and an order
  may fill before its cancel.
- **{MARKET.capitalize()}**: at the first look. **{STATIC.capitalize()}**: at the own touch of the
  first look, left there to the limit. **{CANDLE.capitalize()}**: what freqtrade does with
  `adjust_order_price` on 1m candles. An order from before the last candle close moves to the own
  touch when that differs; when it has filled in part it is cancelled, and the rest is dropped.
  **Presets**: `decide` of the live chase, with the volatility of the last 50 closed 5m bars.
- **Limit.** {LIMIT_S:g} s from the decision for all; a preset that ships with another deadline has
  a second row with that one. *At the limit*: what is missing counts as opportunity at the mid
  there. *Completed*: it is taken at market there instead.
- **Intervals.** Bootstrap over parents ({RESAMPLES} resamples, percentiles); differences are
  paired. Drift: over whole tapes, and over half minutes in the recorded ones."""
