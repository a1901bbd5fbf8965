"""Decisions and funnels as text for people."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from hydra_ft.cli.why.moments import shown
from hydra_ft.decisions.reasons import FILLED, OK
from hydra_ft.decisions.wording import Facts, candidate, first, listed, market, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from hydra_ft.cli.why.funnel import SignalCount, Stage
    from hydra_ft.store.decision_row import DecisionRow

WIDTH_OF_FILES = 400
"""In a pipe or a file no line is folded."""

NUMBERS = frozenset({"bars", "left", "share", "candidates", "may trade", "filled"})
"""Columns that are set to the right."""


def console() -> Console:
    """Return a console as wide as the terminal, or wide enough where there is none."""
    made = Console(highlight=False)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(highlight=False, width=WIDTH_OF_FILES)


def facts_of(row: DecisionRow, rules: Mapping[str, float]) -> Facts:
    """What a row knows, for its wording."""
    own = ("confidence", "stop", "target", "regime_confidence", "bias_strength", "trend")
    known = {name: getattr(row, name) for name in own if getattr(row, name) is not None}
    return Facts(
        numbers={**row.numbers, **known},
        rules=rules,
        regime=row.regime,
        bias=row.bias,
        side=row.side,
        signal=row.signal,
        entry_state=row.entry_state,
        light=row.light,
    )


def reason(row: DecisionRow, facts: Facts) -> str:
    """Say in one sentence what was decided and what became of it."""
    if row.code != OK:
        return f"no entry: {first((row.code, *row.codes), facts)}"
    head = f"{row.signal} {row.side} may enter".strip()
    if row.outcome == FILLED:
        return f"{head}, and {sentence(FILLED, facts)}{_detail(row)}"
    joint = "but " if row.outcome else ""
    return f"{head}, {joint}{sentence(row.outcome, facts)}{_detail(row)}"


def _detail(row: DecisionRow) -> str:
    return f" ({row.detail})" if row.detail else ""


def others(row: DecisionRow, facts: Facts) -> dict[str, list[str]]:
    """What failed beside the first reason; what was left out of a bar that may trade."""
    first_name = row.code.partition(":")[0]
    beside = [code for code in row.codes if code.partition(":")[0] != first_name]
    late = [code for code in row.outcomes if code != row.outcome]
    if row.code == OK:
        return {"left out": listed(beside, facts), "also": listed(late, facts)}
    return {"also": listed(beside, facts)}


def decision(row: DecisionRow, rules: Mapping[str, float]) -> RenderableType:
    """One decision: the first reason, what else failed, the candidate and the market."""
    facts = facts_of(row, rules)
    head = f"{row.pair}, bar closed {shown(row.at)} UTC"
    if row.bars > 1:
        head += f", and {row.bars - 1} like it until {shown(row.until)} (numbers: the first)"
    style = "green" if row.code == OK else "yellow"
    lines = Table.grid(padding=(0, 1))
    lines.add_row("", "decision", Text(reason(row, facts), style=style))
    for name, told in others(row, facts).items():
        for i, text in enumerate(told):
            lines.add_row("", "" if i else name, Text(text))
    for name, text in (("candidate", candidate(facts)), ("market", market(facts))):
        if text:
            lines.add_row("", name, Text(text))
    return Group(Text(head, style="bold"), lines)


def spans(
    rows: Iterable[DecisionRow], rules_of: Callable[[DecisionRow], Mapping[str, float]]
) -> Table:
    """One line for neighbouring rows of which the same is said, the newest last."""
    said = [(row, _code(row), reason(row, facts_of(row, rules_of(row)))) for row in rows]
    table = _table("from (UTC)", "to", "bars", "code", "what")
    for (code, what), found in groupby(said, key=lambda one: one[1:]):
        group = [row for row, *_ in found]
        bars = sum(row.bars for row in group)
        style = "bold" if group[0].code == OK else ""
        cells = (shown(group[0].at), shown(group[-1].until), str(bars), code)
        _add(table, *cells, what, style=style)
    return table


def _code(row: DecisionRow) -> str:
    return f"{row.code}, {row.outcome}" if row.outcome else row.code


def summary(stages: Sequence[Stage], signals: Sequence[SignalCount]) -> RenderableType:
    """The funnel, with the sum of each stage, and its candidates by signal."""
    parts: list[RenderableType] = []
    for stage, texts in zip(stages, _STAGES, strict=True):
        entered, passed = texts
        table = _table("bars", "share", "left", "code", "first reason")
        for step in stage.steps:
            share = _share(step.bars, stage.entered)
            _add(table, str(step.bars), share, str(step.left), step.code or "pending", step.text)
        check = "adds up" if stage.adds_up else "DOES NOT ADD UP"
        sums = f"{stage.entered} {entered} = {stage.stopped} stopped + {stage.passed} {passed}"
        share = _share(stage.passed, stage.entered)
        parts += [Text(f"Stage {stage.name}: {sums} ({share}): {check}", style="bold")]
        parts += [table, Text()] if stage.steps else [Text()]
    if signals:
        table = _table("signal", "candidates", "may trade", "filled")
        for one in signals:
            _add(table, one.signal, str(one.candidates), str(one.ok), str(one.filled))
        parts += [Text("Bars by the best candidate", style="bold"), table]
    return Group(*parts)


_STAGES = (("bars evaluated", "may trade"), ("bars may trade", "filled"))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for name in names:
        justify = "right" if name in NUMBERS else "left"
        table.add_column(name, justify=justify, overflow="fold", header_style="")  # type: ignore[arg-type]
    return table


def _add(table: Table, *cells: str, style: str = "") -> None:
    # Text, because a tag such as [a] in a plain str would be taken for markup.
    table.add_row(*(Text(cell) for cell in cells), style=style)
