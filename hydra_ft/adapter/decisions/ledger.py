"""The ledger of a bot that trades: every closed bar, written on change, once a loop."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.decisions.rows import row_of
from hydra_ft.decisions.reasons import FILLED, OK
from hydra_ft.decisions.thresholds import values_of
from hydra_ft.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.decisions.pipeline import Decisions, HeadRules
    from hydra_ft.store.decisions import DecisionRow, DecisionStore

logger = logging.getLogger(__name__)

KEPT_MS = 90 * 86_400_000
"""How long decisions are kept: a quarter."""
MISSED_BARS = 288
"""Bars that are caught up with when a loop took longer than a bar."""
LATE = "the bot came to it after the next bar had closed"
"""What a bar that may trade missed."""

Noted = tuple[str, int, str, tuple[str, ...], str]


class Ledger:
    """Collects the decisions of a loop; what could not be written is tried again.

    ``risk`` gives the numbers of the risk policy in force, by path.
    """

    def __init__(
        self, store: DecisionStore, step_ms: int, risk: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._store = store
        self._step_ms = step_ms
        self._risk = risk
        self._last: dict[str, DecisionRow] = {}
        self._rows: dict[tuple[str, int], DecisionRow] = {}
        self._outcomes: dict[tuple[str, int], Noted] = {}
        self._said: dict[str, Noted] = {}
        self._rules: tuple[int, str] | None = None
        self._pruned_at = 0

    def begin(self, rules: HeadRules, now: int) -> None:
        """Note the thresholds and the risk policy in force, if they are others than before."""
        self._rules = now, json.dumps({**values_of(rules), **self._risk()})

    def write(self, pair: str, decisions: Decisions, first: int = 0) -> None:
        """Take in the decisions of a pair that are newer than the last ones."""
        if not len(decisions):
            return
        newest = int(decisions.time[-1]) + self._step_ms
        last = self._last.get(pair)
        if last is None:
            behind = 1  # what an earlier process decided is not decided again
        else:
            behind = min((newest - last.until) // self._step_ms, MISSED_BARS, len(decisions))
        for row in range(len(decisions) - behind, len(decisions)):
            made = row_of(pair, decisions, row, self._step_ms)
            self._take(made)
            if made.code == OK and made.at < newest:
                self.note(pair, made.at, ("host_declined",), LATE)

    def _take(self, row: DecisionRow) -> None:
        last = self._last.get(row.pair) or self._stored(row)
        if last is not None and last.until >= row.at:
            self._last[row.pair] = last
            return
        if last is not None and last.until + self._step_ms == row.at and row.continues(last):
            row = replace(last, until=row.at, bars=last.bars + 1)
        else:
            _say(row)
        self._last[row.pair] = self._rows[row.pair, row.at] = row

    def _stored(self, row: DecisionRow) -> DecisionRow | None:
        """Newest row of a pair that an earlier process wrote."""
        try:
            return self._store.last(row.pair)
        except StoreError as error:
            logger.error("The ledger of %s could not be read: %s", row.pair, error)  # noqa: TRY400
            return None

    def note(self, pair: str, at: int, codes: tuple[str, ...], detail: str = "") -> None:
        """Note what became of a bar that may trade.

        The same again is not written again. A fill is final: after a restart on its bar there
        is a trade, of which it is not known any more that the bar itself has opened it.
        """
        noted = (pair, at, codes[0], codes, detail)
        if self._said.get(pair) == noted:
            return
        last = self._last.get(pair)
        if last is not None and last.at == at:
            if last.outcome == FILLED:
                return
            self._last[pair] = replace(last, outcome=codes[0])
        self._outcomes[pair, at] = self._said[pair] = noted

    def flush(self, now: int) -> None:
        """Write all that was taken in since the last time, rows before their outcomes."""
        rows, outcomes = dict(self._rows), dict(self._outcomes)
        try:
            self._note_rules()
            self._store.write(rows.values(), outcomes.values())
            if now - self._pruned_at > 86_400_000:
                self._store.forget_before(now - KEPT_MS)
                self._pruned_at = now
        except StoreError as error:
            # The decisions stand, exits among them, whether they can be noted or not.
            logger.error("%d decisions wait to be stored: %s", len(rows), error)  # noqa: TRY400
            return
        for key in rows:
            del self._rows[key]
        for key, noted in outcomes.items():
            if self._outcomes.get(key) == noted:
                del self._outcomes[key]

    def _note_rules(self) -> None:
        if self._rules is not None:
            self._store.note_rules(*self._rules)
            self._rules = None


def _say(row: DecisionRow) -> None:
    logger.info(
        "%s: %s (regime %s, bias %s%s)%s",
        row.pair,
        row.code,
        row.regime,
        row.bias,
        ", light" if row.light else "",
        f" {row.signal} {row.side}" if row.signal else "",
    )
