"""``custom_stake_amount`` of a real head: whatever it is asked, no stake is NaN or too large.

Called without its guard, so that nothing passes by being caught.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from math import inf, isfinite, nan
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.persistence import disable_database_use, enable_database_use
from freqtrade.resolvers import StrategyResolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_ft.adapter.decisions.stage_b import StageB
from hydra_ft.adapter.sizes.terms import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
PAIR, TAG = "BTC/USDT:USDT", "trend_pullback|UP|LONG"
STEP_MS, HOUR_MS = 300_000, 3_600_000
BARS = 300
TIMES = np.arange(BARS) * HOUR_MS
CLOSES = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.002, BARS)))
NOW = datetime.fromtimestamp(BARS * HOUR_MS / 1e3, tz=UTC)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """HydraFlow as freqtrade loads it for a backtest, with the books of an empty account."""
    folder = tmp_path_factory.mktemp("home")
    example = json.loads((REPOSITORY / "config.json.example").read_text(encoding="utf-8"))
    place = {"strategy": "HydraFlow", "strategy_path": str(REPOSITORY / "strategies")}
    (folder / "config.json").write_text(json.dumps(example | place), encoding="utf-8")
    asked = {"config": [str(folder / "config.json")], "user_data_dir": str(folder)}
    made = StrategyResolver.load_strategy(Configuration(asked, RunMode.BACKTEST).get_config())
    made.ft_load_hyper_params()
    limits = made.limit_verdict
    made.stage_b = StageB(lambda: made.rules_in_force, None, 3, STEP_MS, limits=limits)
    made.__dict__["_kept_fees"] = {PAIR: 0.001}
    disable_database_use("5m")
    yield made
    enable_database_use()


def table(side: int, stop: float, **numbers: float) -> Table:
    """One decision on the newest bar."""
    usual = {"target": 3 * stop, "confidence": 0.9, "regime_confidence": 0.8, "bias_strength": 0.2}
    columns = {name: np.array([value]) for name, value in (usual | numbers).items()}
    time = np.array([BARS * HOUR_MS - STEP_MS])
    decisions: Any = SimpleNamespace(
        time=time,
        side=np.array([side]),
        bias=np.array([side]),
        stop=np.array([stop]),
        numbers={"vol_expansion": np.array([1.0])},
        **columns,
    )
    spread = np.array([0.001])
    return Table(decisions, CLOSES[-1:], spread, STEP_MS, TIMES, CLOSES, HOUR_MS, 0.001)


def stake(head: Any, tables: dict[str, Table], equity: float, **asked: Any) -> float:
    head.__dict__["_kept_tables"] = tables
    head.wallets = SimpleNamespace(
        get_total_stake_amount=lambda: equity, get_total=lambda _currency: equity
    )
    usual = {"current_rate": 100.0, "proposed_stake": 50.0, "min_stake": 5.0, "max_stake": 1e5}
    usual |= {"leverage": 3.0, "entry_tag": TAG, "side": "long"} | asked
    unguarded = type(head).custom_stake_amount.__wrapped__
    return float(unguarded(head, pair=PAIR, current_time=NOW, **usual))


def test_an_entry_of_this_head_gets_a_stake(head: Any) -> None:
    """So that what follows is not kept by refusing everything."""
    made = stake(head, {PAIR: table(1, 0.012)}, 10_000.0)
    assert 100 < made < 10_000 * head.risk.sizing.max_stake_share


ODD = st.sampled_from([nan, inf, -inf, 0.0, -1.0, 1e-300, 1e300])
WHATEVER = st.one_of(st.floats(), ODD)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    side=st.sampled_from([1, -1, 0]),
    stop=st.one_of(st.floats(0.003, 0.03), WHATEVER),
    confidence=st.one_of(st.floats(0, 1), WHATEVER),
    equity=st.one_of(st.floats(10, 1e6), WHATEVER),
    rate=st.one_of(st.floats(1, 1e5), WHATEVER),
    least=st.one_of(st.none(), st.floats(0, 100), WHATEVER),
    most=st.one_of(st.floats(0, 1e5), WHATEVER),
    leverage=st.one_of(st.floats(1, 20), WHATEVER),
)
def test_no_input_gives_a_stake_above_a_cap_a_negative_one_or_nan(
    head: Any, side: int, stop: float, confidence: float, equity: float, **asked: Any
) -> None:
    rate, least = asked["rate"], asked["least"]
    most, leverage = asked["most"], asked["leverage"]
    made = stake(
        head,
        {PAIR: table(side, stop, confidence=confidence)},
        equity,
        current_rate=rate,
        min_stake=least,
        max_stake=most,
        leverage=leverage,
        side="short" if side < 0 else "long",
    )
    rules = head.risk.sizing
    assert isfinite(made)
    assert made >= 0
    if made:
        slack = 1 + 1e-6
        assert made <= most * slack
        assert made >= (least or 0.0)
        assert made <= equity * rules.max_stake_share * slack
        assert made * leverage <= equity * rules.max_notional_share * slack
        risk = made * leverage * (stop + rules.round_trip_fee)
        assert risk <= equity * rules.risk_per_trade * rules.max_conviction * slack


@pytest.mark.parametrize("equity", [nan, 0.0, -5.0, inf])
def test_an_account_that_is_not_known_or_empty_gets_nothing(head: Any, equity: float) -> None:
    assert stake(head, {PAIR: table(1, 0.012)}, equity) == 0


def test_without_a_table_nothing_is_bought(head: Any) -> None:
    assert stake(head, {}, 10_000.0) == 0


def test_the_other_side_of_a_decision_is_not_bought(head: Any) -> None:
    assert stake(head, {PAIR: table(-1, 0.012)}, 10_000.0) == 0


def test_what_no_signal_has_decided_keeps_freqtrades_stake(head: Any) -> None:
    assert stake(head, {}, nan, entry_tag="force_entry", proposed_stake=77.0) == 77
