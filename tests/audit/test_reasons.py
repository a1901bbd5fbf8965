"""F5: every code of stage A, and of stage B's pure part, is the first reason somewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from bars.synthetic import random_frames
from decisions.heads import BARE, FULL, HEAD, LIGHT, RANGES
from decisions.test_selection import always
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_ft.bars.candles import part
from hydra_ft.decisions.admission import DAY_MS, Entered, admit
from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.decisions.reasons import CODES, INDEX, OK, REASONS
from hydra_ft.decisions.rules import AdmissionRules
from hydra_ft.risk.codes import LIMIT_CODES, SIZE_CODES
from hydra_ft.signals import trend_pullback
from hydra_ft.signals.registry import SIGNALS, SignalColumns
from hydra_ft.types import Bars, Feed, Side

FRAMES = random_frames(40, seed=12, volatility=0.0009)
EVERY = (*BARE, *(feed for feed in Feed if feed is not Feed.CANDLES))
NEVER_FIRST = {"outranked"}
"""Where one candidate outranks another, there is one left to decide the bar."""
FIRST_OF_B = ("veto_daily", "veto_losses", "veto_side", "cooldown")
ADAPTER = {
    *("in_trade", "no_slot", "pair_locked", "quote_stale", "spread", "slippage", "breaker"),
    *("adapter_error", "outcome_unknown", "host_declined", "working", "not_filled"),
}
"""Said where freqtrade asks: their tests stand with the adapter."""
RISK = {*LIMIT_CODES, *SIZE_CODES}
"""F5 steps 8 and 9: said by the risk layer."""


def fail(*_: object) -> SignalColumns:
    raise ValueError("x")


def eager(name: str = "adx_expansion", **how: object) -> object:
    return always(name, **{"long": True, "confidence": 0.6, **how})


@cache
def scenes() -> dict[str, Decisions]:
    """One decided frame for each way to fail."""
    hole = {**FRAMES, "5m": with_hole(FRAMES["5m"])}
    vetoes = replace(HEAD.vetoes, max_vol_expansion=1.1)
    heads = {
        "as declared": HEAD,
        "extended": replace(HEAD, signals=(replace(eager(), trend_following=True),)),
        "bias": replace(HEAD, signals=(eager(),)),
        "wild": replace(HEAD, signals=(eager(),), vetoes=vetoes),
        "unsure": replace(HEAD, signals=(eager(confidence=0.4),)),
        "poor": replace(HEAD, signals=(eager(target=0.012),)),
    }
    found = {name: decide(FRAMES, head, LIGHT) for name, head in heads.items()}
    short = {timeframe: part(bars, 0, 50) for timeframe, bars in FRAMES.items()}
    found["short"] = decide(short, HEAD, BARE)
    found["hole"] = decide(hole, HEAD, LIGHT)
    bare = replace(FRAMES["1h"], funding_rate=None, open_interest=None)
    nothing = dict.fromkeys(("long_liquidated", "short_liquidated", "flow", "book"))
    dry = replace(FRAMES["5m"], **nothing)
    for feed in EVERY[1:]:
        head = replace(HEAD, feeds=(Feed.CANDLES, feed))
        found[f"no {feed}"] = decide({**FRAMES, "1h": bare, "5m": dry}, head, head.feeds)
    for name in SIGNALS:
        found[f"forbidden {name}"] = decide(FRAMES, replace(RANGES, signals=(eager(name),)), LIGHT)
        broken = replace(HEAD, signals=(replace(eager(name), detect=fail),))
        found[f"broken {name}"] = decide(FRAMES, broken, LIGHT)
    return found


def with_hole(bars: Bars) -> Bars:
    """One bar as freqtrade fills it in."""
    arrays = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    volume = bars.volume.copy()
    for values in arrays.values():
        values[-9] = bars.close[-10]
    volume[-9] = 0.0
    return replace(bars, volume=volume, **arrays)


@pytest.mark.parametrize("code", [r.code for r in REASONS.values() if r.stage == "A"])
def test_every_code_of_stage_a_is_the_first_reason_of_some_bar(code: str) -> None:
    """F5, P6: a code that cannot come first would be a gate that cannot gate."""
    firsts = {first for found in scenes().values() for first in found.counts()}
    assert (code in firsts) == (code not in NEVER_FIRST)


def test_what_cannot_come_first_is_among_the_failing_steps() -> None:
    """F5: an outranked candidate is in the ledger."""
    two = (eager(), eager("trend_pullback", confidence=0.7))
    found = decide(FRAMES, replace(HEAD, signals=two), LIGHT)
    assert found.failing[found.code == 0][:, INDEX["outranked"]].all()


NOON = 20_000 * DAY_MS + DAY_MS // 2


def history(code: str) -> list[Entered]:
    held = Entered("ETH/USDT:USDT", Side.LONG, "other", NOON - DAY_MS)
    lost = Entered("ETH/USDT:USDT", Side.LONG, "other", NOON - DAY_MS, NOON - 1, -1.0)
    rests = Entered("BTC/USDT:USDT", Side.LONG, "rests", NOON - DAY_MS, NOON - 1, 1.0)
    today = replace(rests, signal="other", at=NOON - 1000)
    found = {
        "veto_daily": [today] * 4,
        "veto_losses": [lost] * 3,
        "veto_side": [held] * 2,
        "cooldown": [rests],
    }
    return found[code]


@pytest.mark.parametrize("code", FIRST_OF_B)
def test_every_code_of_the_pure_stage_b_is_the_first_reason_of_some_entry(code: str) -> None:
    """F5 step 8."""
    signal = replace(trend_pullback, name="rests", cooldown_s=2 * 86_400)
    verdict = admit("BTC/USDT:USDT", Side.LONG, signal, NOON, history(code), AdmissionRules())
    assert (verdict.code, verdict.allowed) == (code, False)


def test_every_code_of_stage_b_has_its_place() -> None:
    """F5 steps 8 to 10: in the pure part, in the adapter, or waiting for the risk layer."""
    second = {r.code for r in REASONS.values() if r.stage == "B"}
    assert second == {*FIRST_OF_B, *ADAPTER, *RISK}


# --- the invariant ---------------------------------------------------------------------

MARKETS = st.builds(
    random_frames,
    days=st.integers(14, 24),
    seed=st.integers(0, 500),
    volatility=st.floats(0.0003, 0.003),
)
RULES = st.builds(
    lambda block, least, ratio, away, trend, chop: replace(
        HEAD,
        signals=(*HEAD.signals, SIGNALS["range_breakout"], SIGNALS["range_fade"]),
        bias=replace(HEAD.bias, block_from=block, exit_from=1.0),
        vetoes=replace(
            HEAD.vetoes, min_confidence=least, min_reward_to_risk=ratio, extended_above=away
        ),
        regime=replace(HEAD.regime, trend_above=trend, chop_above=chop),
    ),
    st.floats(0.1, 1.0),
    st.floats(0.0, 0.9),
    st.floats(0.0, 3.0),
    st.floats(0.001, 0.05),
    st.floats(0.1, 0.9),
    st.floats(0.1, 0.9),
)


@settings(max_examples=25, deadline=None)
@given(MARKETS, RULES, st.sampled_from([BARE, LIGHT, FULL]))
def test_evaluations_are_passes_and_first_reasons_whatever_market_and_rules(
    frames: dict[str, Bars], rules: object, feeds: tuple[Feed, ...]
) -> None:
    """P6, F5: every bar is counted once, by one code, and that code failed there."""
    found = decide(frames, rules, feeds)  # type: ignore[arg-type]
    counts = found.counts()
    assert sum(counts.values()) == len(found) == len(frames["5m"])
    assert counts.get(OK, 0) == int((found.side != 0).sum()) == int((found.signal >= 0).sum())
    refused = np.flatnonzero(found.code)
    assert found.failing[refused, found.code[refused]].all()
    assert not found.failing[:, INDEX[OK]].any()
    assert all(REASONS[CODES[code]].stage == "A" for code in np.unique(found.code))
    assert not NEVER_FIRST & set(counts)
    for row in np.flatnonzero(found.code == 0)[:5]:
        assert found.verdict(int(row)).allowed


TRADES = st.lists(
    st.builds(
        lambda at, hold, profit, side, name: Entered(
            "BTC/USDT:USDT",
            side,
            name,
            NOON - at,
            None if hold is None else NOON - at + hold,
            0.0 if hold is None else profit,
        ),
        st.integers(0, 2 * DAY_MS),
        st.none() | st.integers(0, DAY_MS),
        st.floats(-5, 5),
        st.sampled_from(Side),
        st.sampled_from(["rests", "other"]),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TRADES, st.sampled_from(Side)), max_size=12))
def test_entries_asked_for_are_admissions_and_first_reasons(
    asked: list[tuple[list[Entered], Side]],
) -> None:
    """P6 for stage B: one code each, the first of those that failed."""
    signal = replace(trend_pullback, name="rests", cooldown_s=7200)
    verdicts = [
        admit("BTC/USDT:USDT", side, signal, NOON, trades, AdmissionRules())
        for trades, side in asked
    ]
    counts = {code: sum(v.code == code for v in verdicts) for code in (OK, *FIRST_OF_B)}
    assert sum(counts.values()) == len(asked)
    assert counts[OK] == sum(v.allowed for v in verdicts)
    for verdict in verdicts:
        assert verdict.codes[:1] == (() if verdict.allowed else (verdict.code,))
        assert list(verdict.codes) == sorted(verdict.codes, key=lambda code: INDEX[code])
