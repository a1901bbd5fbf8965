"""The account that a head's limits are counted on: read, told to other bots, and watched.

In a backtest the account is the bot, and what was seen to begin is kept in memory.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade.persistence import LocalTrade, PairLocks
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.adapter.decisions.outcomes import PAUSED
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.parameters.risk_parameters import RiskParameters
from hydra_ft.adapter.sizes.book import (
    Others,
    Own,
    account_of,
    history_begins,
    own_share,
)
from hydra_ft.adapter.sizes.closed_trades import closed_since
from hydra_ft.adapter.sizes.positions import own_holdings
from hydra_ft.adapter.sizes.risk_store import RiskStore, moment
from hydra_ft.adapter.sizes.sizing import new_pauses, standing_pauses
from hydra_ft.adapter.trades import to_ms
from hydra_ft.decisions.admission import DAY_MS
from hydra_ft.errors import StoreError
from hydra_ft.risk.policy import RiskPolicy

if TYPE_CHECKING:
    from collections.abc import Collection

    from hydra_ft.adapter.decisions.rows import LastDecision
    from hydra_ft.adapter.sizes.book import Account, Share
    from hydra_ft.adapter.sizes.terms import Table
    from hydra_ft.risk.pauses import Pause
    from hydra_ft.settings import Settings

logger = logging.getLogger(__name__)

TOLD_MS = 60_000
"""Time after which numbers are told again although no position has changed."""
WATCHED_MS = 10_000
"""Time between two looks at the account while nothing is asked."""
_NEARLY = 0.8
"""Part of a loss at which it is worth computing exactly: fees and funding are the rest."""


class WatchedAccount(RiskParameters):
    """Reads the account, and sees when it must pause."""

    settings: Settings

    @property
    def risk_in_force(self) -> RiskPolicy | None:
        """The policy that sizes and limits now; None where freqtrade does."""
        return self.risk if self.settings.risk.enabled else None

    @property
    def rules_name(self) -> str:
        """Name under which the head binds capital."""
        return type(self).__name__

    def price_now(self, pair: str, now: int) -> float:
        """Price (quote) at which positions count: the newest close, NaN if unknown."""
        table = self._tables.get(pair)
        if table is not None:
            return table.price(now)
        decision = self.last_decision(pair)
        return decision.close if decision is not None else float("nan")

    def last_decision(self, pair: str) -> LastDecision | None:
        """Return the decision on the newest analysed bar of a pair."""
        return None

    def declared_stop(self, trade: LocalTrade) -> float:
        """Stop that a trade was entered with, of its entry price; 0 where no exits are ours."""
        return 0.0

    def entries_under_way(self) -> Collection[str]:
        """Pairs whose entry goes on, whether or not freqtrade has a trade of it now."""
        return ()

    def ends_with_day(self, opened_at: int) -> bool:
        """Whether a lost day closes what was opened at a time (UTC ms)."""
        return opened_at < self.__dict__.get("_day_ended_at", 0)

    @fail_closed(answer=None)
    def look_at_risk(self, now: int) -> None:
        """Tell other bots how this one stands, and pause entries where a limit asks for it.

        A bot that freqtrade sizes tells, too: its positions are of the same account.
        """
        policy, store = self.risk_in_force, self._risk_store
        if store is None:
            if policy is not None:
                self._look_in_backtest(policy, now)
            return
        self._reserved.clear()
        again = now - self.__dict__.get("_told_at", 0) >= TOLD_MS
        known = policy or self.risk or RiskPolicy()
        own, since = self.own_books(known, now), history_begins(now, known.limits)
        store.tell(own, self.entries_under_way(), since, now, again=again)
        if again:
            self._told_at = now
        if policy is not None and now - self.__dict__.get("_watched_at", 0) >= WATCHED_MS:
            self._watched_at = now
            account = account_of(own, store.others(since, now), now, policy.limits)
            self.pause_if_due(account, policy, now)

    def _look_in_backtest(self, policy: RiskPolicy, now: int) -> None:
        """See whether the day must be closed; once a candle, so as little as possible is read.

        Where the time goes back, the next epoch of hyperopt has begun.
        """
        if now < self.__dict__.get("_watched_at", 0):
            self._pauses.clear()
            self._day_ended_at = 0
        self._watched_at = now
        limit = policy.limits.day_flatten_loss
        if not limit or not LocalTrade.bt_trades_open:
            return
        lost = -sum(self._rough_profit(trade, now) for trade in LocalTrade.bt_trades_open)
        for trade in reversed(LocalTrade.bt_trades):
            if to_ms(trade.close_date_utc) < now - now % DAY_MS:
                break
            lost -= float(trade.close_profit_abs or 0.0)
        if lost > 0 and lost > _NEARLY * limit * float(self.wallets.get_total_stake_amount()):
            self.pause_if_due(self.account_now(policy, now), policy, now)

    def _rough_profit(self, trade: LocalTrade, now: int) -> float:
        """Profit of a trade before fees (quote); 0 while it is not filled."""
        gain = self.price_now(trade.pair, now) - trade.open_rate
        sign = -1 if trade.is_short else 1
        return sign * trade.amount * gain + float(trade.realized_profit or 0.0)

    def account_now(self, policy: RiskPolicy, now: int, *, but: str = "") -> Account:
        """Read the account at a time (UTC ms), without the room reserved for one pair.

        Raises StoreError where other bots cannot be seen.
        """
        store = self._risk_store
        if store is None:
            others = Others(pauses=tuple(self._pauses))
        else:
            others = store.others(history_begins(now, policy.limits), now).but(but)
        return account_of(self.own_books(policy, now), others, now, policy.limits)

    def own_books(self, policy: RiskPolicy, now: int) -> Own:
        """Read this bot's books; its prices may have to be read from the exchange.

        What a command has closed in the meantime is closed, and open no more.
        """
        share, name = self._share(), self.rules_name
        held = own_holdings(name, lambda pair: self.price_now(pair, now), self.declared_stop)
        closed = closed_since(history_begins(now, policy.limits))
        over = {one.trade for one in closed}
        return Own(share, [one for number, one in held.items() if number not in over], closed)

    def _share(self) -> Share:
        is_real = self._risk_store is not None and not self.config["dry_run"]
        return own_share(self.wallets, self.config, is_real=is_real)

    def pause_if_due(self, account: Account, policy: RiskPolicy, now: int) -> None:
        """Keep the pauses that begin now, and lock all pairs so that ``/locks`` shows them.

        None begins where a price cannot be read now: entries are refused while that is so.
        """
        if not account.as_told.is_known:
            return
        new = new_pauses(account, now, policy)
        standing = standing_pauses(account, now)
        ends = [pause.at for pause in (*standing, *new) if pause.flatten]
        self._day_ended_at = max((self.__dict__.get("_day_ended_at", 0), *ends))
        standing += [pause for pause in new if self._is_begun(pause, now)]
        if self._risk_store is not None and standing:
            self._lock(max(standing, key=lambda pause: pause.until))

    def _is_begun(self, pause: Pause, now: int) -> bool:
        """Keep a pause, for all bots in the database, in a backtest in memory; False if it fails.

        Also where another bot has begun it in this moment.
        """
        store = self._risk_store
        if store is None:
            self._pauses.append(pause)
            return True
        try:
            is_first = store.begin_pause(pause, now)
        except StoreError as error:
            logger.error("A pause is not stored: %s", error)  # noqa: TRY400
            return False
        if is_first:
            closes = " All positions are closed." if pause.flatten else ""
            until = f"{moment(pause.until):%Y-%m-%d %H:%M}"
            self._alert(f"No entries until {until} UTC: {pause.why}.{closes}")
        return is_first

    def _lock(self, pause: Pause) -> None:
        """Lock all pairs for a pause, once: a lock that was taken away does not come back."""
        begun = moment(pause.at)
        try:
            for lock in PairLocks.get_all_locks():
                ours = str(lock.reason).startswith(PAUSED)
                if ours and lock.lock_time.replace(tzinfo=begun.tzinfo) >= begun:
                    return
            self.lock_pair("*", moment(pause.until), f"{PAUSED}{pause.code}: {pause.why}")
        except SQLAlchemyError as error:
            logger.error("The pause is not locked: %s", error)  # noqa: TRY400

    def _alert(self, text: str) -> None:
        logger.warning("%s", text)
        # Telegram reads an underscore as the beginning of italics.
        self.dp.send_msg(text.replace("_", " "), always_send=True)

    @property
    def _risk_store(self) -> RiskStore | None:
        """Where account and sizes are kept; None in backtests."""
        database = self.__dict__.get("database")
        if database is None:
            return None
        kept: RiskStore | None = self.__dict__.get("_kept_risk")
        if kept is None:
            settings = self.settings
            kept = self._kept_risk = RiskStore(
                database, settings.bot_name, self._account_name(), settings.risk, self._alert
            )
        return kept

    def _account_name(self) -> str:
        """Bots share an account that trade one currency, for real or not, under one name."""
        config, named = self.config, self.settings.risk.account
        return "|".join((config["stake_currency"], "dry" if config["dry_run"] else "real", named))

    @property
    def _reserved(self) -> set[str]:
        """Pairs for which room was reserved in this loop."""
        reserved: set[str] = self.__dict__.setdefault("_kept_reserved", set())
        return reserved

    @property
    def _pauses(self) -> list[Pause]:
        """Pauses of a backtest."""
        pauses: list[Pause] = self.__dict__.setdefault("_kept_pauses", [])
        return pauses

    @property
    def _tables(self) -> dict[str, Table]:
        tables: dict[str, Table] = self.__dict__.setdefault("_kept_tables", {})
        return tables
