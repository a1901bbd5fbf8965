"""What was decided on the last closed bar of a pair: for the callbacks, the log, the store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_ft.bars.volatility import volatility_bps
from hydra_ft.errors import StoreError
from hydra_ft.store.decisions import DecisionRow, DecisionStore
from hydra_ft.types import Bias, Regime, Side

if TYPE_CHECKING:
    from hydra_ft.decisions.pipeline import Decisions, HeadRules
    from hydra_ft.types import Bars

logger = logging.getLogger(__name__)

KEPT_MS = 90 * 86_400_000
"""How long decisions are kept: a quarter, some 26,000 rows of 5m bars a pair."""


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The newest row of a pair's decisions; ``at`` is the open time of the bar (UTC ms).

    ``close`` is the price that it was decided on, ``volatility_bps`` how far the price
    moves within a second (``bars/volatility.py``).
    """

    at: int
    side: int
    exits_long: bool
    exits_short: bool
    close: float = 0.0
    volatility_bps: float = 0.0

    def enters(self, side: Side) -> bool:
        """Whether this bar enters on a side."""
        return self.side == side.sign

    def leaves(self, side: Side) -> bool:
        """Whether this bar leaves a position on a side."""
        return self.exits_long if side is Side.LONG else self.exits_short


def last_of(decisions: Decisions, bars: Bars) -> LastDecision | None:
    """Newest row of the decisions on these bars, None when there is no bar at all."""
    if not len(decisions.time):
        return None
    return LastDecision(
        at=int(decisions.time[-1]),
        side=int(decisions.side[-1]),
        exits_long=bool(decisions.exit_long[-1]),
        exits_short=bool(decisions.exit_short[-1]),
        close=float(bars.close[-1]),
        volatility_bps=volatility_bps(bars.close, bars.step_ms),
    )


def funnel(decisions: Decisions) -> str:
    """How many bars were decided, and how many ended with each first code."""
    counts = decisions.counts()
    reasons = ", ".join(f"{code} {count}" for code, count in counts.items())
    return f"{len(decisions)} bars decided: {reasons}"


def row_of(pair: str, decisions: Decisions, rules: HeadRules, step_ms: int) -> DecisionRow:
    """Newest row of the decisions, as it is stored."""
    verdict = decisions.verdict(-1)
    chosen, side = int(decisions.signal[-1]), int(decisions.side[-1])
    at = int(decisions.time[-1]) + step_ms
    return DecisionRow(
        pair=pair,
        at=at,
        until=at,
        bars=1,
        code=verdict.code,
        codes=verdict.codes,
        side={1: Side.LONG.value, -1: Side.SHORT.value}.get(side, ""),
        signal=rules.signals[chosen].name if chosen >= 0 else "",
        confidence=float(decisions.confidence[-1]) if chosen >= 0 else None,
        regime=Regime(int(decisions.regime[-1])).name,
        bias=Bias(int(decisions.bias[-1])).name,
        light=decisions.light,
    )


class Ledger:
    """Writes the decision on each new bar once."""

    def __init__(self, store: DecisionStore, rules: HeadRules, step_ms: int) -> None:
        self._store = store
        self._rules = rules
        self._step_ms = step_ms
        self._written: dict[str, int] = {}
        self._pruned_at = 0

    def write(self, pair: str, decisions: Decisions) -> None:
        """Log and store the newest decision of a pair, unless its bar was written before."""
        if not len(decisions.time) or self._written.get(pair) == int(decisions.time[-1]):
            return
        row = row_of(pair, decisions, self._rules, self._step_ms)
        self._written[pair] = int(decisions.time[-1])
        logger.info(
            "%s: %s (regime %s, bias %s%s)%s",
            pair,
            row.code,
            row.regime,
            row.bias,
            ", light" if row.light else "",
            f" {row.signal} {row.side}" if row.signal else "",
        )
        try:
            self._store.record([row])
            if row.at - self._pruned_at > 86_400_000:
                self._store.forget_before(row.at - KEPT_MS)
                self._pruned_at = row.at
        except StoreError as error:
            # The bar's decision stands, exits among it, whether it can be noted or not.
            logger.error("The decision on %s was not stored: %s", pair, error)  # noqa: TRY400
