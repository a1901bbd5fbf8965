"""When the market has turned against a position: exits that are columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.market.bias import bias_allows
from hydra_ft.types import BoolArray, CodeArray, Regime, Side

if TYPE_CHECKING:
    from hydra_ft.decisions.evaluation import Evaluation

EXIT_TAGS = ("", "bias_flip", "regime_turn")
"""Exit tags by index; 0 means that nothing asks for an exit."""


def exit_tags(state: Evaluation, side: Side) -> CodeArray:
    """Why a position of the side should be closed: bias strongly against, regime turned.

    The regime turns where it is against the side and was not a market bar ago: a reversal
    that is entered against a standing regime is not closed by it. Nothing is closed on what
    is not known; then the stop stands guard.
    """
    market, rules = state.market, state.rules.bias
    known = np.isfinite(market.bias_strength)
    against = ~bias_allows(market.bias, market.bias_strength, side, rules.exit_from) & known
    opposed = market.regime == int(Regime.DOWN if side is Side.LONG else Regime.UP)
    turned = opposed & ~_earlier(opposed, state) & np.isfinite(market.regime_confidence)
    tags = np.where(against & rules.hard, EXIT_TAGS.index("bias_flip"), 0)
    return np.where(tags == 0, turned * EXIT_TAGS.index("regime_turn"), tags).astype(np.int16)


def _earlier(claim: BoolArray, state: Evaluation) -> BoolArray:
    """The claim one market bar ago; True, which closes nothing, where that is not known."""
    bars = timeframe_ms(state.rules.market) // timeframe_ms(state.rules.base)
    known = np.isfinite(state.market.regime_confidence)
    out = np.ones(claim.shape, dtype=np.bool_)
    out[bars:] = claim[: claim.shape[0] - bars] | ~known[: claim.shape[0] - bars]
    return out
