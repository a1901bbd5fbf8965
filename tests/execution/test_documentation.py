"""docs/chase.md says what the presets are and what the function answers."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hydra_ft.execution.documentation import decision_table, in_words, preset_table, render
from hydra_ft.execution.policy import PRESETS, ChasePolicy
from hydra_ft.execution.situations import SITUATIONS, Scene
from hydra_ft.types import Kind

REPOSITORY = Path(__file__).parents[2]


def cells(table: str) -> dict[str, list[str]]:
    """Rows of a Markdown table by their first cell, head and rule left out."""
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows[2:]}


def test_the_page_is_current() -> None:
    written = (REPOSITORY / "docs" / "chase.md").read_text(encoding="utf-8")
    assert written == render(), "run: make docs"


def test_nothing_on_the_page_is_left_to_fill_in() -> None:
    assert re.findall(r"<[A-Z_]+>", render()) == []


@pytest.mark.parametrize("kind", Kind)
def test_every_key_of_every_preset_is_on_the_page(kind: Kind) -> None:
    rows = cells(preset_table(kind))
    assert [f"`{item.name}`" for item in fields(ChasePolicy) if item.name != "preset"] == [*rows]
    deadlines = [getattr(policies, kind.value).deadline_s for policies in PRESETS.values()]
    assert [float(cell) for cell in rows["`deadline_s`"][:-1]] == deadlines


@pytest.mark.parametrize("kind", Kind)
def test_every_situation_of_a_kind_is_on_the_page_with_an_answer_per_preset(kind: Kind) -> None:
    rows = cells(decision_table(kind))
    assert [*rows] == [name for name, kinds, _ in SITUATIONS if kind in kinds]
    for answers in rows.values():
        assert len(answers) == len(PRESETS)


@pytest.mark.parametrize("kind", Kind)
def test_every_answer_that_there_is_occurs(kind: Kind) -> None:
    said = {
        answer.split(" ")[0].strip(",")
        for row in cells(decision_table(kind)).values()
        for answer in row
    }
    assert said == (
        {"keep", "requote", "cross", "give"} if kind is Kind.ENTRY else {"keep", "requote", "cross"}
    )


def test_the_answers_are_those_of_the_function() -> None:
    """Some, worked out by hand: a spread of four ticks around 100.02."""
    entries, exits = cells(decision_table(Kind.ENTRY)), cells(decision_table(Kind.EXIT))
    preset = [*PRESETS].index("balanced")
    assert entries["the touch moved a tick away from us"][preset] == "requote 100.01"
    assert exits["the touch moved a tick away from us"][preset] == "requote 100.03"
    assert entries["the deadline"][preset] == "give up: deadline"
    # 20 bps below the best bid of 100.00.
    assert exits["the deadline"][preset] == "cross, 99.80"
    # 25 bps above the arrival price of 100.02.
    assert entries["the touch is twice `max_chase_bps` away"][preset] == "requote 100.27"


def test_a_sale_is_the_mirror_of_a_purchase() -> None:
    policy = PRESETS["balanced"].entry
    buy, sell = Scene(policy, Kind.ENTRY, touch_ticks=1), Scene(policy, Kind.EXIT, touch_ticks=1)
    assert (buy.quote().best_bid, buy.quote().best_ask) == (100.01, 100.05)
    assert (sell.quote().best_bid, sell.quote().best_ask) == (99.99, 100.03)
    assert in_words(buy.answer()) == "requote 100.01"
    assert in_words(sell.answer()) == "requote 100.03"
