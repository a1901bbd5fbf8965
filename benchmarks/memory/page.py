"""The page that the measurement of memory writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.backtest.tables import judged, table
from benchmarks.memory.bench import BARE, FLOW, WIDE

if TYPE_CHECKING:
    from benchmarks.memory.bench import Bot, Result

_MOST = 2.0
_WORDS = {BARE: "bare freqtrade", WIDE: "bare, with HydraFlow's candles", FLOW: "HydraFlow"}


def render(result: Result, duration_s: float) -> str:
    """Write the whole page."""
    parts = [
        "# What Hydra adds to a bot's memory",
        _opening(duration_s),
        "## Goals",
        _goals(result),
        "## Bots",
        *(_bots(count, bots) for count, bots in result.bots.items()),
        _slopes(result),
        "## Rules",
        _rules(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(duration_s: float) -> str:
    return f"""\
Written by `make bench-memory`; do not edit. Real freqtrade bots in dry-run on the embedded
exchange, each in a process of its own, all of one size at the same time. Memory is what Linux says
a process holds (`VmRSS`, in MB of 1e6 bytes); no model is loaded. The run took
{duration_s / 60:.0f} minutes."""


def _goals(result: Result) -> str:
    count = max(result.bots)
    bots = result.bots[count]
    flow = bots[FLOW].last["rss_mb"]
    bases = {
        f"HydraFlow with {count} pairs, in bare bots with as many": bots[BARE].last,
        "the same, in bare bots that have only been imported": bots[BARE].at("imported"),
    }
    rows = []
    for text, base in bases.items():
        ratio = flow / base["rss_mb"]
        rows.append((text, f"{_MOST:g}", f"{ratio:.2f}", judged(ratio, _MOST)))
    return table(("goal", "at most", "measured", "met"), rows)


def _bots(count: int, bots: dict[str, Bot]) -> str:
    base = bots[BARE].last["rss_mb"]
    rows = [
        (
            _WORDS[name],
            f"{bot.last['rows']} x {bot.last['columns']}",
            f"{bot.at('imported')['rss_mb']:.0f}",
            f"{bot.at('started')['rss_mb']:.0f}",
            f"{bot.at('loop 1')['rss_mb']:.0f}",
            f"{bot.last['rss_mb']:.0f}",
            f"{bot.last['peak_mb']:.0f}",
            f"{bot.last['rss_mb'] / base:.2f}",
            f"{bot.last['loop_cpu_s']:.1f}",
        )
        for name, bot in bots.items()
    ]
    analysed = {bot.last["pairs"] for bot in bots.values()}
    missing = "" if analysed == {count} else f" **Analysed were {sorted(analysed)}.**"
    head = (
        "bot", "frame of a pair", "imported", "started", "after the first candle",
        "after the last", "peak", "ratio", "last loop, CPU s",
    )  # fmt: skip
    return f"{count} pairs, all of them analysed.{missing}\n\n{table(head, rows)}"


def _slopes(result: Result) -> str:
    sizes = sorted(result.bots)
    if len(sizes) < 2:
        return ""
    low, high = sizes[0], sizes[-1]
    told = [
        f"{_WORDS[name]} {_slope(result, name, low, high):.2f} MB" for name in (BARE, WIDE, FLOW)
    ]
    return f"One more pair costs, between {low} and {high} of them: {', '.join(told)}."


def _slope(result: Result, name: str, low: int, high: int) -> float:
    held = [result.bots[count][name].last["rss_mb"] for count in (low, high)]
    return float(held[1] - held[0]) / (high - low)


def _rules(result: Result) -> str:
    return f"""\
- **Bare freqtrade.** A strategy that does nothing, on candles of 5m; nothing of Hydra is imported.
- **Bare, with HydraFlow's candles.** The same, which also lets freqtrade download what HydraFlow
  does: 1h, 4h, funding and open interest of every pair. What it holds more is freqtrade's.
- **HydraFlow.** As it is shipped, with its chase, exits, sizes and ledger. Numba and LLVM's library
  come with its compiled features; most of what they hold are pages of files, which the system may
  take back and other processes share.
- **Pairs.** They move as eight generated ones do, each under its own name.
- **Candles.** Freqtrade is told to warm up on 997, so that it holds 998 of each timeframe.
- **Looks.** After `import freqtrade.freqtradebot`, after the bot has started, after each of
  {result.plan.loops} loops, of which all but the first wait for a new candle of 5m. The ratio is
  that of the last look; so few loops say nothing of what a bot holds after days.
- **Sizes.** {" and ".join(map(str, result.plan.sizes))} pairs were run; nothing is extrapolated."""
