"""Codes with which risk refuses; the ledger's words for them are in ``decisions/reasons.py``."""

from __future__ import annotations

OK = "ok"

FEES_TOO_HIGH = "fees_too_high"
SIZE_ZERO = "size_zero"
STOP_TOO_TIGHT = "stop_too_tight"
BELOW_MIN = "below_min"

ACCOUNT_UNKNOWN = "account_unknown"
VETO_DAY_LOSS = "veto_day_loss"
VETO_DRAWDOWN = "veto_drawdown"
VETO_AVERAGING = "veto_averaging"
VETO_SIDE_SHARE = "veto_side_share"
VETO_CAPITAL = "veto_capital"
VETO_OPEN_RISK = "veto_open_risk"
VETO_CORR = "veto_corr"
VETO_VAR = "veto_var"

LIMIT_CODES = (
    ACCOUNT_UNKNOWN,
    VETO_DAY_LOSS,
    VETO_DRAWDOWN,
    VETO_AVERAGING,
    VETO_SIDE_SHARE,
    VETO_CAPITAL,
    VETO_OPEN_RISK,
    VETO_CORR,
    VETO_VAR,
)
"""Codes of the limits, in the order in which they are looked at."""

DAY_LOSS = "day_loss"
"""Reason of the exits with which a lost day closes everything; the rule of their stops, too."""

SIZE_CODES = (FEES_TOO_HIGH, SIZE_ZERO, STOP_TOO_TIGHT, BELOW_MIN)
"""Codes of the size, in the order in which they are looked at."""
