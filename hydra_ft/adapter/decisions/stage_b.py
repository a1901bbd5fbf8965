"""Stage B in freqtrade's hands: admission, and the ledger of both stages.

Each decision goes into the ledger with its stage A code; one that may trade is followed until
it is refused, filled or left. A backtest knows all its passes beforehand and meets them one
candle after the other; a bot that trades meets them as bars close.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.adapter.decisions.admission import Admission
from hydra_ft.adapter.decisions.outcomes import Outcomes
from hydra_ft.decisions.reasons import INDEX, OK
from hydra_ft.types import Kind, ParentOrder, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.decisions.pipeline import Decisions, HeadRules
    from hydra_ft.risk.limits import LimitVerdict


logger = logging.getLogger(__name__)

OVER = "ended_this_bar"
"""What is said to freqtrade when it asks again, on the same bar, about an entry that is over."""
LONGEST_DETAIL = 250
"""Letters of a reason that the ledger keeps."""


class Ledger(Protocol):
    """The ledger of a bot (``ledger.py``) or of a backtest (``tested.py``)."""

    def begin(self, rules: HeadRules, now: int) -> None:
        """Note the thresholds in force."""

    def write(self, pair: str, decisions: Decisions, first: int = 0) -> None:
        """Take in decisions, in a backtest those from a row on."""

    def note(self, pair: str, at: int, codes: tuple[str, ...], detail: str = "") -> None:
        """Note an outcome."""

    def flush(self, now: int) -> None:
        """Write what was taken in."""


class StageB:
    """Judges what freqtrade asks, and notes what becomes of every pass.

    Without a ledger (hyperopt) it judges only. ``follows`` tells that nobody else says how
    what was sent has ended, as the chase does.
    """

    def __init__(
        self,
        rules: Callable[[], HeadRules],
        ledger: Ledger | None,
        max_open_trades: float,
        step_ms: int,
        *,
        follows: bool = True,
        limits: Callable[[str, Side, int], LimitVerdict | None] = lambda *_: None,
    ) -> None:
        self._limits = limits
        self.admission = Admission(rules, step_ms)
        self._rules = rules
        self._ledger = ledger
        self._outcomes = Outcomes(ledger, max_open_trades, step_ms) if ledger else None
        self._step_ms = step_ms
        self._follows = follows
        self._is_begun = self._is_resumed = False

    def decide(self, pair: str, decisions: Decisions, now: int) -> None:
        """Take in the decisions on a pair at a time (UTC ms), of which the newest counts."""
        if self._ledger is None or self._outcomes is None or not len(decisions):
            return
        if not self._is_begun:
            self._ledger.begin(self._rules(), now)
            self._is_begun = True
        self._ledger.write(pair, decisions)
        at, sign = int(decisions.time[-1]) + self._step_ms, int(decisions.side[-1])
        self._outcomes.decided(pair, at, _side(sign))

    def begin_loop(self, now: int) -> None:
        """Explain what freqtrade did not ask about since the last loop, and write."""
        if self._outcomes is not None and self._ledger is not None:
            if self._follows:
                self._follow(self._outcomes)
            self._outcomes.guess()
            self._ledger.flush(now)

    def _follow(self, outcomes: Outcomes) -> None:
        if not self._is_resumed:
            outcomes.resume({made.name for made in self._rules().signals})
            self._is_resumed = True
        outcomes.follow()

    def close(self) -> None:
        """Explain and write what was taken in since the last loop: the bot ends."""
        if self._outcomes is None or self._ledger is None:
            return
        try:
            self._outcomes.guess()
            self._outcomes.see_filled()
        except SQLAlchemyError as error:
            logger.warning("Passes of the last bar stay without a reason: %s", error)
        self._ledger.flush(0)

    def refusal(self, pair: str, side: Side, tag: str, now: int) -> str:
        """Return why an entry may not go on, '' if it may.

        What no signal has decided is the operator's: it is not judged, and is no pass.
        """
        if not self.admission.judges(tag):
            return ""
        if self._outcomes is not None:
            self._outcomes.asked(pair)
        codes, detail = self._against(pair, side, tag, now)
        if codes and self._outcomes is not None:
            self._outcomes.refused(pair, codes, detail)
        return codes[0] if codes else ""

    def judges(self, tag: str) -> bool:
        """Whether a signal of the head has decided the entry with this tag."""
        return self.admission.judges(tag)

    def _against(self, pair: str, side: Side, tag: str, now: int) -> tuple[tuple[str, ...], str]:
        """All that speaks against an entry: admission, then the limits, with their words."""
        verdict, limits = (
            self.admission.verdict(pair, side, tag, now),
            self._limits(pair, side, now),
        )
        told = limits.codes if limits is not None else ()
        why = "; ".join(limits.why) if limits is not None else ""
        return (*verdict.codes, *told), why[:LONGEST_DETAIL]

    def sized(self, pair: str, code: str, detail: str) -> None:
        """Note that an entry got no size; one that got one is asked about once more."""
        if self._outcomes is None:
            return
        if code == OK:
            self._outcomes.unasked(pair)
        else:
            self._outcomes.refused(pair, (code,), detail[:LONGEST_DETAIL])

    def answered(self, pair: str, reason: str) -> None:
        """Note whether an admitted entry was sent ('') or why not."""
        if self._outcomes is None:
            return
        if not reason:
            self._outcomes.sent(pair)
        elif reason == OVER:
            self._outcomes.unchanged(pair)
        elif reason in INDEX:
            self._outcomes.refused(pair, (reason,))
        else:
            self._outcomes.refused(pair, ("not_filled",), reason)

    def parent_ended(self, parent: ParentOrder, filled: float) -> None:
        """Note how an entry that was chased has ended."""
        if self._outcomes is not None and parent.kind is Kind.ENTRY:
            at = int(parent.key.rpartition("|")[2]) + self._step_ms
            ending = parent.end_reason
            self._outcomes.ended(parent.pair, at, filled=filled > 0, detail=ending)


class TestedStageB(StageB):
    """Stage B of a backtest: its passes are known, its candles come in order of time.

    What is decided before the first tested candle is warm-up, and goes into no ledger.
    """

    __test__ = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._decided: dict[str, Decisions] = {}
        self._passes: dict[int, dict[str, Side | None]] = {}
        self._last = self._now = 0

    def decide(self, pair: str, decisions: Decisions, now: int) -> None:
        """Take in all decisions on a pair, and begin a new ledger with the first."""
        if self._ledger is None or not len(decisions):
            return
        if not self._is_begun:
            self._ledger.begin(self._rules(), now)
            self._is_begun = True
        self._decided[pair] = decisions
        self._last = max(self._last, int(decisions.time[-1]))

    def begin_loop(self, now: int) -> None:
        """Explain the passes of the last candle, meet those of the one that opens now."""
        if self._outcomes is None or self._ledger is None:
            return
        for pair in list(self._decided):
            self._begin(self._ledger, pair, self._decided.pop(pair), now)
        self._outcomes.follow()
        self._outcomes.guess()
        for pair, side in self._passes.get(now, {}).items():
            self._outcomes.decided(pair, now, side)
        if now in self._passes:
            self._outcomes.begin_candle()
        if now >= self._last:
            self._ledger.flush(now)

    def _begin(self, ledger: Ledger, pair: str, decisions: Decisions, now: int) -> None:
        """Write what is decided from the first tested candle on, and note its passes."""
        closes = decisions.time + self._step_ms
        first = int(np.searchsorted(closes, now))
        ledger.write(pair, decisions, first)
        passed = decisions.side != 0
        ends = np.append(False, passed[:-1] & ~passed[1:])
        for row in np.flatnonzero(passed | ends):
            if row >= first:
                here = self._passes.setdefault(int(closes[row]), {})
                here[pair] = _side(int(decisions.side[row]))


class NoStageB(StageB):
    """Lets everything pass, and notes nothing: analyses vary what stage B counts."""

    def __init__(self) -> None:
        """Nothing is needed to say yes."""

    def decide(self, pair: str, decisions: Decisions, now: int) -> None:
        """Take no notice."""

    def begin_loop(self, now: int) -> None:
        """Nothing was noted."""

    def close(self) -> None:
        """Nothing was noted."""

    def refusal(self, pair: str, side: Side, tag: str, now: int) -> str:
        """Refuse nothing."""
        return ""

    def judges(self, tag: str) -> bool:
        """Judge nothing: sizes are freqtrade's."""
        return False

    def answered(self, pair: str, reason: str) -> None:
        """Take no notice."""


def _side(sign: int) -> Side | None:
    return {1: Side.LONG, -1: Side.SHORT}.get(sign)
