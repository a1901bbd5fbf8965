"""Codes in plain words: each has some, with its number and its threshold where they are known."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hydra_ft.decisions.reasons import CODES, FILLED
from hydra_ft.decisions.wording import PENDING, Facts, candidate, first, listed, market, sentence

RULES = {
    "regime.chop_above": 0.7,
    "regime.trend_above": 0.5,
    "regime.range_above": 0.6,
    "regime.confirm_bars": 2,
    "bias.block_from": 0.5,
    "vetoes.max_vol_expansion": 3.0,
    "vetoes.min_confidence": 0.5,
    "vetoes.min_reward_to_risk": 1.5,
    "vetoes.extended_above": 0.015,
    "clock.margin_s": 300,
    "admission.max_day_trades": 4,
    "admission.max_same_side": 2,
    "admission.max_losses": 3,
    "admission.loss_pause_s": 14400,
}
BIASED = "the higher timeframe's bias is short with strength 0.62, and from 0.50 it blocks longs"
FACTS = Facts(
    numbers={
        "chop_score": 0.82,
        "trend_score": 0.42,
        "range_score": 0.31,
        "vol_expansion": 3.4,
        "ema_distance": -0.021,
        "confidence": 0.46,
        "reward_to_risk": 1.2,
        "bias_strength": 0.62,
        "regime_confidence": 0.78,
        "trend": -0.55,
        "funding_z": 2.3,
        "stop": 0.012,
        "target": 0.024,
    },
    rules=RULES,
    regime="DOWN",
    bias="SHORT",
    side="long",
    signal="trend_pullback",
)


def number(**changes: float) -> Facts:
    return replace(FACTS, numbers={**FACTS.numbers, **changes})


@pytest.mark.parametrize("facts", [Facts(), replace(FACTS, rules={}), FACTS])
def test_every_code_has_words_whatever_is_known(facts: Facts) -> None:
    told = {code: sentence(code, facts) for code in (*CODES, FILLED, PENDING)}
    assert [code for code, text in told.items() if len(text) < 8 or "{" in text] == []
    assert [code for code, text in told.items() if re.search(r"\bnan\b|None", text)] == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("regime_choppy", "the market is choppy: chop score 0.82, nothing trades above 0.70"),
        ("regime_not_allowed:trend_pullback", "not traded in regime DOWN: trend_pullback"),
        (
            "extended",
            "the price is 2.1 % away from its 1h average, 1.5 % is the most: no trend following",
        ),
        ("funding_window", "funding is settled within 5 minutes of this bar's close"),
        ("bias_gate", BIASED),
        (
            "veto_vol",
            "volatility is expanding too fast: 3.40, nothing is entered above 3.00",
        ),
        (
            "veto_conf",
            "the best signal is not confident enough: 0.46, at least 0.50 is needed",
        ),
        (
            "veto_rr",
            "reward to risk after costs is too small: 1.20, at least 1.50 is needed",
        ),
        ("veto_daily", "the day's 4 trades are reached"),
        ("veto_side", "there are 2 open positions on this side already"),
        ("veto_losses", "trading pauses for 4 hours after 3 losses in a row"),
        ("no_signal", "no permitted signal fires"),
        ("spread", "the spread is too wide"),
        ("of_tomorrow", "of_tomorrow (not a code of this version)"),
    ],
)
def test_a_reason_names_its_number_and_the_threshold_in_force(code: str, text: str) -> None:
    assert sentence(code, FACTS) == text


def test_choppy_without_much_chop_says_what_is_lacking() -> None:
    assert sentence("regime_choppy", number(chop_score=0.4)) == (
        "the market is neither a trend nor a range: trend score 0.42 (needs more than 0.50), "
        "range score 0.31 (needs more than 0.60)"
    )
    assert sentence("regime_choppy", number(chop_score=0.4, trend_score=0.6)) == (
        "the market is choppy still: a change of regime takes 2 bars in a row"
    )
    assert sentence("regime_choppy", replace(FACTS, rules={})) == (
        "the market is choppy: chop score 0.82"
    )
    few = replace(FACTS, numbers={"chop_score": 0.4})
    assert sentence("regime_choppy", few) == "the market is choppy: chop score 0.40"


def test_a_score_at_its_threshold_has_not_passed_it() -> None:
    assert "neither" in sentence("regime_choppy", number(chop_score=0.7, trend_score=0.5))


def test_the_market_is_one_sentence_with_the_funding_crowd() -> None:
    facts = replace(FACTS, entry_state="PULLBACK_READY", light=True)
    assert market(facts) == (
        "the market is going down (confidence 0.78); trend -0.55; bias short (strength 0.62); "
        "longs are crowded (funding z +2.3), which is bearish; the price has pulled back to its "
        "average; light mode, since a feed is not listed"
    )
    calm = Facts({"bias_strength": 0.0}, regime="RANGING", bias="NEUTRAL", entry_state="WAITING")
    assert market(calm) == ("the market is ranging; bias neutral")


def test_the_candidate_is_named_with_what_it_proposed() -> None:
    assert candidate(number(confidence=0.74, reward_to_risk=1.53)) == (
        "trend_pullback long, confidence 0.74, stop 1.2 %, target 2.4 %, "
        "reward to risk 1.53 after costs"
    )
    assert candidate(Facts()) == ""
    assert candidate(Facts(signal="sma_cross", side="short")) == "sma_cross short"


def test_signals_that_a_regime_forbids_are_listed_together() -> None:
    codes = ("regime_not_allowed:a", "no_signal", "regime_not_allowed:b")
    assert listed(codes, FACTS) == ["no permitted signal fires", "not traded in regime DOWN: a, b"]
    assert listed(codes[:1], Facts()) == ["the regime does not permit a"]
    assert listed((), FACTS) == []
    assert first(("regime_not_allowed:a", *codes), FACTS) == "not traded in regime DOWN: a, b"
    assert (first(("no_signal", *codes), FACTS), first((), FACTS)) == (
        "no permitted signal fires",
        "",
    )


@pytest.mark.parametrize(
    ("margin", "shown"), [(3600, "1 hour"), (90, "90 seconds"), (60, "1 minute"), (1, "1 second")]
)
def test_lengths_of_time_are_in_the_largest_whole_unit(margin: int, shown: str) -> None:
    facts = Facts(rules={"clock.margin_s": margin})
    assert f"within {shown} of" in sentence("funding_window", facts)
