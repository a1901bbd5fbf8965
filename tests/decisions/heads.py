"""The head that the tests decide with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hydra_ft.decisions.evaluation import Evaluation, evaluate, observe
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.signals import adx_expansion, funding_pressure, trend_pullback
from hydra_ft.types import Bars, Feed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HEAD = HeadRules(name="HydraFlow", signals=(trend_pullback, funding_pressure, adx_expansion))
RANGES = replace(HEAD, regime=RegimeRules(trend_above=0.7, range_above=0.2))
"""Finds ranges in the random frames, which have none by the rules of a head."""
FULL = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
LIGHT = (Feed.CANDLES, Feed.FUNDING)
BARE = (Feed.CANDLES,)


def evaluated(frames: Mapping[str, Bars], rules: HeadRules, feeds: Collection[Feed]) -> Evaluation:
    """All that the gates look at, from bars."""
    return evaluate(observe(frames, rules, feeds), rules)
