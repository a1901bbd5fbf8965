"""What the figures of a set say, in sentences that are made from them and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.recorded.positions import grouped
from benchmarks.recorded.sets import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.recorded.backtests import Run, SetResult
    from benchmarks.recorded.chase_report import Parents
    from benchmarks.recorded.positions import Position


def compared(result: SetResult) -> str:
    """Say where each way of trading ended, and on how many trades that stands."""
    own, *others = result.runs
    ended = "; ".join(f"{run.name} {100 * run.account.net_ratio:+.2f} %" for run in others)
    begin, end = result.recording.window
    days = (end - begin) / 86_400_000
    return wrapped(
        f"{own.name} ended at {100 * own.account.net_ratio:+.2f} % after {own.account.count} "
        f"trades in {days:.0f} days, of which {own.account.won} won; {ended}."
    )


def groups_read(word: str, run: Run, key: Callable[[Position], str]) -> str:
    """Say which groups made money and which lost it."""
    groups = grouped(run.positions, key)
    made = [group.name for group in groups if group.profit_quote > 0]
    lost = [group.name for group in groups if group.profit_quote <= 0]
    return wrapped(
        f"Made money, by {word}: {', '.join(made) or 'none'}. Lost it: {', '.join(lost) or 'none'}."
    )


def haircut_read(result: SetResult, run: Run) -> str:
    """Say what became of the chased orders, and what their modelled quotes gave."""
    chase = run.chase
    if chase is None:
        return "No orders were chased."
    fills = chase.entries.filled + chase.exits.filled
    share = 100 * chase.haircut_quote / result.wallet
    haircut = (
        f"- Haircut: {chase.haircut_bps:.2f} bps a fill over {fills} fills, "
        f"{chase.haircut_quote:.2f} USDT in all, {share:.2f} % of the wallet."
    )
    lines = [_ends("Entries begun", chase.entries), _ends("Exits by signal", chase.exits), haircut]
    return "\n".join(lines)


def _ends(name: str, parents: Parents) -> str:
    return (
        f"- {name}: {parents.begun}; {parents.at_quote} filled at their quote, "
        f"{parents.at_open} at the open of a candle, {parents.abandoned} given up."
    )


def funnel_read(result: SetResult) -> str:
    """Say how the bars that may trade become fills."""
    own, found = result.runs[0], result.ledger or result.stage_a
    steps = [f"{found.evaluated:,} bars were decided", f"{found.passed:,} may trade"]
    if own.chase:
        steps.append(f"{own.chase.entries.begun} entries were begun")
    steps.append(f"{own.account.count} were filled")
    others = (
        ""
        if result.ledger
        else " An entry stands on several bars; a pair that has a trade, or finds no slot, or is "
        "declined when freqtrade asks, begins none."
    )
    return wrapped(f"{'; '.join(steps)}.{others}")
