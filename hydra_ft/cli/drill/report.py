"""What is printed at the end: the table, and everything about what did not hold."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hydra_ft.cli.symbols import pair_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from hydra_ft.cli.drill.facts import Facts, Violation
    from hydra_ft.cli.drill.figures import Figures
    from hydra_ft.cli.drill.runner import Runner
    from hydra_ft.types import Attempt
    from loopback_exchange import Event

SHOWN = 12
"""Violations that are shown in full."""
AROUND = 8
"""Journal lines of the pair that are shown before and after one."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "safety violations": (
        "overfill",
        "child_while_unknown",
        "two_at_once",
        "unnoted_order",
        "exit_beyond_position",
        "entry_against_position",
        "left_twice",
        "part_taken_twice",
    ),
    "overfills": ("overfill", "two_at_once"),
    "orphans": ("ownerless_order", "ownerless_stop"),
    "lost": ("lost_fill", "books_differ", "parent_never_ended", "outcome_never_known"),
}
"""Rows of the table, each with the rules that it counts."""


def table(
    figures: Figures, runner: Runner, violations: Sequence[Violation], seconds: float
) -> Table:
    """Return the table of a drill."""
    rules = Counter(violation.rule for violation in violations)
    rows = {
        "orders": f"{figures.orders} ({figures.entries} entries, {figures.exits} exits)",
        "children": f"{figures.children}, of which {figures.rejected} rejected",
        "requotes": str(figures.requotes),
        "fills": f"{figures.fills}, of which {figures.part_fills} in part",
        "parts taken": str(figures.parts),
        "stops placed": f"{figures.stops}, of which {figures.stops_hit} hit",
        "kills": str(runner.keeper.kills),
        "restarts": str(max(0, runner.keeper.boots - 1)),
        "order requests": f"{runner.world.seen}, of which {runner.world.hit} hit by a fault",
        "faults": _listed(figures.faults) or "none",
        "unknown outcomes": f"{sum(figures.unknown.values())}: {_listed(figures.unknown)}",
        "time to know": f"at most {figures.unknown_max_s:.1f} s, "
        f"median {figures.unknown_median_s:.1f} s",
        "ends": _listed(figures.ends),
        "quiet points": ", ".join(f"{took:.0f} s" for took in runner.progress.quiets),
        **{name: str(sum(rules[rule] for rule in group)) for name, group in GROUPS.items()},
        "all violations": _listed(dict(rules)) or "none",
        "duration": f"{seconds / 60:.1f} min",
        "orders a minute": f"{figures.orders / max(seconds, 1) * 60:.0f}",
    }
    made = Table(show_header=False, box=None, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, text in rows.items():
        made.add_row(Text(name), Text(text))
    return made


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def show_violations(console: Console, facts: Facts, violations: Sequence[Violation]) -> None:
    """Print what did not hold, with the journal around it."""
    for violation in violations[:SHOWN]:
        console.rule(f"{violation.rule} {violation.pair}", style="red")
        console.print(f"at {_clock(violation.at)}: {violation.text}", markup=False)
        if violation.parent:
            console.print(f"parent {violation.parent}", markup=False)
            for attempt in facts.attempts:
                if attempt.parent_key == violation.parent:
                    console.print(f"  {_child(attempt)}", markup=False)
        for line in _around(facts.events, violation):
            console.print(f"  {line}", markup=False)
    if len(violations) > SHOWN:
        console.print(f"... and {len(violations) - SHOWN} more.")


def _child(attempt: Attempt) -> str:
    known = _clock(attempt.known_at) if attempt.known_at else "never"
    return (
        f"attempt {attempt.id}: sent {_clock(attempt.sent_at)}, known {known}, {attempt.state}, "
        f"order {attempt.order_id or 'none'}, {attempt.filled:g} of {attempt.quantity:g} at "
        f"{attempt.price:g}"
    )


def _around(events: Sequence[Event], violation: Violation) -> list[str]:
    of_pair = [event for event in events if pair_of(event.symbol) == violation.pair]
    first = next((n for n, event in enumerate(of_pair) if event.at >= violation.at), len(of_pair))
    return [_line(event) for event in of_pair[max(0, first - AROUND) : first + AROUND]]


def _line(event: Event) -> str:
    side = "buy" if event.is_buy else "sell"
    kind = f"{'algo ' if event.is_algo else ''}{side}{' reduce-only' if event.reduce_only else ''}"
    return (
        f"{_clock(event.at)} {event.what:<6} {event.order_id} {kind} {event.filled}/"
        f"{event.quantity} at {event.price}, position {event.position}"
    )


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e3, tz=UTC):%H:%M:%S.%f}"[:-3]
