"""docs/decisions.md: the pipeline, its reasons, and the numbers that may be tuned."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.reasons import FILLED, OK, REASONS
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.decisions.thresholds import FIXED, SIGNALS, attribute, space, thresholds
from hydra_ft.signals.documentation import table
from hydra_ft.signals.registry import SIGNALS as EVERY_SIGNAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hydra_ft.decisions.reasons import Reason

_HEAD = f"""# Decisions

Rendered by `make docs` from the code; do not edit.

Every closed bar of the base timeframe (5m) of every pair is decided once, in two stages, and every
decision is written down. So the question why nothing was traded has an answer for each bar:

```
hydra why BTC/USDT:USDT                 # the newest decision, in words
hydra why BTC/USDT:USDT --last 24h      # what was decided since yesterday, and why
hydra why BTC/USDT:USDT --at 2026-03-01T12:05
hydra why --summary                     # the funnel from evaluated bars to fills
hydra why --summary --backtest          # the same of the last backtest
```

**Stage A** is pure: the same closed bars give the same code, live and in a backtest. Its steps are
data, clock, regime, entry state, signal, bias, rank, vetoes, in this order. The reason of a bar is
the first step that stopped it: a step that takes one candidate and leaves another is listed among
what failed, and is not the reason.

**Stage B** looks at what stands when freqtrade asks: the day, losses in a row, positions on the
same side, the signal's cooldown, the spread, a breaker. It counts trades in freqtrade's own books,
never signals, so that a restart forgets nothing; a full day ends at midnight UTC and a pause
expires. Where the head declares a risk policy, its limits and its size come next
([risk.md](risk.md)). `slippage` has its code and refuses nothing yet.
Where freqtrade does not ask at all, its own reason is noted: `in_trade`, `no_slot`, `pair_locked`,
or `host_declined`. What was sent ends as `{FILLED}` or `not_filled`.

The two add up: evaluated bars are passes and first reasons of stage A; passes are fills and first
reasons of stage B.

**Exits** are columns: `{EXIT_TAGS[1]}` where the bias is strongly against the position, and
`{EXIT_TAGS[2]}` in the hour after the regime has turned against it. A regime that stands against a
position since before its entry closes nothing, or a reversal could never be held. Where trades are
listed there are two more. `{EXIT_TAGS[3]}`: the price is beyond yesterday's value area on the
position's side, has come back into it within the hour or stood outside without volume, and is
absorbed now. `{EXIT_TAGS[4]}`: takers press against the position, and harder, for some bars on end,
and are absorbed at the last. Both are rare, because absorption is ([calibration.md](calibration.md)
counts them on a tape). What is not known closes nothing.

**Stop, target and hold** of a trade are those of its decision, where the head has a risk policy
(`risk = RiskPolicy(...)`, `hydra_ft/risk/exit_rules.py`). R is what is lost at the first stop,
fees included. As `HydraFlow` has it, a gain of 0.8 % moves the stop to where entry and fees are
covered, at 1 R it keeps half an R, from 1.5 R on it trails the best price by 1 R; a position
older than its signal meant is left at the market. Freqtrade's `stoploss` of the head is a share
of the margin and the most that any stop may be: it stands before the first fill is booked, and
for what you enter by force, which has no target either.

An exit at the target has the reason `target`; one at a `minimal_roi` of the head or of your
configuration, which counts beside it where it is nearer, `roi`. A position that is left because its
time is over has the reason `time_stop`, one that a lost day closes `day_loss`: freqtrade's
StoplossGuard counts neither. All other stops keep the names that it counts: `stop_loss`,
`trailing_stop_loss` once a rule has moved it, and `stoploss_on_exchange`. Telegram's
`notification_settings` for exits take these names. Which rule moved a stop (`stop`, `break_even`,
`profit_lock`, `trailing`, `time_stop`, `day_loss`) stands in the log and, with stop, target, hold,
fee and R, in the trade's custom data `hydra_stance`. A restart finds them there, else with the
order that built the trade, else in the decisions of the candles.

**The fee in R** is `round_trip_fee` of the policy, or what the venue takes of two orders that cross
where that is more: one number for sizes and exits, known before the entry and kept with the trade.
A stop loses no more than was budgeted; where orders rested, a little less.

In a backtest a stop and a target are looked at once a candle, with freqtrade's own rules for
which came first; a time stop closes at the open of a candle of the head's timeframe. Partial
exits (`LADDER`: 40 % at 1 R, 40 % at 2.5 R, the rest runs) are off unless a head's policy asks
for them. They are plain limit orders of freqtrade's, one at a time, never beside an order of the
chase; what was taken is read off the trade's filled orders. A rest below the exchange's minimum
goes with the part.

Stops on the exchange follow within `stoploss_on_exchange_interval` (60 s). A position without a
stop is given the head's within a loop, and told of; where none rests on the exchange although one
should, the bot itself watches the stop. A stop of time stands at the market, where none can rest:
the bot leaves the position itself.

`use_custom_stoploss: false` and `exit_profit_only: true` put stops out of force, and are refused at
the start; `ignore_roi_if_entry_signal` holds targets back, and is warned of. Prices are Hydra's: it
lifts freqtrade's `custom_price_max_distance_ratio` unless you set one. A partial exit waits some
ten seconds after an answer that was lost, and after a start with open trades. A stop that the
exchange drops is placed anew in the same loop, and told of.

**The ledger** keeps equal neighbouring bars of a pair in one row that counts them, for 90 days;
bars that may trade have a row each. The thresholds and the risk policy in force are kept
beside it, so that an old decision is explained by the numbers of its day. A backtest writes its
ledger to `user_data/hydra/backtest` and replaces the one before.

**Light mode.** A feed that is not listed under `hydra.feeds` is left out in the open: the weights
of the bias are renormalised over the rest, signals that need it are off, and tags carry `light`.
A feed that is listed and stale, or empty, blocks. Trades, liquidations and the book are recorded
([data.md](data.md)) and used only where they are listed; what freqtrade brings is used where
nothing is.

**A hole in the trades** (a bar of which a trade or a second is missing) blocks as long as it can
change what entries look at: the base bar itself, the newest bar of each timeframe on which flow is
read, and every bar that a feature of an entry looks back on. `HydraFlow` looks back on four and on
24 hours: after a hole it trades again when four whole hours have closed, because features of 24
hours, as the profile of a day, stand while 95 % of their bars are whole; holes in two hours of a
day block until the first is older than that. What only exits look at blocks nothing. The two days
that the regime remembers do without flips where those were not known. On a timeframe finer than
the base, which is made of trades altogether, a hole blocks while it is within any lookback.
A hole in the liquidations blocks for four hours, too: the usual of a pair does without two of its
16 hours.

**Not here.** What the audited systems computed or described and this one does without, on purpose:

- `volume_ratio` (a thin market shows in stale candles and in the spread), and the time filter
  built on it (settlements are the clock's).
- Tranches of one position with stops of their own, and closes in parts by the gain in per cent: a
  head that wants parts has the ladder in R.
- Tiers of risk by a probability: a confidence ranks signals and is no probability. With a
  calibrated one `kelly_fraction` caps the risk.
- Targets that are stretched while the price runs: the stop follows instead.
- Levels of the profile, a choppy market and exhausted liquidations as exits: they count only from a
  gain in R on (0.3, 0.3 and 2), which a column does not know. The stop in R guards that gain.

## Reasons
"""

_PARAMETERS = """
## Thresholds

Every number of a head's rules is a freqtrade parameter with the name of its place. It can be set in
the head's parameter file (`HydraFlow.json` beside `HydraFlow.py`), and searched by hyperopt, for
which freqtrade needs `pip install "freqtrade[hyperopt]"`:

```
freqtrade hyperopt --strategy HydraFlow --spaces buy sell protection --epochs 100 \\
    --hyperopt-loss SharpeHyperOptLossDaily
```

By itself hyperopt searches what the head names in `searched`; in a class of your own you switch on
more, within bounds of your choice:

```python
class MyFlow(HydraFlow):
    vetoes_min_confidence = DecimalParameter(0.5, 0.8, default=0.5, space="buy")
```

An epoch whose values contradict each other trades nothing. A file with a value out of bounds stops
the start, and so does a signal whose nearest stop or target cannot go with the risk policy. What a
search finds on one stretch of history is fitted to it: look at the result on another stretch before
you believe it.

Thresholds of the signals are listed in [signals.md](signals.md): their parameters are named
`<signal>_<threshold>`. Those of the risk policy are listed in [risk.md](risk.md): `risk_sizing_*`
and `risk_limits_*` in the space `protection`, `risk_exits_*` in `sell`. Which callbacks a head has
is settled before parameters are read: the shares of partial exits are none where it declares none.
Not to be tuned:
"""


def reasons(stage: str) -> Iterator[Reason]:
    """Reasons of a stage in their order, without the code of a pass."""
    return (reason for reason in REASONS.values() if reason.stage == stage and reason.code != OK)


def _grouped(stage: str) -> Iterator[tuple[str, str]]:
    """Code and words; codes that name a signal or a feed share a row."""
    told: set[str] = set()
    for reason in reasons(stage):
        prefix, _, name = reason.code.partition(":")
        if name in EVERY_SIGNAL:
            if prefix not in told:
                yield f"`{prefix}:<signal>`", reason.text.replace(name, "the signal")
            told.add(prefix)
        else:
            yield f"`{reason.code}`", reason.text


def _parameters(rules: HeadRules) -> Iterator[tuple[str, ...]]:
    for path, leaf in thresholds(rules).items():
        if not path.startswith(f"{SIGNALS}."):
            value = json.dumps(leaf.default)
            yield f"`{attribute(path)}`", space(path), f"`{value}`", leaf.allowed, leaf.meaning


def render(signals: Mapping[str, object]) -> str:
    """The whole page; the defaults are those of a head that declares nothing."""
    rules = HeadRules(name="", signals=())
    parts = [_HEAD]
    for stage, title in (("A", "Stage A, in this order"), ("B", "Stage B")):
        rows = list(_grouped(stage))
        parts.append(f"### {title}\n\n{table(('code', 'meaning'), rows)}\n")
    fixed = ", ".join(f"`{path}`" for path in FIXED)
    off = "Where one of those exits is off, as in HydraScalp, its numbers are no parameters."
    parts.append(f"{_PARAMETERS.rstrip()} {fixed}.\n{off}\n")
    heads = ("parameter", "space", "default", "allowed", "meaning")
    parts.append(table(heads, _parameters(rules)) + "\n")
    names = ", ".join(f"`{name}`" for name in sorted(signals))
    parts.append(f"Signals with thresholds of their own: {names}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(render(EVERY_SIGNAL))
