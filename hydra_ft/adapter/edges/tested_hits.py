"""Hit rates of the scalper in a backtest: one line for each pair, beside its funnel."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hydra_ft.adapter.edges.hits import HitCounts, only_whole
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.decisions.rules import active_signals
from hydra_ft.signals.scalp import ScalpRules, flags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.adapter.strategy import HydraStrategy
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.types import Bars

    _Base = HydraStrategy
else:
    _Base = object

logger = logging.getLogger(__name__)


class TestedHits(_Base):
    """Says how often each criterion held on the bars that it is about."""

    __test__ = False

    def _review(self, pair: str, frames: Mapping[str, Bars], decisions: Decisions) -> None:
        """Review the pair as any head does, then say the rates.

        Fine bars are absent where there is no database yet: then none is known.
        """
        super()._review(pair, frames, decisions)
        for made in active_signals(self.rules_in_force, self.feeds):
            if isinstance(made.rules, ScalpRules):
                timeframe = self.rules.fine if made.name == "scalp" else self.rules.base
                bars, hits = frames.get(timeframe), HitCounts()
                if bars is not None:
                    hits.add(flags(only_whole(bars), made.rules))
                logger.info("%s", hits.sentence(pair, timeframe_ms(timeframe)))
