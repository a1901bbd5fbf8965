"""The page of the results; every sentence with a number in it is made from the numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.execution.tables import table
from benchmarks.recorded.positions import grouped
from benchmarks.recorded.reading import compared, funnel_read, groups_read, haircut_read
from benchmarks.recorded.sets import EARLIER, LATER, minute
from benchmarks.recorded.stage_a import HEAD, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.recorded.backtests import Recording, Run, SetResult
    from benchmarks.recorded.positions import Account
    from hydra_ft.cli.why.funnel import Stage

DAY_MS = 86_400_000
_OPENING = f"""\
Written by `make results`; do not edit. {HEAD} as it ships over recorded sets, through
`freqtrade download-data` and `freqtrade backtesting`, beside two ways of trading without it.

Past results say nothing about future ones."""

_RULES = """\
- **Pairs.** All of a set that have 5m candles, funding and mark prices, but those of two dollar
  coins (USDC).
- **Window.** From the first whole hour at which regime, bias and trend of any pair are known; the
  same window, candles, fees, wallet and slots for every column. A pair whose recording begins later
  decides nothing until it is warm; the others may hold the slots meanwhile.
- **{head}.** Rules, thresholds and orders as declared, in light mode: the sets have the feeds
  {feeds}, and neither open interest nor liquidations. Orders are chased on quotes
  modelled from the 5m candles ([chase.md](chase.md)). The haircut is what the fills were better
  than the open of their candle, the price at which freqtrade's own backtest fills at once; a real
  book may not give it, so the lower result is the one to believe. The second column is the same
  rules with `hydra.chase.backtest` false.
- **Chosen.** On {earlier} the thresholds of regime and bias that
  [calibration.md](calibration.md) lists; on {later} nothing.
- **Buy and hold.** The whole wallet in equal parts of all pairs, bought long at the first open of
  each pair in the window and sold at its last close, with the same fee a side, and with funding.
- **SampleStrategy.** As `freqtrade new-strategy --template full` makes it, with its own timeframe,
  stop, targets and sides.
- **Drawdown.** Of the equity at every 5m close, open positions valued at it; below it that of
  closed trades alone, as freqtrade reports it.
- **Exposure.** Holding times over window times slots (buy and hold: pairs). **Mean and worst
  trade** are net of fees and funding, of what the position cost. **Profit factor** is gains over
  losses."""

_REPRODUCE = """\
With the sets `ohlcv/binance_2023q3` and `ohlcv/binance_2025mar` in the folder `HYDRA_TEST_DATA`:

```
HYDRA_TEST_DATA=/path/to/data make results
```

`tests/commands/test_recorded_backtest.py` compares every bar's decision in a backtest with stage A
computed on the recording, and `tests/commands/test_recorded_live.py` trades recorded entries in
live mode. What the thresholds were set from is in [calibration.md](calibration.md)."""


def render(results: Sequence[SetResult]) -> str:
    """Write the whole page."""
    parts = ["# Results on recorded data", _OPENING]
    for result in results:
        parts += _set_part(result)
    feeds = " and ".join(f"`{feed}`" for feed in LIGHT)
    names = {"head": HEAD, "feeds": feeds, "earlier": EARLIER.name, "later": LATER.name}
    parts += ["## How the figures are made", _RULES.format(**names)]
    parts += ["## How to reproduce it", _REPRODUCE]
    return "\n\n".join(parts) + "\n"


def _set_part(result: SetResult) -> list[str]:
    about = result.recording.about
    own = result.runs[0]
    return [
        f"## {about.name} ({about.role})",
        _facts(result),
        compared(result),
        _figures(result),
        "### By signal",
        groups_read("signal", own, lambda one: one.signal),
        _groups("signal", own, lambda one: one.signal),
        "### By exit reason",
        _groups("exit reason", own, lambda one: one.exit_reason),
        "### Orders",
        haircut_read(result, own),
        "### Funnel",
        *_funnel(result),
    ]


def _facts(result: SetResult) -> str:
    recording = result.recording
    begin, end = recording.window
    pairs = ", ".join(symbol.removesuffix("USDT") for symbol in recording.spans)
    first = min(begin for begin, _ in recording.spans.values())
    left_out = f"; left out: {', '.join(recording.left_out)}" if recording.left_out else ""
    rows = [
        ("Data", f"Binance USDT-M perpetuals, 5m, from {minute(first)} UTC"),
        ("Feeds", f"{', '.join(LIGHT)} (light mode)"),
        ("Pairs", f"{len(recording.spans)}: {pairs}{left_out}"),
        ("Tested", f"{minute(begin)} to {minute(end)} UTC, {(end - begin) / DAY_MS:.1f} days"),
        ("Bars", f"{recording.bars:,} of 5m over all pairs"),
        ("Recorded for a part of that", _shorter(recording)),
        (
            "Wallet",
            f"{result.wallet:,.0f} USDT, {result.slots} slots that share {result.share:.0%} of it",
        ),
        ("Fees", f"{100 * result.fee:.2f} % a side; funding as settled"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)])


def _shorter(recording: Recording) -> str:
    """Name the pairs that begin within the window or end a day before it, by their days."""
    begin, end = recording.window
    days: dict[str, list[str]] = {}
    for symbol, (first, last) in recording.spans.items():
        if first > begin or last < end - DAY_MS:
            days.setdefault(f"{minute(first):.10} to {minute(last):.10}", []).append(symbol[:-4])
    return "; ".join(f"{', '.join(names)} {span}" for span, names in days.items()) or "none"


def percent(value: float, digits: int = 2) -> str:
    """Give a ratio in percent; a dash where there is none."""
    return "-" if math.isnan(value) else f"{100 * value:.{digits}f} %"


def _plain(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "no loss" if math.isinf(value) else f"{value:.2f}"


def _less_haircut(result: SetResult, run: Run) -> str:
    if run.chase is None:
        return "-"
    return percent(run.account.net_ratio - run.chase.haircut_quote / result.wallet)


_LINES: tuple[tuple[str, Callable[[Account], str]], ...] = (
    ("largest drawdown", lambda one: percent(one.drawdown)),
    ("of closed trades", lambda one: percent(one.closed_drawdown)),
    ("trades", lambda one: f"{one.count}"),
    ("long, short", lambda one: f"{one.longs}, {one.count - one.longs}"),
    ("won", lambda one: f"{one.won}"),
    ("profit factor", lambda one: _plain(one.profit_factor)),
    ("mean trade", lambda one: percent(one.mean_ratio)),
    ("worst trade", lambda one: percent(one.worst_ratio)),
    ("exposure", lambda one: percent(one.exposure, 1)),
    ("fees, USDT", lambda one: f"{one.fees_quote:.2f}"),
    ("funding received, USDT", lambda one: f"{one.funding_quote:.2f}"),
)


def _figures(result: SetResult) -> str:
    rows = [
        ("net return", *(percent(run.account.net_ratio) for run in result.runs)),
        ("less the haircut", *(_less_haircut(result, run) for run in result.runs)),
    ]
    rows += [(name, *(line(run.account) for run in result.runs)) for name, line in _LINES]
    return table(("", *(run.name for run in result.runs)), rows)


def _groups(name: str, run: Run, key: Callable[..., str]) -> str:
    rows = [
        (
            group.name or "none",
            f"{group.count}",
            f"{group.won}",
            percent(group.mean_ratio),
            f"{group.profit_quote:.2f}",
        )
        for group in grouped(run.positions, key)
    ]
    if not rows:
        return "No trades."
    return table((name, "trades", "won", "mean", "sum, USDT"), rows)


def _funnel(result: SetResult) -> list[str]:
    found = result.ledger or result.stage_a
    parts = [
        _stage(stage, head)
        for stage, head in zip(
            found.stages, ("first reason", "of those that may trade"), strict=False
        )
    ]
    if found.signals:
        rows = [
            (one.signal, *map(str, (one.candidates, one.ok, one.filled))) for one in found.signals
        ]
        head = ("signal", "bars as best candidate", "may trade", "filled")
        parts.append(table(head, rows))
    return [*parts, funnel_read(result)]


def _stage(stage: Stage, head: str) -> str:
    rows = [
        (
            f"`{step.code}`: {step.text}" if step.code else step.text,
            f"{step.bars:,}",
            percent(step.bars / stage.entered, 1),
            f"{step.left:,}",
        )
        for step in stage.steps
    ]
    return table((head, "bars", "of all", "left"), rows)
