"""Which features answer each row of the audited systems, in its sound form.

One entry a row of what Hydra V3 and the 10-second scalper computed: what it was called there,
the features that are it here, and what is different. The page of the features shows it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Audited(NamedTuple):
    """A row of an audited system; ``features`` is empty where something else answers it."""

    system: str
    row: str
    features: tuple[str, ...]
    remark: str = ""


_V3 = "Hydra V3"
_SCALPER = "10-second scalper"
_ASKED = "Hydra"

_ORDER_FLOW = (
    Audited(
        _V3, "moi_250ms, moi_1s", ("trade_imbalance_1", "trade_imbalance_4", "trade_imbalance_12"),
        "shares, not coins (F-A3); in time, empty bars count (F-A1); raw: `delta`, `cvd_12`",
    ),
    Audited(_V3, "raw MOI", ("delta", "cvd_12", "cvd_48", "delta_multiple_48"), "F-A3"),
    Audited(_V3, "delta_velocity", ("delta_velocity_4",)),
    Audited(_V3, "moi_std", ("imbalance_deviation_60",), "a scale, not a test: sums overlap"),
    Audited(_V3, "aggression_persistence", ("aggression_persistence_60",)),
    Audited(_V3, "moi_flip_rate", ("flip_rate_48",), "a run through 0 counts once"),
    Audited(_V3, "price_change_5m", ("change_1",), "on 5m bars; F-A11"),
    Audited(
        _V3, "order flow of the book", ("ofi", "ofi_deep", "ofi_z_48"),
        "what F-A3 says true order flow needs",
    ),
    Audited(
        _V3, "book imbalance, depth", ("depth_imbalance", "queue_imbalance",
        "queue_imbalance_close", "depth_ratio_48", "spread_bps", "weighted_offset_bps",
        "microprice_offset_bps"),
    ),
)  # fmt: skip
_STRUCTURE = (
    Audited(_V3, "POC, dist_poc", ("poc_distance_14", "previous_poc_distance_14"), "F-A4"),
    Audited(
        _V3, "VAH, VAL", ("value_high_distance_14", "value_low_distance_14",
        "previous_value_high_distance_14", "previous_value_low_distance_14"), "F-A5",
    ),
    Audited(
        _V3, "LVN, dist_lvn", ("node_distance_14",),
        "all nodes are found; the nearest below and above are kept",
    ),
    Audited(_V3, "value_width_ratio", ("value_width_ratio_48",)),
    Audited(_V3, "time_inside_value_pct", ("time_inside_12", "time_above_12", "time_below_12")),
    Audited(
        _V3, "acceptance_outside_value", ("accepted_above_12", "accepted_below_12",
        "volume_above_12", "volume_below_12"), "by side, by time, of a profile that was over: F-A6",
    ),
    Audited(_V3, "ATR_5m, ATR_1h", ("atr_14", "natr_14"), "on 5m and 1h bars"),
    Audited(_V3, "vol_5m", ("realised_vol_24",)),
    Audited(_V3, "vol_rank", ("volatility_rank_120",)),
    Audited(
        _ASKED, "imbalanced and stacked levels", ("buy_imbalance_share", "sell_imbalance_share",
        "level_balance_12", "buy_stacks_12", "sell_stacks_12", "buy_stack_distance_48",
        "sell_stack_distance_48"), "by volume and true adjacency",
    ),
)  # fmt: skip
_FORCED = (
    Audited(
        _V3, "liquidations of 30 s, 2 min, 5 min", ("liquidated_30_s", "liquidated_120_s",
        "liquidated_300_s", "liquidated_imbalance_30_s", "liquidated_imbalance_120_s",
        "liquidated_imbalance_300_s"), "by the side of the position: F-A7",
    ),
    Audited(
        _V3, "liquidations of 1, 4, 8, 24 h", ("liquidation_total_12", "liquidation_total_48",
        "liquidation_total_96", "liquidation_total_24", "liquidation_imbalance_12",
        "liquidation_imbalance_48"),
    ),
    Audited(
        _V3, "cascade", ("cascade_30_s", "liquidation_peak_30_s", "liquidation_ratio_12"),
        "multiples of the pair's own usual before it: F-A8, F-A13",
    ),
    Audited(_V3, "exhaustion", ("exhaustion_30_s",), "F-A8"),
    Audited(
        _V3, "absorption", ("absorption", "absorption_z_100", "signed_absorption_100"), "F-A9",
    ),
    Audited(
        _V3, "liquidity_sweep", ("bid_swept_12", "ask_swept_12", "sweep_balance_12"),
        "by price, and trades went through: F-A10",
    ),
    Audited(_V3, "refill_rate", ("bid_refill_per_s", "ask_refill_per_s")),
)  # fmt: skip
_DERIVATIVES = (
    Audited(_V3, "funding_z", ("funding_z_168", "funding_last_24"), "by settlements: F-A2"),
    Audited(_V3, "crowd", ("funding_crowd_168",), "by the rate itself, too"),
    Audited(_V3, "cumulative_funding_24h", ("funding_sum_24",), "by time: F-A2"),
    Audited(_V3, "hours at funding extreme", ("funding_extreme_24", "funding_interval_48")),
    Audited(
        _V3, "oi_delta, oi_change_1h, 4h, 24h", ("open_interest_change_1",
        "open_interest_change_4", "open_interest_change_24"),
    ),
    Audited(_V3, "participation", ("participation_1", "participation_24")),
    Audited(_V3, "stale", (), "the gate `data_stale:<feed>`"),
    Audited(_ASKED, "basis", ("basis", "basis_z_168")),
)  # fmt: skip
_ALPHA = (
    Audited(_V3, "EMA20, EMA50", ("ema_20", "ema_50")),
    Audited(_V3, "ATR_short, ATR_long", ("atr_5", "atr_20", "vol_expansion_20")),
    Audited(
        _V3, "price_change_1h, 4h, 24h, 48h", ("change_1", "change_4", "change_24", "change_48"),
        "F-A11",
    ),
    Audited(_V3, "high/low 4h and 24h", ("high_4", "low_4", "high_24", "low_24")),
    Audited(
        _V3, "structure by thirds", ("higher_high_30", "lower_high_30", "higher_low_30",
        "lower_low_30"), "swings, known when they are",
    ),
    Audited(_V3, "RSI-14", ("rsi_14", "rsi_high_12", "rsi_low_12"), "on closed bars: F-A12"),
    Audited(_V3, "volume_ratio", (), "was never updated; left out"),
)  # fmt: skip
_TEN_SECONDS = (
    Audited(_SCALPER, "low_vol", ("scalp_low_volume_20",), "the bars before: F-B3"),
    Audited(_SCALPER, "narrow_rng", ("scalp_narrow_range_30",), "F-B3"),
    Audited(
        _SCALPER, "high_natr", ("scalp_high_natr_20", "natr_mean_20", "natr_wilder_20"), "F-B2"
    ),
    Audited(_SCALPER, "growth_filter", ("scalp_growth_50", "change_50"), "fails closed: F-B4"),
    Audited(_SCALPER, "signal", ("scalp_all_50",), "hit rates: `scalper.hit_rates` (F-B5)"),
)
_FURTHER = (
    Audited(_ASKED, "VPIN", ("vpin_240",)),
    Audited(_ASKED, "Kyle's lambda", ("kyle_lambda_48", "root_lambda_48")),
    Audited(
        _ASKED, "Amihud, Roll, Corwin-Schultz", ("amihud_24", "roll_spread_24",
        "corwin_schultz_24"),
    ),
    Audited(
        _ASKED, "Parkinson, Garman-Klass, Rogers-Satchell, Yang-Zhang", ("parkinson_24",
        "garman_klass_24", "rogers_satchell_24", "yang_zhang_24"),
    ),
    Audited(_ASKED, "Kaufman ER, CHOP, ADX", ("efficiency_24", "choppiness_14", "adx_14")),
    Audited(_ASKED, "variance ratio", ("variance_ratio_96", "variance_ratio_z_96")),
    Audited(
        _ASKED, "rolling VWAP with bands", ("vwap_20", "vwap_24", "vwap_upper_24",
        "vwap_lower_24", "vwap_distance_24"),
    ),
)  # fmt: skip
AUDITED: Final = (
    *_ORDER_FLOW, *_STRUCTURE, *_FORCED, *_DERIVATIVES, *_ALPHA, *_TEN_SECONDS, *_FURTHER,
)  # fmt: skip


def render() -> str:
    """Table of the rows, for the page of the features."""
    lines = ["| system | row | features | remark |", "|---|---|---|---|"]
    lines += [
        f"| {one.system} | {one.row} | {', '.join(f'`{n}`' for n in one.features)} | {one.remark} |"
        for one in AUDITED
    ]
    return "\n".join(lines)
