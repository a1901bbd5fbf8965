"""Each row of the audited systems has its features, and every feature named for one exists."""

from __future__ import annotations

import pytest

import hydra_ft.features  # noqa: F401  (fills the registry)
from hydra_ft.features.audited import AUDITED, render
from hydra_ft.features.documentation import render as page
from hydra_ft.features.registry import FEATURES

ROWS = (
    "moi_250ms", "moi_1s", "delta_velocity", "moi_std", "aggression_persistence", "moi_flip_rate",
    "price_change_5m", "dist_poc", "dist_lvn", "VAH", "VAL", "value_width_ratio",
    "time_inside_value_pct", "acceptance_outside_value", "vol_rank", "vol_5m", "ATR_5m",
    "30 s, 2 min, 5 min", "1, 4, 8, 24 h", "cascade", "exhaustion", "absorption",
    "liquidity_sweep", "refill_rate", "funding_z", "crowd", "cumulative_funding_24h",
    "hours at funding extreme", "oi_delta", "participation", "stale", "EMA20", "ATR_short",
    "price_change_1h", "high/low 4h", "structure by thirds", "RSI-14", "volume_ratio",
    "low_vol", "narrow_rng", "high_natr", "growth_filter", "signal",
)  # fmt: skip
"""The names of A2 and B of the audit."""
ASKED = (
    "parkinson", "garman_klass", "rogers_satchell", "yang_zhang", "efficiency", "choppiness",
    "adx", "variance_ratio", "vwap_upper", "amihud", "roll_spread", "corwin_schultz", "ofi",
    "queue_imbalance", "microprice_offset", "vpin", "kyle_lambda", "basis", "buy_stacks",
    "delta", "cvd", "trade_imbalance", "accepted_above", "scalp_all",
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_every_audited_row_is_answered(row: str) -> None:
    answers = [one for one in AUDITED if row in one.row]
    assert answers
    assert all(one.features or one.remark for one in answers)


@pytest.mark.parametrize("name", ASKED)
def test_every_feature_that_was_asked_for_is_registered_and_listed(name: str) -> None:
    listed = {named for one in AUDITED for named in one.features}
    assert [made for made in FEATURES if made.startswith(name) and made in listed]


def test_every_feature_named_for_a_row_exists() -> None:
    named = {name for one in AUDITED for name in one.features}
    assert named <= set(FEATURES)
    assert len(named) > 90


def test_the_table_is_on_the_page() -> None:
    table = render()
    assert table in page(FEATURES)
    assert table.count("\n") == len(AUDITED) + 1
