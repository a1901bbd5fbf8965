"""Stake and leverage of a head's entries by its risk policy, and the limits that it sets.

These callbacks take no trade, so they cost a backtest no copy of one. A head without a policy,
and every head with ``hydra.risk.enabled`` off, is left to freqtrade's own stake.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freqtrade.persistence import PairLocks
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.adapter.book import account_of, own_holdings
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.host import Host
from hydra_ft.adapter.outcomes import PAUSED
from hydra_ft.adapter.risk_parameters import RiskParameters
from hydra_ft.adapter.risk_store import RiskStore, moment
from hydra_ft.adapter.sizing import Ask, pause_of, shown, sized, stake_of, verdict, wanted_leverage
from hydra_ft.adapter.start import JUDGED
from hydra_ft.adapter.terms import Table, table_of
from hydra_ft.adapter.trades import to_ms
from hydra_ft.risk import codes
from hydra_ft.types import Side

if TYPE_CHECKING:
    from datetime import datetime

    from hydra_ft.adapter.book import Account
    from hydra_ft.adapter.stage_b import StageB
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.risk.limits import Holding, LimitVerdict
    from hydra_ft.risk.policy import RiskPolicy
    from hydra_ft.settings import Settings
    from hydra_ft.types import Bars

logger = logging.getLogger(__name__)

LOOK_MS = 60_000
"""Time between two looks at the account while nothing is asked."""


class SizedEntries(RiskParameters):
    """Sizes what signals have decided, and judges it by the book that is open."""

    settings: Settings
    stage_b: StageB

    @property
    def risk_in_force(self) -> RiskPolicy | None:
        """The policy that sizes and limits now; None where freqtrade does."""
        return self.risk if self.settings.risk.enabled else None

    def note_terms(
        self, pair: str, decisions: Decisions, base: Bars | None = None, market: Bars | None = None
    ) -> None:
        """Keep what was decided on a pair with its bars; without bars on those of before."""
        if self.risk is None or self.config.get("runmode") not in JUDGED:
            return
        tables = self._tables
        if base is not None and market is not None:
            # Read here: the exchange of a hyperopt epoch has lost its connection.
            step = Host(self.dp, "", dry_run=True).step_size(pair)
            tables[pair] = table_of(decisions, base, market, step)
        else:
            tables[pair] = replace(tables[pair], decisions=decisions)

    def decided_at(self, pair: str, side: Side, now: int) -> int:
        """Time (UTC ms) whose newest closed bar has decided an entry asked for now."""
        return now

    def price_now(self, pair: str, now: int) -> float:
        """Price (quote) at which positions count: the newest close, NaN if unknown."""
        table = self._tables.get(pair)
        return table.price(now) if table is not None else float("nan")

    def limit_verdict(self, pair: str, side: Side, now: int) -> LimitVerdict | None:
        """Judge an entry by pauses and limits; None where there are none."""
        policy = self.risk_in_force
        if policy is None:
            return None
        account = self._account(policy, now)
        self._pause_if_due(account, policy, now)
        return verdict(pair, side, self.rules_name, account, self._tables, policy, now)

    def ends_with_day(self, opened_at: int) -> bool:
        """Whether a lost day closes what was opened at a time (UTC ms)."""
        return opened_at < self.__dict__.get("_day_ended_at", 0)

    @property
    def rules_name(self) -> str:
        """Name under which the head binds capital."""
        return type(self).__name__

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
        if refusal:
            logger.info("Entry for %s refused: %s.", pair, refusal)
            return 0.0
        least = min_stake or 0.0
        ask = Ask(pair, wanted, current_rate, leverage, least, max_stake, now)
        return self._stake(ask, policy)

    def _stake(self, ask: Ask, policy: RiskPolicy) -> float:
        table = self._tables.get(ask.pair)
        terms = None if table is None else table.terms(ask.now)
        account = self._account(policy, ask.now)
        made = sized(ask, terms, self.rules_name, account, self._tables, policy)
        stake = stake_of(made, ask) if made.code == codes.OK else 0.0
        if made.code == codes.OK and not stake:
            text = f"expected a stake from {ask.min_stake:g} up, the risk allows less"
            made = replace(made, code=codes.BELOW_MIN, detail=text)
        store = self._risk_store
        if store is not None:
            store.keep(ask.pair, terms.at if terms else ask.now, made.code, shown(made, ask))
        if made.code != codes.OK:
            logger.info("Entry for %s refused: %s, %s.", ask.pair, made.code, made.detail)
        self.stage_b.sized(ask.pair, made.code, made.detail)
        return stake

    @fail_closed(answer=None)
    def look_at_risk(self, now: int) -> None:
        """Tell other bots what this one holds, and lock entries where a limit pauses them."""
        policy = self.risk_in_force
        store = self._risk_store
        if policy is None or store is None:
            return
        own = own_holdings(self.rules_name, lambda pair: self.price_now(pair, now))
        is_due = now - self.__dict__.get("_looked_at", 0) >= LOOK_MS
        store.tell(own, now, again=is_due)
        if is_due:
            self._looked_at = now
            self._pause_if_due(self._account(policy, now), policy, now)

    def _account(self, policy: RiskPolicy, now: int) -> Account:
        own = own_holdings(self.rules_name, lambda pair: self.price_now(pair, now))
        return account_of(self.wallets, own, self._others(now), now, policy.limits)

    def _others(self, now: int) -> list[Holding]:
        store = self._risk_store
        kept_ms = self.settings.risk.holdings_kept_s * 1000
        return store.of_others(now - kept_ms) if store is not None else []

    def _pause_if_due(self, account: Account, policy: RiskPolicy, now: int) -> None:
        """Lock all pairs while a limit pauses them, so that ``/locks`` shows it and until when."""
        pause = pause_of(account, now, policy)
        if self._risk_store is None or pause.until <= now:
            return
        until = moment(pause.until)
        try:
            if any(str(lock.reason).startswith(PAUSED) for lock in PairLocks.get_pair_locks("*")):
                return
            self.lock_pair("*", until, f"{PAUSED}{pause.code}: {pause.why}")
        except SQLAlchemyError as error:
            logger.error("The pause is not stored: %s", error)  # noqa: TRY400
            return
        logger.warning("No entries until %s UTC: %s.", until, pause.why)

    @property
    def _risk_store(self) -> RiskStore | None:
        """Where sizes and holdings are kept; None in backtests."""
        database = self.__dict__.get("database")
        if database is None:
            return None
        kept: RiskStore | None = self.__dict__.get("_kept_risk")
        if kept is None:
            kept = self._kept_risk = RiskStore(database, self.settings.bot_name)
        return kept

    @property
    def _tables(self) -> dict[str, Table]:
        tables: dict[str, Table] = self.__dict__.setdefault("_kept_tables", {})
        return tables
