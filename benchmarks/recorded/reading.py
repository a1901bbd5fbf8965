"""What the figures of a set say, in sentences that are made from them and from nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.recorded.figure_tables import percent
from benchmarks.recorded.positions import grouped
from benchmarks.recorded.sets import wrapped
from hydra_ft.risk.codes import LIMIT_CODES, SIZE_CODES

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


def risk_read(result: SetResult) -> str:
    """Say what each way of trading bet, and whether stops cost what they were said to."""
    own, stakes, *_ = result.runs
    told = [
        f"A trade of {run.name} would lose {percent(run.risked.mean_share)} of the equity at its "
        f"stop on average and {percent(run.risked.greatest_share)} at most; the worst one lost "
        f"{percent(-run.risked.worst_share)}."
        for run in (own, stakes)
    ]
    if own.risked.stopped:
        told.append(
            f"{own.risked.stopped} trades of {own.name} were closed by their first stop; the worst "
            f"of them lost {-own.risked.stop_r[1]:.3f} R, and {-own.risked.candle_r[1]:.2f} R had "
            "every stop been filled at the worst price of its candle."
        )
    return wrapped(" ".join(told))


def unit_read(result: SetResult) -> str:
    """Say which results in R can be told from zero, and what the sizes made of them."""
    known = [run for run in result.runs if not math.isnan(run.risked.mean_r.value)]
    losing = [run.name for run in known if run.risked.mean_r.high < 0]
    winning = [run.name for run in known if run.risked.mean_r.low > 0]
    unclear = [run.name for run in known if run.name not in {*losing, *winning}]
    kinds = (("lies below zero", losing), ("lies above zero", winning), ("holds zero", unclear))
    told = [f"{what} for {'; '.join(names)}" for what, names in kinds if names]
    own = result.runs[0]
    sentences = [f"The interval of the mean trade in R {', and '.join(told)}."] if told else []
    if not math.isnan(own.risked.weighted_r):
        plain, weighted = own.risked.mean_r.value, own.risked.weighted_r
        word = "more" if weighted < plain else "less"
        sentences.append(
            f"A trade of {own.name} brought {plain:+.2f} R on average, and {weighted:+.2f} R for "
            f"each unit that was risked: its sizes bet {word} on the trades that did worse than on "
            f"the others. On {own.account.count} trades that may be chance, like the rest."
        )
    return wrapped(" ".join(sentences) or "No trade had a stop.")


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


def limits_read(result: SetResult) -> str:
    """Say how often sizes and limits of the risk layer spoke against an entry."""
    found = result.ledger
    if found is None:
        return ""
    ours = (*LIMIT_CODES, *SIZE_CODES)
    stopped = sum(step.bars for step in found.stages[1].steps if step.code in ours)
    named = [code for code in ours if found.against.get(code)]
    which = (
        f"; those that spoke at all: {', '.join(f'`{code}`' for code in named)}" if named else ""
    )
    return wrapped(
        f"Sizes and limits of the risk layer stopped {stopped:,} of {found.passed:,} bars as the "
        f"first reason{which}."
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
