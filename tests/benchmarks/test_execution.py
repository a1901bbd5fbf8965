"""The execution bench is the same for the same seed, and its parts do what its page says."""

from __future__ import annotations

import math
import os
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.execution.bench import Plan, Result, measure
from benchmarks.execution.desk import Desk
from benchmarks.execution.drift import HORIZONS_S, LAGS_S, Tape, roughness, touch_fills
from benchmarks.execution.intervals import Interval, clustered_mean_of, mean_of, median_of
from benchmarks.execution.methods import (
    CANDLE,
    DROPPED,
    LIMIT_S,
    MARKET,
    STATIC,
    methods,
    reprice_once_a_candle,
)
from benchmarks.execution.page import render
from benchmarks.execution.reading import supported
from benchmarks.execution.recorded import VARIABLE, recorded_drifts
from benchmarks.execution.rows import DifferenceRow
from benchmarks.execution.speed import decision_speeds
from benchmarks.execution.trial import run
from benchmarks.execution.venue import Venue
from benchmarks.execution.windows import FIRST_DAY_MS, HOUR_MS, MARKETS, Window, draw_windows
from hydra_ft.execution.policy import PRESETS
from hydra_ft.types import Side
from loopback_exchange.market import Market
from loopback_exchange.matching.live_book import Pin

TINY = Plan(count=4, days=8, drift_windows=2)
NOON = FIRST_DAY_MS + 12 * HOUR_MS


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(seed=7)


@pytest.fixture(scope="module")
def result() -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE, raising=False)
        return measure(TINY, processes=1)


def window(side: Side = Side.LONG, **changes: object) -> Window:
    base = Window("calm", "BTCUSDT", side, NOON, 2_000, 30_000.0, 0.01)
    return replace(base, **changes)


def test_the_same_seed_gives_the_same_rows_on_one_process_and_on_two(
    result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    again = measure(TINY, processes=2)
    assert again == result
    assert measure(replace(TINY, seed=21), processes=1).methods != result.methods


def test_every_method_has_a_row_in_every_market(result: Result) -> None:
    names = [method.name for method in methods()]
    rows = [(row.market, row.method) for row in result.methods]
    assert rows == [(market, name) for market in MARKETS for name in names]
    assert {MARKET, STATIC, CANDLE, *PRESETS} <= set(names)
    assert {row.n for row in result.methods} == {TINY.count}
    for row in result.methods:
        assert row.completed.low <= row.completed.value <= row.completed.high
        assert 0 < row.filled <= 1
        assert math.isfinite(row.maker_share)


def test_the_page_holds_every_table_and_says_what_is_missing(result: Result) -> None:
    page = render(result, decision_speeds(200), 60.0)
    assert page.count("| static limit |") == 3 * len(MARKETS) + 1
    assert f"`{VARIABLE}` was not set" in page
    assert "nan" not in page.lower()
    assert max(map(len, page.split("## Figures", maxsplit=1)[0].splitlines())) < 400


def test_windows_share_no_hour_and_are_drawn_evenly(market: Market) -> None:
    drawn = draw_windows(market, 5, 30, 30)
    hours = [one.decided_at // HOUR_MS for one in drawn]
    assert len(set(hours)) == len(drawn) == 90
    assert {one.market for one in drawn} == set(MARKETS)
    assert {one.side for one in drawn} == set(Side)
    assert len({one.symbol for one in drawn}) == len(market.symbols)


def test_too_few_days_are_refused_by_name(market: Market) -> None:
    with pytest.raises(ValueError, match=r"fewer of .*trending.*Take more days"):
        draw_windows(market, 5, 30, 2)


def test_a_market_order_fills_at_once_as_a_taker(market: Market) -> None:
    for side in Side:
        trial = run(market, window(side), 0, methods()[0])
        assert trial.cost.fill_ratio == 1
        assert trial.cost.maker_share == 0
        assert trial.cost.fee_bps == pytest.approx(5, rel=0.01)
        assert trial.cost.seconds < 3
        assert trial.cost == trial.completed


def test_what_a_limit_order_misses_is_taken_at_the_limit(market: Market) -> None:
    """A third of a second is too short: all of it is opportunity, then all of it is bought."""
    static = replace(methods()[1], limit_s=2.3)
    trial = run(market, window(), 0, static)
    assert trial.cost.fill_ratio == 0
    assert trial.cost.total_bps == trial.cost.opportunity_bps
    assert trial.completed.fill_ratio == 1
    assert trial.completed.maker_share == 0


def test_static_never_requotes_and_a_chase_stays_within_its_limit(market: Market) -> None:
    drawn = draw_windows(market, 5, 4, 8)
    for number, one in enumerate(drawn):
        trials = {method.name: run(market, one, number, method) for method in methods()}
        assert trials[STATIC].cost.requotes == 0
        for name in PRESETS:
            assert trials[name].completed.fill_ratio == 1
            assert trials[name].cost.seconds <= LIMIT_S + 31


@pytest.mark.parametrize(("filled", "ends"), [(100, True), (0, False)])
def test_once_a_candle_drops_the_rest_of_a_part_and_moves_what_is_whole(
    market: Market, filled: int, ends: bool
) -> None:
    venue = Venue(market, "BTCUSDT")
    exchange, symbol = venue._exchange, venue.symbol
    exchange.book.pin(symbol, Pin(600_000, 600_001, 2_000, 2_000, 600_000, 1))
    desk = Desk(venue, window())
    reprice_once_a_candle(desk, NOON + 2_000)
    first = desk.working
    assert first is not None
    exchange.matcher.print_trade(symbol, 600_000, 2_000 + filled, NOON + 3_000, is_buy=False)
    exchange.book.pin(symbol, Pin(600_500, 600_501, 2_000, 2_000, 600_500, 2))
    reprice_once_a_candle(desk, NOON + 30_000)
    assert desk.working is not None, "within the candle nothing happens"
    assert desk.working.order_id == first.order_id
    reprice_once_a_candle(desk, NOON + 61_000)
    if ends:
        assert desk.parent.end_reason == DROPPED
        assert desk.working is None
    else:
        assert desk.working is not None
        assert desk.working.price == 60_050.0
    venue.close()


def test_a_passive_fill_earns_half_the_spread_and_loses_the_drift() -> None:
    """A sale meets the bid of 99.9 under a mid of 100; a second later the mid is 99."""
    tape = Tape(
        time=np.array([1_000, 1_000, 5_000]),
        price=np.array([99.9, 99.8, 99.0]),
        is_buy=np.array([False, False, True]),
        quote_time=np.array([0, 1_500, 40_000]),
        bid=np.array([99.9, 98.9, 98.9]),
        ask=np.array([100.1, 99.1, 99.1]),
    )
    edges, times = touch_fills(tape)
    assert times.tolist() == [1_000], "one sweep counts once; a price inside meets nobody"
    assert edges[0] == pytest.approx([10.0] + [100.0] * len(HORIZONS_S))


def test_a_random_walk_is_not_rough_and_a_bounce_is() -> None:
    dice = np.random.default_rng(3)
    steps = np.arange(40_000)

    def tape(log_price: np.ndarray) -> Tape:
        price, time = np.exp(log_price), steps * 1_000
        return Tape(time, price, steps > 0, time, price, price)

    walk = np.cumsum(dice.normal(0, 1e-4, len(steps)))
    assert roughness([tape(walk)]) == pytest.approx([1.0] * len(LAGS_S), abs=0.15)
    bounce = walk + dice.normal(0, 2e-4, len(steps))
    assert roughness([tape(bounce)])[0] > 5


def test_intervals_cover_what_they_estimate() -> None:
    sample = np.random.default_rng(1).normal(0.5, 1.0, 400)
    for figure in (mean_of(sample, 1), median_of(sample, 1)):
        assert figure.low < 0.5 < figure.high
        assert 0.1 < figure.high - figure.low < 0.35
        assert figure.excludes_zero
    assert not Interval(0.1, -0.1, 0.3).excludes_zero
    # Ten copies of forty figures are forty figures, not four hundred.
    copied, cluster = np.repeat(sample[:40], 10), np.repeat(np.arange(40), 10)
    wide, narrow = clustered_mean_of(copied, cluster, 1), mean_of(copied, 1)
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_what_is_supported_names_losses_as_well_as_gains(result: Result) -> None:
    zero = Interval(0.0, -1.0, 1.0)

    def row(method: str, value: float) -> DifferenceRow:
        figure = Interval(value, value - 0.5, value + 0.5)
        return DifferenceRow("calm", method, MARKET, 9, zero, zero, figure, zero, zero, zero)

    rows = [row("balanced", -2.0), row("urgent", 1.5), row("passive", 0.2)]
    first = supported(replace(result, differences=rows)).splitlines()[0]
    assert "Cheaper by (bps): balanced 2.00." in first
    assert "**Dearer** by: urgent 1.50." in first
    assert "Not told apart: passive." in first


@pytest.mark.ci
@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} does not name the data")
def test_the_recorded_tapes_are_read_by_the_same_rule() -> None:
    drifts = recorded_drifts(1)
    assert len(drifts) == 2
    for drift in drifts:
        assert drift.fills > 1_000
        assert drift.earned.value > 0
        assert drift.against[0].low > 0
