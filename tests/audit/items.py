"""The audited items of flow, regime, bias, signals, pipeline, sizes, limits and exits.

Each id is named by the test that shows it. What is left out on purpose, or stands with the
part that it belongs to, is listed with its reason.
"""

from __future__ import annotations

TABLES = ("T1", "T2", "T3")
CHECKS = ("P1", "P2", "P3", "P4", "P6", "P8", "P10", "F5", "F6")
NUMBERS = (
    *("X14", "X15", "X18", "X20", "X21", "X22", "X23", "X25", "X27", "X29", "X30"),
    *("X31", "X32", "X34", "X35", "X37", "X38", "X41", "X42", "X43"),
)
RISK_NUMBERS = (
    *("X40", "X45", "X46", "X48", "X58", "X59", "X63", "X66", "X68", "X69", "X75"),
    *("X84", "X86"),
)
FAULTS = (
    *("F-A11", "F-A12", "F-A13", "F-A14", "F-A15", "F-A16", "F-A17", "F-A18"),
    *("F-A19", "F-A20", "F-A21", "F-A22", "F-A23"),
)
RISK_FAULTS = (
    *("F-A24", "F-A25", "F-C7", "F-C8", "F-C9", "F-C10", "F-C11", "F-C12", "F-C13"),
    *("F-C14", "F-C15", "F-C16", "F-D8", "F-D9", "F-D10", "F-E16", "F-E17", "F-E18"),
    "F-E19",
)
FLOW_NUMBERS = (
    *("X01", "X02", "X03", "X05", "X06", "X07", "X08", "X10", "X11", "X13", "X17"),
    *("X51", "X53", "X54", "X55", "X57", "T5", "T7"),
)
FLOW_FAULTS = (
    *("F-A1", "F-A2", "F-A3", "F-A4", "F-A5", "F-A6", "F-A7", "F-A8", "F-A9", "F-A10"),
    *("F-B1", "F-B2", "F-B3", "F-B4", "F-B5", "F-B6"),
)
STAGES = ("A7", "A8-6", "A8-7")
"""Sizes of the engine; stage 6, the sizer; stage 7, the exits and the day."""
REQUIREMENTS = ("2-11", "2-12", "2-13", "2-15", "2-16", "2-17", "2-18", "2-19", "3-14")
ITEMS = (
    *(*TABLES, *CHECKS, *NUMBERS, *RISK_NUMBERS),
    *(*FAULTS, *RISK_FAULTS, *STAGES, *REQUIREMENTS),
    *(*FLOW_NUMBERS, *FLOW_FAULTS),
)

ELSEWHERE = {
    "2-14": "freqtrade's one path of orders; host.py, beside it, may only cancel and reduce",
    "F-D11": "reconciliation is the order route's: tests/e2e/test_reconciliation.py",
    "X72": "order blocks come with HydraStructure",
    "X90": "a regime score of E's; here the confidence of the regime is the factor (X40)",
}

SHOWN = {
    "acceptance of 3 minutes": "decisions/test_flow_exits.py::"
    "test_a_breakout_has_an_hour_to_be_accepted",
    "flow exits of stage 7": "decisions/test_flow_exits.py::"
    "test_takers_against_a_position_for_some_bars_on_end_close_it",
    "growth filter of the scalper": "signals/test_scalp.py::test_each_criterion_can_forbid_it",
    "signal-off push": "adapter/test_edges.py::test_each_edge_is_told_once",
    "engine sizing multiplier": "audit/test_risk_behaviours.py::"
    "test_the_multiplier_reaches_the_size",
    "drawdown stop": "risk/test_pauses.py::test_a_drawdown_pauses_at_its_limit_and_the_pause_ends",
    "emergency price update": "e2e/test_barriers_on_exchange.py::"
    "test_a_position_whose_stop_cannot_rest_is_left_by_the_bot",
    "trailing stop": "e2e/test_barriers.py::test_a_stop_locks_and_trails_in_r",
    "validation of stop moves": "risk/test_exits.py::test_a_stop_never_loosens_on_any_path",
    "protection check": "e2e/test_barriers_on_exchange.py::"
    "test_a_position_that_lost_its_stop_has_one_within_a_loop",
    "hydration with a stop": "e2e/test_barriers_restarts.py::"
    "test_p8_a_trade_of_which_a_part_was_taken_is_the_same_after",
    "one definition of R": "adapter/test_risk_parameters.py::"
    "test_r_has_the_greater_one_of_the_policys_and_the_venues_fee",
}
"""F6: what the originals describe and do not perform, and the test that shows it here."""

ABSENT = {
    "Levels of the profile as exits": "with R >= 0.3 alone, which a column does not know",
    "volume_ratio": "no gate reads it: a thin market is seen by its stale candles and its spread",
    "time filter by volume": "see volume_ratio; settlements are the clock's",
    "Tranches A and B": "one position per pair; a ladder in R closes it in parts",
    "Tiers of risk by probability": "a confidence is no probability; Kelly caps where one is given",
    "Targets that grow": "F-C13: up to 27 times in the original; the stop follows instead",
}
"""F6: behaviours of the audited systems that are not here, and why; first word told to users."""
