"""When the market has turned against a position: exits that are columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.decisions.flow_exits import exit_features, flow_reversed, value_rejected
from hydra_ft.features.registry import column_key
from hydra_ft.market.bias import bias_allows
from hydra_ft.types import BoolArray, CodeArray, Feed, FloatArray, Regime, Side

if TYPE_CHECKING:
    from hydra_ft.decisions.evaluation import Evaluation
    from hydra_ft.decisions.rules import HeadRules

EXIT_TAGS = ("", "bias_flip", "regime_turn", "value_rejected", "flow_reversal")
"""Exit tags by index, the first that holds is given; 0 means that nothing asks for an exit."""


def exit_tags(state: Evaluation, side: Side) -> CodeArray:
    """Why a position of the side should be closed: bias against, regime turned, flow against.

    The regime turns where it is against the side and was not a market bar ago: a reversal
    that is entered against a standing regime is not closed by it. What flow says is heard
    where trades are listed. Nothing is closed on what is not known; then the stop stands guard.
    """
    market, rules = state.market, state.rules.bias
    known = np.isfinite(market.bias_strength)
    against = ~bias_allows(market.bias, market.bias_strength, side, rules.exit_from) & known
    opposed = market.regime == int(Regime.DOWN if side is Side.LONG else Regime.UP)
    turned = opposed & ~_earlier(opposed, state) & np.isfinite(market.regime_confidence)
    asked = [against & rules.hard, turned, *_by_flow(state, side)]
    tags = np.zeros(against.shape, dtype=np.int16)
    for tag in range(len(asked), 0, -1):
        tags[asked[tag - 1]] = tag
    return tags


def _by_flow(state: Evaluation, side: Side) -> tuple[BoolArray, ...]:
    """Claims of the exits by flow in the order of their tags; none without trades."""
    if Feed.TRADES not in state.feeds:
        return ()
    rules, base = state.rules.flow_exits, state.rules.base
    names = ("close", *exit_features(rules))
    columns: dict[str, FloatArray] = {name: state.columns[column_key(name, base)] for name in names}
    return value_rejected(columns, side, rules), flow_reversed(columns, side, rules)


def _earlier(claim: BoolArray, state: Evaluation) -> BoolArray:
    """The claim one market bar ago; True, which closes nothing, where that is not known."""
    bars = market_bars(state.rules)
    known = np.isfinite(state.market.regime_confidence)
    out = np.ones(claim.shape, dtype=np.bool_)
    there = max(0, claim.shape[0] - bars)
    out[bars:] = claim[:there] | ~known[:there]
    return out


def market_bars(rules: HeadRules) -> int:
    """Base bars of one market bar: so far back looks what has turned."""
    return timeframe_ms(rules.market) // timeframe_ms(rules.base)
