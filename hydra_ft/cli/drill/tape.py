"""Prints against working orders, in parts, so that parents turn over quickly.

The market of the embedded exchange fills orders too; alone it would take minutes for each.
"""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.cli.drill.record import Recorder
    from loopback_exchange import Event, Server

PACE_S = 0.2
CHANCE = 0.03
"""Chance of a working order to meet a print within one pace: one in seven seconds."""
WHOLE, ALMOST_WHOLE = 0.35, 0.5
"""Up to the first it fills whole, up to the second all but a step or two, else a part."""


class Tape:
    """A thread that fills working orders in random parts until it is stopped."""

    def __init__(self, server: Server, recorder: Recorder, seed: int) -> None:
        self._server, self._recorder = server, recorder
        self._draw = random.Random(f"{seed}|tape")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drill-tape", daemon=True)

    def start(self) -> None:
        """Begin to print."""
        self._thread.start()

    def stop(self) -> None:
        """Print no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PACE_S):
            for order in self._recorder.working():
                if self._draw.random() < CHANCE:
                    self._meet(order)

    def _meet(self, order: Event) -> None:
        step = self._server.market.spec(order.symbol).step
        steps = int((order.quantity - order.filled) / step)
        if steps > 0:
            quantity = self._part(steps) * step
            # It may have been cancelled or filled since.
            with suppress(ValueError):
                self._server.control.fill(order.symbol, order.order_id, quantity)

    def _part(self, steps: int) -> int:
        how = self._draw.random()
        if how < WHOLE:
            return steps
        if how < ALMOST_WHOLE:
            return max(1, steps - self._draw.choice((1, 2)))
        return max(1, round(steps * self._draw.uniform(0.1, 0.7)))
