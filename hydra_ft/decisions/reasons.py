"""Every reason for not trading, with its place in the order and its words.

A code is what the ledger stores; ``CODES`` gives each an index, in the order of the
pipeline: the first failing step of a bar is the failing code with the lowest index. Codes
with a ``:`` name a feed or a signal. Index 0, ``ok``, means that the bar trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import hydra_ft.signals  # noqa: F401  (fills SIGNALS, from which codes are made)
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = "ok"


@dataclass(frozen=True, slots=True)
class Reason:
    """One code: stage ``A`` (pure, per bar) or ``B`` (when freqtrade asks), and its words."""

    code: str
    stage: str
    text: str


def _stage_a() -> list[Reason]:
    """Reasons of stage A in the order of the pipeline."""
    stale = [
        Reason(f"data_stale:{feed}", "A", f"the {feed.replace('_', ' ')} feed is stale or empty")
        for feed in Feed
    ]
    forbidden = [
        Reason(f"regime_not_allowed:{name}", "A", f"the regime does not permit {name}")
        for name in SIGNALS
    ]
    failed = [
        Reason(f"signal_error:{name}", "A", f"{name} could not be computed and was left out")
        for name in SIGNALS
    ]
    return [
        *stale,
        Reason("warmup", "A", "there are not enough closed bars yet for every feature"),
        Reason("funding_window", "A", "funding is settled too close to this bar's close"),
        Reason("regime_choppy", "A", "the market is choppy"),
        *forbidden,
        Reason("extended", "A", "the price has run away from its average: no trend following"),
        *failed,
        Reason("no_signal", "A", "no permitted signal fires"),
        Reason("bias_gate", "A", "the higher timeframe's bias is against the signal's side"),
        Reason("outranked", "A", "another signal is more confident"),
        Reason("veto_vol", "A", "volatility is expanding too fast"),
        Reason("veto_conf", "A", "the best signal is not confident enough"),
        Reason("veto_rr", "A", "reward to risk after costs is too small"),
        Reason("veto_turn", "A", "the market has just turned against the signal's side"),
    ]


_STAGE_B = (
    ("in_trade", "a trade of this pair is open already"),
    ("no_slot", "all trade slots are taken"),
    ("pair_locked", "the pair is locked"),
    ("veto_daily", "the day's number of trades is reached"),
    ("veto_losses", "trading pauses after losses in a row"),
    ("veto_side", "too many positions on this side"),
    ("cooldown", "the signal has entered this pair a short while ago"),
    ("account_unknown", "the equity or a position of the account is not known now"),
    ("veto_day_loss", "the day's budget for losses is used up"),
    ("veto_drawdown", "entries pause after a drawdown"),
    ("veto_averaging", "a position of this pair and side is losing: nothing is added to it"),
    ("veto_side_share", "the positions on this side together are too large"),
    ("veto_capital", "the head has bound its share of the capital"),
    ("veto_open_risk", "too much would be lost if every stop were hit"),
    ("veto_corr", "too much exposure in correlated pairs"),
    ("veto_var", "a bad day could cost more than allowed"),
    ("fees_too_high", "the venue's fees contradict the risk policy"),
    ("size_zero", "the position would have no size"),
    ("stop_too_tight", "the stop is nearer than twice the round-trip fee"),
    ("below_min", "the exchange's minimum would need more risk than allowed"),
    ("quote_stale", "there is no quote, or one too old to act on"),
    ("spread", "the spread is too wide"),
    ("slippage", "the expected slippage is too high"),
    ("breaker", "a circuit breaker is open"),
    ("adapter_error", "Hydra failed while deciding, and so declined"),
    ("outcome_unknown", "what became of an earlier order of the pair is not known yet"),
    ("host_declined", "freqtrade declined the entry"),
    ("working", "the entry order works; how it ends is not known yet"),
    ("not_filled", "the entry order was not filled"),
)

FILLED = "filled"
"""Outcome of a bar that passed both stages and whose order has filled."""


def _all() -> dict[str, Reason]:
    passed = Reason(OK, "A", "every gate passes")
    second = [Reason(code, "B", text) for code, text in _STAGE_B]
    return {reason.code: reason for reason in (passed, *_stage_a(), *second)}


REASONS: Mapping[str, Reason] = MappingProxyType(_all())
CODES: tuple[str, ...] = tuple(REASONS)
INDEX: Mapping[str, int] = MappingProxyType({code: i for i, code in enumerate(CODES)})


def explain(code: str) -> str:
    """Words for a code; raises KeyError for one that is not registered."""
    return REASONS[code].text
