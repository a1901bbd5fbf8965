"""docs/signals.md: what each signal says of itself, and what became of the audited ones."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING

from hydra_ft.declared import leaves
from hydra_ft.features.registry import FEATURES, split_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hydra_ft.signals.registry import SignalDeclaration
    from hydra_ft.types import Feed


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown table."""
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values) or "none"


def in_hours(seconds: int) -> str:
    """A length of time as the page writes it."""
    if 0 < seconds < 3600:
        return f"{seconds / 60:g} min"
    return f"{seconds / 3600:g} h" if seconds else "none"


def used_feeds(made: SignalDeclaration) -> tuple[Feed, ...]:
    """Feeds that the signal takes into account where they are listed, in order of mention."""
    names = [split_key(key)[0] for key in made.uses]
    found = [feed for name in names for feed in FEATURES[name].feeds]
    return tuple(dict.fromkeys(feed for feed in found if feed not in made.feeds))


def overview(signals: Mapping[str, SignalDeclaration]) -> str:
    """One row per signal, sorted by name."""
    heads = ("signal", "feeds", "also, where fed", "regimes", "held up to", "cooldown")
    rows = [
        (
            f"[`{name}`](#{name})",
            _listed(made.feeds),
            _listed(used_feeds(made)),
            _listed(regime.name for regime in made.regimes),
            in_hours(made.max_hold_s),
            _cooldown(made),
        )
        for name, made in sorted(signals.items())
    ]
    return table(heads, rows)


def _cooldown(made: SignalDeclaration) -> str:
    if not made.flip_s:
        return in_hours(made.cooldown_s)
    return f"{in_hours(made.cooldown_s)}, other side {in_hours(made.flip_s)}"


def thresholds(made: SignalDeclaration) -> str:
    """Every number of a signal with its default, its bounds and its meaning."""
    rows = [
        (f"`{leaf.path.rpartition('.')[2]}`", f"{leaf.default:g}", leaf.allowed, leaf.meaning)
        for leaf in leaves(type(made.rules), made.name, made.rules)
        if isinstance(leaf.default, int | float)
    ]
    return table(("threshold", "default", "allowed", "meaning"), rows)


def _section(made: SignalDeclaration) -> str:
    columns = _listed(f"`{key}`" for key in made.needs)
    used = _listed(f"`{key}`" for key in made.uses)
    extended = " It is removed while the price is extended." if made.trend_following else ""
    return "\n\n".join(
        (
            f"### {made.name}",
            cleandoc(made.detect.__doc__ or ""),
            f"Held for {in_hours(made.max_hold_s)} at most; cooldown: {_cooldown(made)}.{extended}",
            thresholds(made),
            f"Needs {columns}.\nAlso looks at, where fed: {used}.",
        )
    )


def render(signals: Mapping[str, SignalDeclaration]) -> str:
    """Return the page docs/signals.md."""
    sections = "\n\n".join(_section(made) for _, made in sorted(signals.items()))
    page = PAGE.replace("<OVERVIEW>", overview(signals))
    return page.replace("<SIGNALS>", sections)


PAGE = """# Signals

What HydraFlow and HydraScalp (`scalp`, `scalp_1m`) may enter on. This page is rendered by
`make docs` from the signals themselves; the last part is written by hand.

A signal says for each closed base bar and each side whether it fires, how sure it is, and where
stop and target stand. It fires only where every column that it needs is known. Gates are not its
business: the pipeline asks it only in the regimes below, applies the bias to each signal before
the most confident one is chosen, and vetoes afterwards.

Confidences are 0..1 and rank signals against each other; they are no probabilities. Stops and
targets are fractions of the entry price, R is the stop, and the cooldown is the time after an entry
of the signal on a pair in which it does not enter there again. Every threshold is compared with a
tolerance of 1e-9, and can be set as a freqtrade parameter, `<signal>_<threshold>`.

<OVERVIEW>

<SIGNALS>

## Where a feed is not listed

A signal whose own feeds are not all listed is off. A feed that a signal only takes into account can
forbid an entry or make it surer; where it is not listed it does neither. Where it is listed and
unknown at a bar, nothing is entered on what cannot be seen. Nothing is asked of a feed alone: what
makes a signal fire is the price, except where funding or liquidations are what it is about.

## Evidence that contradicts itself

Gives no signal: funding z against what was really paid (the audited system went short), a break or
a fade against the trend or the regime, a break while its own side is being liquidated, a retest of
a broken high while a low is broken too, an edge that is faded while open interest builds up.

## What became of the audited signals

| there | here | why |
| --- | --- | --- |
| FundingPressureContinuation | `funding_pressure` | Pullback and RSI, no longer one of them; the \
pullback is measured in ATR; contradicting witnesses are silent. |
| TrendPullback | `trend_pullback` | Trend and regime must be of the same side, which was not \
compared. |
| EMATrendContinuation | merged into `trend_pullback` | It could not fire, and asked for the same \
thing: a pause at EMA20 in a trend with its structure intact. Two names for one trade would have \
counted it twice. Its vetoes on volatility and regime are the pipeline's. |
| LiquidationCascade | `liquidation_cascade` | In multiples of the pair's own usual instead of \
dollars, and one signal per cascade. |
| CompressedRangeBreakout | `range_breakout` | The range held the bar that broke it and was reset \
without a word; now it ends before. The break starts at its edge, and not once the range has grown \
to 4 %. |
| CompressionBreakout | merged into `range_breakout` | It was not wired, and on candles it could \
not fire: its upper bound was the current high. From it come the veto of a crowded side, the \
regime and the cooldowns. Left out: its own range of 4 h (inside that of 24 h), its margin of \
0.4 % (a tenth of the range takes its place), and a volatility ratio of 1.3, which is that of \
closed hours and does not hold the break yet. |
| TrendExhaustionReversal | `trend_exhaustion` | An RSI of 75 with the price back at its average \
is nearly a contradiction: it must have been extreme within 12 h. |
| ADXExpansionMomentum | `adx_expansion` | Its "ADX" was 50 times a trend strength, which knows \
three values. Here it is Wilder's, with a gap of the directional indicators. |
| StructureBreakRetest | `structure_retest` | It was not wired. The level is that before the \
break, its 6 hours are counted in bars and not in calls, and a long is surer when shorts were \
liquidated, not longs. |
| SMACrossover | `sma_cross` | Declared, and listed by no head: add it to `signals` of a head of \
your own. It needs the regime of its side, so that its points for the regime are for a sure one. |
| Bybit 10-second scalper | `scalp`, `scalp_1m` | Percentiles of the bars before, failing closed, \
with stop, target and time stop: [scalp.md](scalp.md). |
| - | `range_fade` | New: RANGING admitted nothing but the breakout. |

Liquidations in dollars are gone everywhere: where a signal asked for 50,000 it asks for the usual
of the pair. Counters that counted calls, of which one a second made "2 bars" two seconds, are
windows of closed bars.

`structure_retest` has its stop and target from the audit, 0.8 % and 1.44 %. After costs that is 1.5
of reward to risk only where a round trip costs 0.096 % or less. The veto's `round_trip_cost` stands
at 0.08 %: an entry that waits as a maker, an exit that takes, and a bp of slippage. Who pays more
sets it higher, and then `veto_rr` turns every entry of this signal down.

`range_fade` is rare by nature. A quiet range of 24 h is seldom wide enough that its middle pays for
a stop beyond its edge, and it does not move the stop into the range to make up for that.
"""

if __name__ == "__main__":
    import sys

    from hydra_ft.signals.registry import SIGNALS

    sys.stdout.write(render(SIGNALS))
