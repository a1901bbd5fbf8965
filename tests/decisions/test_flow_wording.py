"""What trades say and what they lack, in words."""

from __future__ import annotations

import pytest

from hydra_ft.decisions.wording import Facts, market, sentence

TORN = "the trades of this bar are not whole"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"trades_covered": 0.0}, "no trades of this bar were recorded"),
        (
            {"trades_covered": 0.9417, "trades_missing": 12.0},
            f"{TORN}: 94.2 % of its time is covered, 12 trades are missing",
        ),
        (
            {"trades_covered": 1.0, "trades_missing": 3.0},
            f"{TORN}: 3 trades are missing",
        ),
        (
            {"trades_covered": 0.5, "trades_missing": 0.0},
            f"{TORN}: 50.0 % of its time is covered",
        ),
        (
            {"trades_covered": 1.0, "trades_missing": 0.0},
            "trades are missing further back, where the features of entries look",
        ),
        ({}, "the trades feed is stale or empty"),
    ],
)
def test_trades_that_are_stale_say_what_is_missing(numbers: dict[str, float], text: str) -> None:
    assert sentence("data_stale:trades", Facts(numbers=numbers)) == text


def test_other_feeds_do_not_speak_of_trades() -> None:
    known = Facts(numbers={"trades_covered": 0.5})
    assert sentence("data_stale:funding", known) == "the funding feed is stale or empty"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.71, "takers speak for a rise (+0.71)"),
        (-0.5, "takers speak for a fall (-0.50)"),
        (0.0, "takers are balanced"),
    ],
)
def test_the_market_tells_what_takers_do_to_the_bias(part: float, text: str) -> None:
    told = market(Facts(numbers={"flow_part": part, "flips": 11 / 23}, regime="UP"))
    assert text in told.split("; ")
    assert told.endswith("they changed sides in 48 % of the last hours")
    assert "takers" not in market(Facts(regime="UP"))
