"""What a decision carries besides its code: numbers for the ledger, kinds of its columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import random_frames
from decisions.heads import BARE, FULL, HEAD, LIGHT, evaluated

from hydra_ft.bars.candles import part
from hydra_ft.decisions.gates import reward_to_risk
from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.decisions.reasons import CODES, INDEX
from hydra_ft.types import Bias, Feed, Regime, Side

if TYPE_CHECKING:
    from hydra_ft.types import Bars

FRAMES = random_frames(40, seed=12, volatility=0.0009)
SCORES = {"trend_score", "range_score", "chop_score"}
COMPARED = {"bias_score", "vol_expansion", "ema_distance", "reward_to_risk"}


@pytest.fixture
def decided() -> Decisions:
    return decide(FRAMES, HEAD, FULL)


@pytest.mark.parametrize(
    ("feeds", "fed"),
    [(BARE, set()), (LIGHT, {"funding_z"}), (FULL, {"funding_z", "open_interest_change"})],
)
def test_the_ledger_has_what_the_gates_compare_and_what_is_fed(
    feeds: tuple[Feed, ...], fed: set[str]
) -> None:
    assert set(decide(FRAMES, HEAD, feeds).numbers) == SCORES | COMPARED | fed


def test_each_number_is_the_column_that_its_name_says(decided: Decisions) -> None:
    """A10: what is shown is what gates."""
    state, numbers = evaluated(FRAMES, HEAD, FULL), decided.numbers
    expected = {
        "bias_score": state.market.bias_score,
        "vol_expansion": state.columns["vol_expansion_20_1h"],
        "ema_distance": state.columns["close_5m"] / state.columns["ema_20_1h"] - 1,
        "funding_z": state.columns["funding_z_168_1h"],
        "open_interest_change": state.columns["open_interest_change_24_1h"],
        "reward_to_risk": reward_to_risk(
            decided.candidate.stop, decided.candidate.target, HEAD.vetoes
        ),
        **{f"{name}_score": values for name, values in state.scores.items()},
    }
    assert set(expected) == set(numbers)
    for name, column in expected.items():
        np.testing.assert_array_equal(numbers[name], column, err_msg=name)
        assert np.isfinite(column).any(), name


def test_nothing_is_computed_with_a_warning() -> None:
    """Unknown and empty values are ordinary here: no numpy warning reaches the bot's log."""
    with np.errstate(all="raise", under="ignore"):
        assert len(decide(FRAMES, HEAD, FULL)) == len(FRAMES["5m"])
        flat = {tf: flattened(bars) for tf, bars in FRAMES.items()}
        assert "ok" not in decide(flat, HEAD, FULL).counts()


def flattened(bars: Bars) -> Bars:
    """Bars whose price never moves and whose volume is 0: ranges and sums to divide by are 0."""
    still = np.full(len(bars), 100.0)
    prices = dict.fromkeys(("open", "high", "low", "close"), still)
    return replace(bars, **prices, volume=np.zeros(len(bars)))


def test_bars_without_entry_carry_the_declared_blanks(decided: Decisions) -> None:
    blocked = decided.code != 0
    assert blocked.any()
    assert (decided.signal[blocked] == -1).all()
    assert (decided.side[blocked] == 0).all()
    assert (decided.max_hold_s[blocked] == 0).all()
    for name in ("confidence", "stop", "target"):
        assert np.isnan(getattr(decided, name)[blocked]).all()
        assert np.isfinite(getattr(decided, name)[~blocked]).all()
    assert np.isfinite(decided.candidate.confidence[blocked]).any()


def test_columns_have_their_declared_kinds(decided: Decisions) -> None:
    for name in ("signal", "side", "max_hold_s", "regime", "bias", "entry_state"):
        assert getattr(decided, name).dtype == np.int64, name
    assert decided.code.dtype == np.int16
    assert decided.failing.dtype == np.bool_
    assert decided.rules is HEAD
    assert decided.light is False
    assert decide(FRAMES, HEAD, BARE).light is True


def test_every_entry_is_the_row_of_its_signal(decided: Decisions) -> None:
    rows = np.flatnonzero(decided.code == 0)
    assert rows.size > 10
    for row in rows:
        entry = decided.entry(int(row))
        assert entry is not None
        made = HEAD.signals[decided.signal[row]]
        assert (entry.name, entry.max_hold_s) == (made.name, made.max_hold_s)
        assert entry.side is (Side.LONG if decided.side[row] == 1 else Side.SHORT)
        found = (entry.strength, entry.stop, entry.target)
        assert found == (decided.confidence[row], decided.stop[row], decided.target[row])
        assert decided.candidate.signal[row] == decided.signal[row]


def test_every_context_is_the_row_of_the_market(decided: Decisions) -> None:
    for row in np.flatnonzero(np.isfinite(decided.regime_confidence))[::500]:
        context = decided.context(int(row))
        assert context.regime is Regime(int(decided.regime[row]))
        assert context.bias is Bias(int(decided.bias[row]))
        assert context.regime_confidence == decided.regime_confidence[row]
        assert context.bias_strength == pytest.approx(decided.bias_strength[row], nan_ok=True)
        assert isinstance(context.regime_confidence, float)
        assert isinstance(context.bias_strength, float)
    early = decided.context(0)
    assert np.isnan([early.regime_confidence, early.bias_strength, early.trend]).all()


def test_the_code_of_a_bar_is_its_first_stopping_step_and_zero_where_none_stops(
    decided: Decisions,
) -> None:
    enters = decided.code == 0
    assert enters.any()
    assert not enters.all()
    last = decide({tf: part(bars, 0, 0) for tf, bars in FRAMES.items()}, HEAD, FULL)
    assert last.counts() == {}
    assert decided.counts() == {
        CODES[i]: int((decided.code == i).sum()) for i in np.unique(decided.code)
    }
    assert decided.counts()["ok"] == int(enters.sum())
    assert not decided.failing[enters][:, INDEX["no_signal"]].any()
