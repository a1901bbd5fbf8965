"""docs/chase.md: the presets, and what ``decide`` answers, found out by asking it.

The tables are not written but computed: each row of the second is a situation that is handed to
``decide`` under every preset.
"""

from __future__ import annotations

from dataclasses import fields

from hydra_ft.declared import leaves
from hydra_ft.execution.candle_quote import LEAST_TICKS, SPREAD_OF_RANGE, WINDOW
from hydra_ft.execution.chase import CROSSING_GRACE_MS
from hydra_ft.execution.policy import PRESETS, ChasePolicy
from hydra_ft.execution.situations import ASK, BID, SITUATIONS, TICK, Scene
from hydra_ft.types import Abandon, ChaseAction, Cross, Kind, Requote


def in_words(action: ChaseAction) -> str:
    """An answer as it stands in the table; a price is that of the limit."""
    match action:
        case Requote(price=price):
            return f"requote {price:.2f}"
        case Cross(price=price):
            return f"cross, {price:.2f}"
        case Abandon(reason=reason):
            return f"give up: {reason}"
    return "keep"


def _policy(preset: str, kind: Kind) -> ChasePolicy:
    policies = PRESETS[preset]
    return policies.entry if kind is Kind.ENTRY else policies.exit


def _table(first: str, rows: list[list[str]], last: tuple[str, ...] = ()) -> str:
    """Markdown table with a column per preset."""
    heads = [first, *PRESETS, *last]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def preset_table(kind: Kind) -> str:
    """Every key of every preset, and what it means."""
    meanings = {leaf.path.rpartition(".")[2]: leaf.meaning for leaf in leaves(ChasePolicy, "")}
    rows = []
    for item in fields(ChasePolicy):
        if item.name != "preset":
            values = [_value(getattr(_policy(name, kind), item.name)) for name in PRESETS]
            rows.append([f"`{item.name}`", *values, meanings[item.name]])
    return _table("key", rows, ("meaning",))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def decision_table(kind: Kind) -> str:
    """What every preset does in every situation that a kind can be in."""
    rows = []
    for name, kinds, change in SITUATIONS:
        if kind in kinds:
            scenes = (change(Scene(_policy(preset, kind), kind)) for preset in PRESETS)
            rows.append([name, *(in_words(scene.answer()) for scene in scenes)])
    return _table("what happened", rows)


def render() -> str:
    """Return the page docs/chase.md."""
    tables = {
        "ENTRY_PRESETS": preset_table(Kind.ENTRY),
        "EXIT_PRESETS": preset_table(Kind.EXIT),
        "ENTRY_DECISIONS": decision_table(Kind.ENTRY),
        "EXIT_DECISIONS": decision_table(Kind.EXIT),
        "GRACE_S": f"{CROSSING_GRACE_MS // 1000}",
        "SPREAD_SHARE": f"{100 * SPREAD_OF_RANGE:g} %",
        "WINDOW": str(WINDOW),
        "LEAST_TICKS": str(LEAST_TICKS),
        "KEYS": str(len(fields(ChasePolicy)) - 1),
        "MARKET": f"{BID:.2f} bid, {ASK:.2f} ask, ticks of {TICK}",
    }
    page = PAGE
    for name, text in tables.items():
        page = page.replace(f"<{name}>", text)
    return page


PAGE = """# The chase

Hydra works an entry or an exit with one limit order at a time and moves it after the market. The
intent is the parent, each order a child. This page is rendered by `make docs` from the code that
decides: the values are those of the presets, the answers those of the function.

## Which policy is in force

A head declares one policy for entries and one for exits in its strategy file, usually a preset.
`hydra.chase.entry.preset` in the configuration replaces the head's by a preset, and single keys
beside it change single values. Every value but the preset is also a freqtrade parameter,
`chase_entry_<key>` in the space `buy` and `chase_exit_<key>` in the space `sell`. What wins, first
to last: **configuration, parameter file or hyperopt epoch, head, preset** (see
[settings.md](settings.md)).

No parameter is searched until somebody says so, or `--spaces buy` would search <KEYS> dimensions
unasked. A strategy of your own switches one on (hyperopt itself needs `freqtrade[hyperopt]`):

```python
from freqtrade.strategy import IntParameter
from HydraFlow import HydraFlow


class MyFlow(HydraFlow):
    chase_entry_deadline_s = IntParameter(30, 300, default=120, space="buy", optimize=True)
```

The file that hyperopt writes (`MyFlow.json`) holds all values, those that it did not search too:
from then on they stand over what the head declares. Delete the ones that you did not mean to fix.

`hydra.chase.enabled` false switches all of it off: orders and prices are plain freqtrade's, and
the decisions are still written down.

## Presets: entries

<ENTRY_PRESETS>

## Presets: exits

<EXIT_PRESETS>

## Where a child is priced

The **peg** is where the quote starts: `own` is the best price of our side, `far` that of the other,
`mid` the middle, `micro` the middle weighted by the sizes (nearer to the thinner side). From the
peg the quote moves towards the far touch by **urgency**, from 0 to 1:

    urgency = urgency_time * t / deadline_s
            + urgency_imbalance * adverse
            + urgency_volatility * m / (m + spread)
    price   = peg + urgency * (far touch - peg) + offset_ticks

`t` is the time since the decision; `adverse` is (own - far) / (own + far) of the sizes at the touch
where that is above 0: with most of the book on our side the price tends to move away from us. `m`
is how far the market typically moves within `min_requote_interval_s`. At 1 the order takes the far
touch, unless `post_only` is set; short of that it stays a tick away from it. Prices are rounded to
the tick, away from the far touch.

**Caps** bind the parent, however many children it has. No quote lies further than `max_chase_bps`
from the arrival price, the middle of the book when the first child was sent. An order that crosses
may trade `max_slippage_bps` beyond the far touch; an exit past its deadline takes the far touch
wherever it is, and a stop may go `max_chase_bps` beyond it. At the deadline an entry is given up,
or crosses within the cap and is given up <GRACE_S> s later. All bots of one Hydra database share
`hydra.requotes_per_minute`.

## What it does: entries

A long entry. Before anything happened the market was <MARKET>,
and our order of one unit was at the best bid. A fifth of the time is over unless the row says
otherwise. A price is that of the limit.

<ENTRY_DECISIONS>

## What it does: exits

The exit of a long in the same market, our order at the best ask.

<EXIT_DECISIONS>

## What a dry-run cannot show

The chase runs in a dry-run as it does live, on the real order book. But freqtrade's simulation
fills a limit order in whole and at once when the other side touches its price: never in part, with
no queue, and without a race between a cancel and a fill. It ignores post-only, and no order is
rejected. So a dry-run shows the prices and the rhythm of the chase, and neither its fill rate nor
its cost.

## What a backtest shows

In a backtest the same function is asked once a candle, or once a detail candle with
`--timeframe-detail 1m`, which suits deadlines of minutes far better. There is no book, so the quote
is modelled from the open of the candle and from the candles before it: the open is the far touch,
and our own lies a spread behind it, <SPREAD_SHARE> of the median range of the last <WINDOW> candles
and at least <LEAST_TICKS> ticks. A quote fills only if the candle comes to it through that whole
spread. Orders that cross fill at the open. The first look after a deadline counts as the deadline.
Stops and targets fill as freqtrade fills them.

What fills at a quote is a spread better than the open. A real book may not give that, so each
backtest logs it as its **haircut**, in bps and in money: take it off the result. Children live for
a candle, freqtrade keeps the stake of a replaced order and not its quantity, and nothing fills in
part. `hydra.chase.backtest` false gives plain freqtrade's backtest.

## Messages

A parent sends at most two messages, however often it is requoted: when its first child is placed,
and when it is done, with the reason, the average price, requotes and cost. Freqtrade's own messages
about every order would bury them, so config.json.example switches these off under
`telegram.notification_settings`: `entry`, `entry_fill`, `entry_cancel`, `exit`, `exit_fill` and
`exit_cancel`. Set one to `"on"` to have it back (`"silent"` delivers without a sound). Hydra's own
come as `strategy_msg`. Telegram alone is silenced: webhooks, Discord and FreqUI get what they are
configured for.
"""


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())
