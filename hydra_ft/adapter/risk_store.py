"""What the risk layer keeps in the Hydra database: holdings for all bots, sizes for people."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hydra_ft.errors import StoreError
from hydra_ft.risk.codes import OK
from hydra_ft.risk.limits import Holding
from hydra_ft.store.holdings import HoldingRow, HoldingStore
from hydra_ft.store.sizes import SizeRow, SizeStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_ft.store.database import Database

logger = logging.getLogger(__name__)

KEPT_MS = 90 * 86_400_000
"""How long sizes are kept, as decisions are."""


class RiskStore:
    """Holdings and sizes of one bot; what cannot be written holds nothing up."""

    def __init__(self, database: Database, bot: str) -> None:
        self._bot = bot
        self._holdings = HoldingStore(database, bot)
        self._sizes = SizeStore(database, bot)
        self._told: tuple[object, ...] | None = None
        self._pruned_at = 0

    def tell(self, holdings: Sequence[Holding], now: int, *, again: bool) -> None:
        """Write what this bot holds where a position changed, or, ``again``, its numbers did."""
        key = tuple((held.pair, held.side, held.stake_quote) for held in holdings)
        if key == self._told and not (again and holdings):
            return
        try:
            self._holdings.put(_row(self._bot, held, now) for held in holdings)
        except StoreError as error:
            logger.error("Other bots do not see what is held: %s", error)  # noqa: TRY400
            return
        self._told = key

    def of_others(self, since: int) -> list[Holding]:
        """Holdings of other bots, told of since a time (UTC ms); older ones are dropped and said.

        Raises StoreError: an account that cannot be seen lets nothing be entered.
        """
        for row in self._holdings.forget_before(since):
            logger.warning(
                "Bot %s was not heard of since %s UTC: its %s %s counts no more.",
                row.bot,
                moment(row.updated_at),
                row.pair,
                row.side,
            )
        return [_holding(row) for row in self._holdings.of_others(since)]

    def keep(self, pair: str, at: int, code: str, size: Mapping[str, Any]) -> None:
        """Keep a size for ``hydra why --size``; once a day the old ones are dropped."""
        try:
            self._sizes.put(SizeRow(pair, at, code, size))
            if at - self._pruned_at > 86_400_000:
                self._sizes.forget_before(at - KEPT_MS)
                self._pruned_at = at
        except StoreError as error:
            logger.error("The size of %s is not stored: %s", pair, error)  # noqa: TRY400

    def last_size(self, pair: str, at: int) -> SizeRow | None:
        """The newest size of an entry decided until a time (UTC ms), None where none is kept."""
        rows = (row for row in self._sizes.last(pair, 5) if row.at <= at and row.code == OK)
        return next(rows, None)


def moment(at: int) -> datetime:
    """A time (UTC ms) as freqtrade and people read it."""
    return datetime.fromtimestamp(at / 1e3, tz=UTC)


def _row(bot: str, held: Holding, now: int) -> HoldingRow:
    return HoldingRow(
        bot=bot,
        pair=held.pair,
        side=held.side,
        head=held.head,
        notional=held.notional_quote,
        stop_distance=held.stop_distance,
        profit=held.profit_quote,
        stake=held.stake_quote,
        updated_at=now,
    )


def _holding(row: HoldingRow) -> Holding:
    return Holding(
        pair=row.pair,
        side=row.side,
        notional_quote=row.notional,
        stop_distance=row.stop_distance,
        profit_quote=row.profit,
        stake_quote=row.stake,
        head=f"{row.bot}/{row.head}",
    )
