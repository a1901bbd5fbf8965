"""The page of the results; every sentence with a number in it is made from the numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks.execution.tables import table
from benchmarks.recorded.figure_tables import (
    groups_table,
    outcome_table,
    percent,
    risk_table,
    unit_table,
)
from benchmarks.recorded.reading import (
    compared,
    funnel_read,
    groups_read,
    haircut_read,
    limits_read,
    risk_read,
    unit_read,
)
from benchmarks.recorded.results_text import OPENING, REPRODUCE, RULES
from benchmarks.recorded.sets import EARLIER, LATER, minute, wrapped
from benchmarks.recorded.stage_a import HEAD, LIGHT
from hydra_ft.decisions.reasons import FILLED, INDEX
from hydra_ft.decisions.wording import PENDING, Facts, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.recorded.backtests import Recording, SetResult
    from benchmarks.recorded.funnel import Funnel
    from hydra_ft.cli.why.funnel import Stage, Step

DAY_MS = 86_400_000
_AGAINST = wrapped(
    "Of the bars that may trade, how many each reason stopped as the first one / on how many it "
    "spoke against the entry at all. Limits and sizes are asked only where freqtrade asks."
)


def render(results: Sequence[SetResult]) -> str:
    """Write the whole page."""
    parts = ["# Results on recorded data", OPENING]
    for result in results:
        parts += _set_part(result)
    one = results[0]
    names = {
        "head": HEAD,
        "feeds": " and ".join(f"`{feed}`" for feed in LIGHT),
        "earlier": EARLIER.name,
        "later": LATER.name,
        "stake": one.stake,
        "share": f"{one.share:.0%}".replace("%", " %"),
        "risk": f"at most {percent(one.asked)} a trade",
        "asked": percent(one.asked * one.share, 3),
    }
    parts += ["## How the figures are made", _refilled(RULES.format(**names))]
    parts += ["## How to reproduce it", REPRODUCE]
    return "\n\n".join(parts) + "\n"


def _refilled(points: str) -> str:
    """Break a list of points anew, once names and numbers are in it."""
    return "\n".join(
        wrapped(" ".join(point.split()), indent="  ") for point in re.split(r"\n(?=- )", points)
    )


def _set_part(result: SetResult) -> list[str]:
    about = result.recording.about
    own = result.runs[0]
    return [
        f"## {about.name} ({about.role})",
        _facts(result),
        compared(result),
        outcome_table(result),
        "### What was risked",
        risk_read(result),
        risk_table(result),
        "### What a unit of risk brought",
        unit_read(result),
        unit_table(result),
        "### By signal",
        groups_read("signal", own, lambda one: one.signal),
        groups_table("signal", result, lambda one: one.signal),
        "### By exit reason",
        groups_table("exit reason", result, lambda one: one.exit_reason),
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
        ("Stake of plain freqtrade", f"`stake_amount` `{result.stake}`, leverage 1"),
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


def _funnel(result: SetResult) -> list[str]:
    found = result.ledger or result.stage_a
    parts = [_stage(found.stages[0], "first reason")]
    ledgers = {run.name: run.ledger for run in result.runs if run.ledger is not None}
    if ledgers:
        parts += [_AGAINST, _against(ledgers), limits_read(result)]
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


def _against(ledgers: Mapping[str, Funnel]) -> str:
    """What spoke against the bars that may trade, in each run: as first reason, and at all."""
    first = {
        name: {step.code: step for step in one.stages[1].steps} for name, one in ledgers.items()
    }
    texts = {code: step.text for steps in first.values() for code, step in steps.items()}
    for one in ledgers.values():
        texts |= {
            code: sentence(code, Facts()) for code in one.against if code not in {*texts, FILLED}
        }
    rows = [
        (
            f"`{code}`: {texts[code]}" if code else texts[code],
            *(
                _counts(first[name].get(code), one.against.get(code, 0))
                for name, one in ledgers.items()
            ),
        )
        for code in sorted(texts, key=_place)
    ]
    rows.append(("filled", *(f"{one.stages[1].passed:,}" for one in ledgers.values())))
    return table(("of the bars that may trade", *ledgers), rows)


def _counts(step: Step | None, every: int) -> str:
    return f"{step.bars if step else 0:,} / {every:,}"


def _place(code: str) -> tuple[int, str]:
    """Order of the pipeline; then what it does not know, and last what is pending."""
    return (INDEX.get(code, len(INDEX) + (code == PENDING)), code)
