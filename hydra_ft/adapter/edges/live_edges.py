"""Both edges of the scalper's signal, told while the bot trades.

Each loop looks at bars that close more often than the one that decides, and hands what changed
to freqtrade's ``dp.send_msg``; its webhook sends it on at the end of the loop. Freqtrade waits
for the receiver there, so that one loop tells few.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.edges.newest import CandleBars, RecordedBars
from hydra_ft.adapter.edges.states import body
from hydra_ft.adapter.edges.watch import EdgeWatch
from hydra_ft.adapter.edges.webhook import complaints, is_told, send_queued
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.trades import to_ms
from hydra_ft.decisions.rules import active_signals
from hydra_ft.signals.scalp import ScalpRules
from hydra_ft.store.flow import FlowStore
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from datetime import datetime

    from hydra_ft.adapter.edges.newest import Newest
    from hydra_ft.adapter.edges.states import Edge
    from hydra_ft.adapter.strategy import HydraStrategy
    from hydra_ft.signals.registry import SignalDeclaration

    _Base = HydraStrategy
else:
    _Base = object

logger = logging.getLogger(__name__)


class LiveEdges(_Base):
    """Tells when the scalper's signal of a pair begins, goes on and ends."""

    _edges: EdgeWatch | None = None

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Open the bars that are looked at, once the store is open."""
        super().ft_bot_start(**kwargs)
        scalp = self._scalp()
        if scalp is None:
            return
        for complaint in complaints(self.config):
            logger.warning("%s", complaint)
        self._edges = EdgeWatch(self._bars_of(scalp), self._thresholds, self._tell_edge)

    def _scalp(self) -> SignalDeclaration | None:
        """Return the form of the scalper that the listed feeds allow, as it is in force."""
        active = active_signals(self.rules_in_force, self.feeds)
        return next((made for made in active if isinstance(made.rules, ScalpRules)), None)

    def _bars_of(self, scalp: SignalDeclaration) -> Newest:
        if Feed.TRADES in scalp.feeds:
            # LiveFeeds reads through the same: a database that is dead is asked once a loop.
            database = self.frames.reading or self.database
            store = FlowStore(database, self.config["exchange"]["name"])
            return RecordedBars(store, self.rules.fine)
        return CandleBars(self.dp, self.rules.base)

    def _thresholds(self) -> ScalpRules:
        scalp = self._scalp()
        return scalp.rules if scalp is not None else ScalpRules()

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Begin the loop, then tell what changed since the last one.

        The loop may have waited for trades meanwhile: a signal is told by the time after that.
        """
        super().bot_loop_start(current_time=current_time, **kwargs)
        self._look_at_edges(max(to_ms(current_time), int(time.time() * 1000)))

    @fail_closed(answer=None)
    def _look_at_edges(self, now: int) -> None:
        if self._edges is not None:
            self._edges.look(self.dp.current_whitelist(), now)

    def ft_bot_cleanup(self) -> None:
        """End what stands before the bot goes: nobody else would."""
        self._end_edges()
        super().ft_bot_cleanup()

    @fail_closed(answer=None)
    def _end_edges(self) -> None:
        if self._edges is not None and self._edges.end():
            send_queued(self.dp)

    def _tell_edge(self, edge: Edge) -> None:
        """Log an edge; hand it to freqtrade where its webhook is set up for it."""
        scalp = self._scalp()
        if scalp is None or self._edges is None:
            return
        state = "on" if edge.is_active else "off"
        logger.info("%s: %s is %s (%s)", edge.pair, scalp.name, state, edge.change)
        if is_told(self.config):
            text = body(edge, self.rules.name, scalp.name, self._edges.ttl_ms / 1000)
            self.dp.send_msg(text, always_send=True)
