"""Stake and leverage of a head's entries by its risk policy, and the limits that it sets.

These callbacks take no trade, so they cost a backtest no copy of one. A head without a policy,
and every head with ``hydra.risk.enabled`` off, is left to freqtrade's own stake.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.markets import Markets
from hydra_ft.adapter.sizes.book import account_of, history_begins
from hydra_ft.adapter.sizes.round_trips import RoundTrips
from hydra_ft.adapter.sizes.sizing import (
    Ask,
    refused,
    reservation,
    shown,
    sized,
    stake_of,
    verdict,
    wanted_leverage,
)
from hydra_ft.adapter.sizes.terms import table_of
from hydra_ft.adapter.sizes.watched_account import WatchedAccount
from hydra_ft.adapter.start import JUDGED
from hydra_ft.adapter.trades import to_ms
from hydra_ft.decisions.reasons import explain
from hydra_ft.errors import PolicyError
from hydra_ft.risk import codes
from hydra_ft.risk.limits import LimitVerdict
from hydra_ft.types import Side

if TYPE_CHECKING:
    from datetime import datetime

    from hydra_ft.adapter.decisions.stage_b import StageB
    from hydra_ft.adapter.sizes.book import Account
    from hydra_ft.adapter.sizes.terms import Terms
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.risk.policy import RiskPolicy
    from hydra_ft.risk.sizing import SizedEntry
    from hydra_ft.settings import Settings
    from hydra_ft.types import Bars

logger = logging.getLogger(__name__)


class SizedEntries(RoundTrips, WatchedAccount):
    """Sizes what signals have decided, and judges it by the book that is open."""

    settings: Settings
    stage_b: StageB

    def note_terms(
        self, pair: str, decisions: Decisions, base: Bars | None = None, market: Bars | None = None
    ) -> None:
        """Keep what was decided on a pair with its bars; without bars on those of before."""
        if self.risk is None or self.config.get("runmode") not in JUDGED:
            return
        tables = self._tables
        if base is not None and market is not None:
            # Read here: the exchange of a hyperopt epoch has lost its connection.
            step = Markets(self.dp).step_size(pair)
            self.round_trip_fee(pair)
            tables[pair] = table_of(decisions, base, market, step)
        else:
            tables[pair] = replace(tables[pair], decisions=decisions)

    def decided_at(self, pair: str, side: Side, now: int) -> int:
        """Time (UTC ms) whose newest closed bar has decided an entry asked for now."""
        return now

    def limit_verdict(self, pair: str, side: Side, now: int) -> LimitVerdict | None:
        """Judge an entry by pauses and limits; None where there are none."""
        policy = self.risk_in_force
        if policy is None:
            return None
        account = self.account_now(policy, now, but=pair)
        self.pause_if_due(account, policy, now)
        found = verdict(pair, side, self.rules_name, account, self._tables, policy, now)
        self._verdicts[pair] = found
        store = self._risk_store
        if store is None or found.codes or pair not in self._reserved:
            return found
        if store.sending(pair, now):
            return found
        return LimitVerdict((codes.VETO_OPEN_RISK,), ("the room kept for it has timed out",))

    @fail_closed(answer=1.0)
    def leverage(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_leverage: float,
        max_leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Bind as little margin as policy, exchange and stop allow; the risk stays the same."""
        policy = self.risk_in_force
        if policy is None or not self.stage_b.judges(entry_tag or ""):
            return proposed_leverage
        decided = self.decided_at(pair, Side(side), to_ms(current_time))
        table = self._tables.get(pair)
        terms = None if table is None else table.terms(decided)
        if terms is None:
            return proposed_leverage
        return wanted_leverage(policy, terms.stop, abs(self.stoploss), max_leverage)

    @fail_closed(answer=0.0)
    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Stake (quote) that loses what the policy allows at the stop; 0 refuses, with a reason."""
        policy, tag, now = self.risk_in_force, entry_tag or "", to_ms(current_time)
        if policy is None or not self.stage_b.judges(tag):
            return proposed_stake
        wanted = Side(side)
        refusal = self.stage_b.refusal(pair, wanted, tag, now)
        least = min_stake or 0.0
        ask = Ask(pair, wanted, current_rate, leverage, least, max_stake, now)
        if refusal:
            logger.info("Entry for %s refused: %s.", pair, refusal)
            self._keep(ask, refused(refusal, self._words(pair, refusal)))
            return 0.0
        return self._stake(ask, policy)

    @property
    def _verdicts(self) -> dict[str, LimitVerdict]:
        """What the limits said last, by pair."""
        found: dict[str, LimitVerdict] = self.__dict__.setdefault("_kept_verdicts", {})
        return found

    def _words(self, pair: str, code: str) -> str:
        """Why an entry was refused: the limits' own words, else those of the code."""
        found = self._verdicts.get(pair)
        if found is None or code not in found.codes:
            return explain(code)
        return found.why[found.codes.index(code)]

    def _keep(self, ask: Ask, made: SizedEntry) -> None:
        """Keep a size, or its refusal, for ``hydra why --size``."""
        store, table = self._risk_store, self._tables.get(ask.pair)
        if store is not None:
            terms = None if table is None else table.terms(ask.now)
            at = terms.at if terms else ask.now
            store.keep(ask.pair, at, made.code, shown(made, ask))

    def _stake(self, ask: Ask, policy: RiskPolicy) -> float:
        table = self._tables.get(ask.pair)
        terms = None if table is None else table.terms(ask.now)
        made, stake = self._with_room(ask, terms, policy)
        if made.code == codes.OK and not stake:
            text = f"expected a stake from {ask.min_stake:g} up, the risk allows less"
            made = replace(made, code=codes.BELOW_MIN, detail=text)
        self._keep(ask, made)
        if made.code != codes.OK:
            logger.info("Entry for %s refused: %s, %s.", ask.pair, made.code, made.detail)
        self.stage_b.sized(ask.pair, made.code, made.detail)
        return stake

    def _with_room(
        self, ask: Ask, terms: Terms | None, policy: RiskPolicy
    ) -> tuple[SizedEntry, float]:
        """Size and stake (quote) of an entry; live its room is reserved before anybody else looks.

        What others hold is read again under the lock that the reservation is written under.
        """
        store = self._risk_store
        if store is None:
            return self._made(ask, terms, policy, self.account_now(policy, ask.now, but=ask.pair))
        since, own = history_begins(ask.now, policy.limits), self.own_books(policy, ask.now)
        with store.turn(since, ask.now) as (told, others):
            account = account_of(own, others.but(ask.pair), ask.now, policy.limits)
            name = self.rules_name
            found = verdict(ask.pair, ask.side, name, account, self._tables, policy, ask.now)
            if found.codes:
                return refused(found.code, "; ".join(found.why)), 0.0
            made, stake = self._made(ask, terms, policy, account)
            if stake:
                held = reservation(made, ask, stake, name)
                store.reserve(told, held, made.risk_quote, ask.now)
        if stake:
            self._reserved.add(ask.pair)
        return made, stake

    def _made(
        self, ask: Ask, terms: Terms | None, policy: RiskPolicy, account: Account
    ) -> tuple[SizedEntry, float]:
        try:
            priced = self.policy_for(ask.pair, policy)
        except PolicyError as error:
            return refused(codes.FEES_TOO_HIGH, str(error)), 0.0
        made = sized(ask, terms, self.rules_name, account, self._tables, priced)
        return made, stake_of(made, ask) if made.code == codes.OK else 0.0
