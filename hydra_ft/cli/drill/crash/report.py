"""What is printed of the crashes: one column each, and what the words mean."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hydra_ft.adapter.decisions.outcomes import PAUSED
from hydra_ft.cli.drill.crash import rules
from hydra_ft.cli.drill.facts import overlap_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_ft.cli.drill.crash.facts import Crash
    from hydra_ft.cli.drill.crash.scene import Scene
    from hydra_ft.cli.drill.crash.variants import Variant
    from hydra_ft.cli.drill.facts import Violation


def figures(
    variant: Variant,
    crash: Crash,
    violations: Sequence[Violation],
    scene: Scene,
    seconds: float,
) -> dict[str, str]:
    """Return what a crash amounted to, in words."""
    held, budget = rules.held(crash), rules.budget(crash)
    after = {trade.number: trade for trade in crash.after}
    ends = Counter(after[t.number].exit_reason or "still open" for t in held)
    jumps = {trade.number: rules.jump(crash, trade) for trade in held}
    worst = max(
        (jumps[t.number] / (abs(t.quantity) * t.stop) for t in held if t.quantity), default=0.0
    )
    later = len(crash.after) - len(crash.before)
    known = len(crash.facts.events)
    return {
        "variant": variant.name,
        "trades": f"{len(held)}, {sum(trade.is_short for trade in held)} short",
        "parts taken before": str(sum(bool(trade.taken) for trade in held)),
        "closed by": _listed(ends),
        "entered later": str(later),
        "stops touched": str(len(crash.touches)),
        "slowest stop": f"{_slowest_s(crash):.1f} s",
        "worst past a stop": f"{worst:.2%}",
        "budget": f"{budget:.2f}",
        "with every stop hit": f"{rules.at_stops(crash):.2f}",
        "jumps over stops": f"{sum(jumps.values()):.2f}",
        "gaps allowed": f"{rules.gaps(crash):.2f}",
        "day lost": f"{rules.lost(crash):.2f}",
        "promised at most": f"{budget + rules.gaps(crash):.2f}",
        "paused until": _pause(crash),
        "kills, restarts": f"{scene.keeper.kills}, {scene.keeper.boots - 1}",
        "faults": f"{scene.world.hit} of {scene.world.seen} order requests",
        "events": str(known),
        "violations": _listed(Counter(found.rule for found in violations)) or "none",
        "seconds": f"{seconds:.0f}",
    }


def _slowest_s(crash: Crash) -> float:
    """Longest time from the touch of a stop to its end, while bot and exchange were there."""
    took = [
        overlap_ms(crash.facts.both_up, touch.at, crash.flat_at.get(touch.trade, crash.ended))
        for touch in crash.touches
    ]
    return max(took, default=0) / 1e3


def _pause(crash: Crash) -> str:
    ends = [lock.until for lock in crash.locks if lock.reason.startswith(PAUSED)]
    return f"{datetime.fromtimestamp(max(ends) / 1e3, tz=UTC):%d %b %H:%M} UTC" if ends else "-"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def table(rows: Sequence[Mapping[str, str]]) -> Table:
    """Return the figures of all crashes, one block of lines each."""
    made = Table(show_header=False, box=None, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for row in rows:
        for name, text in row.items():
            made.add_row(Text(name), Text(text))
        made.add_row("", "")
    return made


def explanation() -> str:
    """Say what was promised."""
    return (
        "Promised: with every stop hit the day loses no more than its budget. A price that jumps\n"
        "over a stop may take more, by the gap: from the stop to the worst price of the bar that\n"
        "began when the market first traded at it, and what an order at market pays beyond that.\n"
        "A stop that rests on the exchange just then has a bar of one trade; one that\n"
        f"the bot watches, or is about to move, a bar of {rules.BAR_MS // 1000} s of its time."
    )
