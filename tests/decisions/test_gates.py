"""Each gate, on both sides of its limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import HOUR, MINUTE, random_frames
from decisions.heads import FULL, HEAD, LIGHT, evaluated

from hydra_ft.bars.candles import close_time, part
from hydra_ft.decisions import gates
from hydra_ft.decisions.reasons import CODES, INDEX, REASONS, explain
from hydra_ft.decisions.rules import ClockRules, VetoRules
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars

FRAMES = random_frames(16, seed=4)
LAST = len(FRAMES["5m"]) - 1


def changed(timeframe: str, **arrays: object) -> dict[str, Bars]:
    return {**FRAMES, timeframe: replace(FRAMES[timeframe], **arrays)}


def test_healthy_data_is_fresh_and_warm_at_the_end() -> None:
    state = evaluated(FRAMES, HEAD, FULL)
    for gate in gates.data_gates(state):
        assert gate.allowed[-200:].all()
        assert (gate.code[gate.allowed] == 0).all()


def with_invented(timeframe: str, row: int) -> dict[str, Bars]:
    """Frames in which one bar is as freqtrade fills a hole."""
    bars = FRAMES[timeframe]
    arrays = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for values in arrays.values():
        values[row] = bars.close[row - 1]
    volume = bars.volume.copy()
    volume[row] = 0.0
    return changed(timeframe, volume=volume, **arrays)


def test_an_invented_bar_is_stale_at_that_bar_alone() -> None:
    """1-01: a bar that freqtrade filled in is no market data."""
    row = LAST - 20
    gate = gates.candles_fresh(evaluated(with_invented("5m", row), HEAD, LIGHT))
    assert list(np.flatnonzero(~gate.allowed)) == [row]
    assert CODES[gate.code[row]] == "data_stale:candles"


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_an_invented_coarse_bar_is_stale_while_it_is_the_newest(timeframe: str) -> None:
    bars = FRAMES[timeframe]
    row = len(bars) - 3
    gate = gates.candles_fresh(evaluated(with_invented(timeframe, row), HEAD, LIGHT))
    closed = close_time(FRAMES["5m"])
    seen = close_time(bars)[row]
    newest = (closed >= seen) & (closed < seen + bars.step_ms)
    np.testing.assert_array_equal(~gate.allowed, newest)


def test_a_frame_that_lags_is_stale_from_the_bar_it_misses() -> None:
    frames = {**FRAMES, "1h": part(FRAMES["1h"], 0, len(FRAMES["1h"]) - 2)}
    allowed = gates.candles_fresh(evaluated(frames, HEAD, LIGHT)).allowed
    closed = close_time(FRAMES["5m"])
    first = close_time(frames["1h"])[-1] + HOUR
    np.testing.assert_array_equal(allowed, closed < first)


def test_funding_goes_stale_after_its_interval_a_bar_and_a_quarter_hour() -> None:
    hour = FRAMES["1h"]
    assert hour.funding_rate is not None
    rate = hour.funding_rate.copy()
    last = int(np.flatnonzero(np.isfinite(rate[:-30]))[-1])
    rate[last + 1 :] = np.nan
    state = evaluated(changed("1h", funding_rate=rate), HEAD, LIGHT)
    allowed = gates.funding_fresh(state).allowed
    age = close_time(FRAMES["5m"]) - hour.time[last]
    limit = 8 * HOUR + HOUR + 15 * MINUTE
    tail = age > 0
    np.testing.assert_array_equal(allowed[tail], (age <= limit)[tail])
    assert not allowed[-1]


def test_open_interest_goes_stale_after_two_periods() -> None:
    hour = FRAMES["1h"]
    assert hour.open_interest is not None
    held = hour.open_interest.copy()
    held[-6:] = np.nan
    state = evaluated(changed("1h", open_interest=held), HEAD, FULL)
    allowed = gates.open_interest_fresh(state).allowed
    age = close_time(FRAMES["5m"]) - close_time(hour)[-7]
    assert (age > 2 * HOUR).any()
    assert not allowed[age > 2 * HOUR].any()
    assert allowed[(age > -20 * HOUR) & (age < 2 * HOUR)].all()


def test_the_clock_knows_hourly_settlement() -> None:
    hour = FRAMES["1h"]
    rate = np.full(len(hour), 0.0001)
    state = evaluated(changed("1h", funding_rate=rate), HEAD, LIGHT)
    blocked = close_time(FRAMES["5m"])[~gates.clock(state).allowed][-6:]
    assert set(blocked % HOUR) == {0, HOUR - 5 * MINUTE}


@pytest.mark.parametrize(
    ("field", "feed"), [("funding_rate", Feed.FUNDING), ("open_interest", Feed.OPEN_INTEREST)]
)
@pytest.mark.parametrize("empty", [True, False])
def test_a_listed_feed_that_is_missing_or_empty_blocks(field: str, feed: Feed, empty: bool) -> None:
    values = np.full(len(FRAMES["1h"]), np.nan) if empty else None
    state = evaluated(changed("1h", **{field: values}), HEAD, FULL)
    gate = {Feed.FUNDING: gates.funding_fresh, Feed.OPEN_INTEREST: gates.open_interest_fresh}[feed]
    found = gate(state)
    assert not found.allowed[-100:].any()
    assert CODES[found.code[-1]] == f"data_stale:{feed}"


def test_a_listed_feed_that_nothing_serves_blocks() -> None:
    head = replace(HEAD, feeds=(*FULL, Feed.BOOK, Feed.TRADES))
    frames = {**FRAMES, "5m": replace(FRAMES["5m"], book=None)}
    state = evaluated(frames, head, (*FULL, Feed.BOOK))
    codes = {CODES[g.code[-1]] for g in gates.data_gates(state)}
    assert "data_stale:book" in codes
    assert "data_stale:trades" not in codes


def test_too_few_bars_are_warm_up() -> None:
    """1-05, 1-06: the growth filter passed while it had too few candles; here that blocks."""
    frames = {tf: part(bars, 0, len(bars) // 4) for tf, bars in FRAMES.items()}
    gate = gates.warm(evaluated(frames, HEAD, LIGHT))
    assert not gate.allowed.any()
    assert {CODES[code] for code in gate.code} == {"warmup"}


def test_an_unknown_candle_feature_is_warm_up_whatever_its_cause() -> None:
    state = evaluated(FRAMES, HEAD, LIGHT)
    for key in ("adx_14_1h", "higher_low_30_4h"):
        column = state.features[key].copy()
        column[-3] = np.nan
        gate = gates.warm(replace(state, features={**state.features, key: column}))
        assert list(np.flatnonzero(~gate.allowed[-50:])) == [47]


@pytest.mark.parametrize("field", ["regime_confidence", "trend"])
def test_an_unknown_market_state_is_warm_up(field: str) -> None:
    state = evaluated(FRAMES, HEAD, LIGHT)
    column = getattr(state.market, field).copy()
    column[-3] = np.nan
    gate = gates.warm(replace(state, market=replace(state.market, **{field: column})))
    assert list(np.flatnonzero(~gate.allowed[-50:])) == [47]


def at(text: str) -> int:
    moment = datetime.strptime(f"2025-03-01 {text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("07:54:59", True),
        ("07:55:00", False),
        ("08:00:00", False),
        ("08:04:59", False),
        ("08:05:00", True),
        ("23:56:00", False),
        ("04:00:00", True),
    ],
)
def test_the_clock_blocks_five_minutes_around_settlement(text: str, passes: bool) -> None:
    """X42."""
    allowed = gates.outside_settlement(np.array([at(text)]), np.array([8 * HOUR]), ClockRules())
    assert allowed[0] == passes


def test_the_clock_follows_the_pairs_own_interval() -> None:
    four = np.array([4 * HOUR])
    assert not gates.outside_settlement(np.array([at("04:00:00")]), four, ClockRules())[0]
    hour = FRAMES["1h"]
    rate = np.where(hour.time % (4 * HOUR) == 0, 0.0001, np.nan)
    state = evaluated(changed("1h", funding_rate=rate), HEAD, LIGHT)
    blocked = close_time(FRAMES["5m"])[~gates.clock(state).allowed][-6:]
    assert set(blocked % (4 * HOUR)) == {0, 4 * HOUR - 5 * MINUTE}


def test_vetoes_stand_exactly_at_their_limits() -> None:
    rules = VetoRules()
    trust = np.array([0.49, 0.50, np.nan])
    assert gates.confident(trust, rules).allowed.tolist() == [False, True, True]
    stop = np.array([0.01, 0.01, np.nan])
    least = 0.0008 + 1.5 * 0.0108
    target = np.array([least - 1e-6, least, np.nan])
    assert gates.worthwhile(stop, target, rules).allowed.tolist() == [False, True, True]


def test_reward_to_risk_is_after_costs() -> None:
    """F5 step 8: twice the stop is less than 2 once fees are paid."""
    ratio = gates.reward_to_risk(np.array([0.01]), np.array([0.02]), VetoRules())
    assert ratio[0] == pytest.approx(0.0192 / 0.0108)


def test_volatility_veto_stands_at_three() -> None:
    state = evaluated(FRAMES, HEAD, LIGHT)
    column = np.full(LAST + 1, 3.0)
    column[-1] = 3.01
    state = replace(state, features={**state.features, "vol_expansion_20_1h": column})
    allowed = gates.volatility_calm(state).allowed
    assert allowed[:-1].all()
    assert not allowed[-1]


# --- reasons ---------------------------------------------------------------------------


def test_every_reason_has_words_and_one_place() -> None:
    """P6: each rejection has one reason code."""
    assert CODES[0] == "ok"
    assert len(set(CODES)) == len(CODES) == len(REASONS)
    for code in CODES:
        assert explain(code).strip()
        assert REASONS[code].stage in {"A", "B"}
    for feed in Feed:
        assert f"data_stale:{feed}" in INDEX
    for name in SIGNALS:
        assert f"regime_not_allowed:{name}" in INDEX
        assert f"signal_error:{name}" in INDEX


def test_reasons_stand_in_the_order_of_the_pipeline() -> None:
    order = [
        "ok",
        "data_stale:candles",
        "warmup",
        "funding_window",
        "regime_choppy",
        "regime_not_allowed:trend_pullback",
        "extended",
        "signal_error:trend_pullback",
        "no_signal",
        "bias_gate",
        "outranked",
        "veto_vol",
        "veto_conf",
        "veto_rr",
        "in_trade",
        "size_zero",
        "spread",
    ]
    places = [INDEX[code] for code in order]
    assert places == sorted(places)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(KeyError):
        gates.gate(np.ones(1, dtype=bool), "because")
