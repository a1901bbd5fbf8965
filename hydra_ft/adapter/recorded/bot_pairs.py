"""Which pairs the recorder of a bot records: its whitelist, and those that have just left it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from freqtrade.persistence import Trade

from hydra_ft.feeds.recorder import MOST_PAIRS
from hydra_ft.feeds.recorder_thread import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from concurrent.futures import Future

    from hydra_ft.feeds.recorder_thread import RecorderThread

logger = logging.getLogger(__name__)

STAY_S: Final = 3_600.0
"""A pair that has left the whitelist is recorded for so long: volume lists bring many back."""
_AGAIN_S: Final = 60.0
"""Each change takes new connections: one in so long at most."""
_AGAIN_FULL_S: Final = 600.0
"""The same where no more pairs fit: those that come and go push each other out."""


def held_pairs() -> frozenset[str]:
    """Pairs of open trades; none before freqtrade has opened its database."""
    if not hasattr(Trade, "session"):
        return frozenset()
    return frozenset(trade.pair for trade in Trade.get_open_trades())


class BotPairs:
    """The pairs that a recorder follows, which change with the whitelist.

    Open trades are in the whitelist as freqtrade gives it, so that their pairs never leave. Of
    more pairs than a recorder takes those of open trades (``held``) come first, then those that
    are recorded already; the others are named in a warning, once.
    """

    def __init__(
        self,
        pairs: Sequence[str],
        now_s: float,
        held: Callable[[], Collection[str]] = held_pairs,
    ) -> None:
        self._held, self._told = held, frozenset[str]()
        self.names: tuple[str, ...] = ()
        self.names = self._wanted(pairs, now_s)
        self._seen_s = dict.fromkeys(self.names, now_s)
        self._again_s = now_s
        self._asked: tuple[str, ...] = ()
        self._asking: Future[bool] | None = None

    def look(self, thread: RecorderThread, pairs: Sequence[str], now_s: float) -> None:
        """Let the recorder take up what has joined, and let go what left a while ago."""
        self._seen_s |= dict.fromkeys(pairs, now_s)
        self._hear(now_s)
        wanted = self._wanted(pairs, now_s)
        if self._asking is None and now_s >= self._again_s and set(wanted) != set(self.names):
            self._asked, self._asking = wanted, thread.follow(wanted)
            is_full = len(wanted) >= MOST_PAIRS
            self._again_s = now_s + (_AGAIN_FULL_S if is_full else _AGAIN_S)

    def _wanted(self, pairs: Sequence[str], now_s: float) -> tuple[str, ...]:
        listed = dict.fromkeys(pairs)
        if len(listed) > MOST_PAIRS:
            return self._chosen(tuple(listed))
        known = [pair for pair in self.names if pair in listed]
        fresh = [pair for pair in listed if pair not in self.names]
        staying = [
            pair
            for pair in self.names
            if pair not in listed and now_s - self._seen_s.get(pair, now_s) < STAY_S
        ]
        return (*known, *fresh, *staying)[:MOST_PAIRS]

    def _chosen(self, listed: Sequence[str]) -> tuple[str, ...]:
        """As many as a recorder takes, of more; those that are left out are told of."""
        held, known = self._held(), set(self.names)
        # Sorting keeps the order of the whitelist among those that are alike.
        ranked = sorted(listed, key=lambda pair: (pair not in held, pair not in known))
        left_out = frozenset(ranked[MOST_PAIRS:])
        if left_out - self._told:
            logger.warning(
                "The bot records %s pairs at most; not recorded: %s. Start another hydra record "
                "for them, or let the pairlist give fewer.",
                MOST_PAIRS,
                ", ".join(sorted(left_out - self._told)),
            )
        self._told |= left_out
        return tuple(ranked[:MOST_PAIRS])

    def _hear(self, now_s: float) -> None:
        """Take the answer of the recorder, once it is there; a refusal is told, and asked again."""
        if self._asking is None or not self._asking.done():
            return
        answered, self._asking = self._asking, None
        is_taken, why = answer_of(answered)
        if why:
            logger.warning("Pairs that joined cannot be recorded yet: %s", why)
        if not is_taken:
            return
        before, self.names = set(self.names), self._asked
        joined, left = set(self.names) - before, before - set(self.names)
        self._seen_s = {pair: self._seen_s.get(pair, now_s) for pair in self.names}
        logger.info(
            "The bot records %s pairs now; joined: %s; let go: %s.",
            len(self.names),
            ", ".join(sorted(joined)) or "none",
            ", ".join(sorted(left)) or "none",
        )
