"""What the risk layer keeps in the Hydra database: the account for all bots, sizes for people.

What this bot tells may be late where it cannot be written: its exits wait for nothing. What
others have told must be known, or nothing is entered.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hydra_ft.adapter.sizes.closed_trades import changed_from
from hydra_ft.adapter.sizes.shared_account import (
    PAUSES_KEPT_MS,
    PAUSES_STORED_MS,
    RESERVED_MS,
    hear,
    others_of,
    pause_of_row,
    roll_of,
)
from hydra_ft.decisions.admission import DAY_MS
from hydra_ft.errors import StoreError
from hydra_ft.risk.codes import OK
from hydra_ft.risk.pauses import is_new
from hydra_ft.store.holdings import (
    AccountStore,
    BotRow,
    HoldingRow,
    PauseRow,
    ReservationRow,
    ResultRow,
)
from hydra_ft.store.sizes import SizeRow, SizeStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from hydra_ft.adapter.sizes.book import Others, Own
    from hydra_ft.adapter.sizes.closed_trades import Closed
    from hydra_ft.adapter.sizes.shared_account import Heard, Roll
    from hydra_ft.risk.limits import Holding
    from hydra_ft.risk.pauses import Pause
    from hydra_ft.settings import RiskSettings
    from hydra_ft.store.database import Database
    from hydra_ft.store.holdings import Told

logger = logging.getLogger(__name__)

SIZES_KEPT_MS = 90 * DAY_MS
"""How long sizes are kept, as decisions are."""
_LONGEST_WHY = 250
HURRY_MS = 250
"""How long a turn is waited for by what comes before the exits of a loop, and again in the next."""


class RiskStore:
    """The account and the sizes, as one bot reads and writes them."""

    def __init__(
        self,
        database: Database,
        bot: str,
        account: str,
        settings: RiskSettings,
        alert: Callable[[str], None],
    ) -> None:
        self._bot = bot
        self._account = account
        self._settings = settings
        self._alert = alert
        self._store = AccountStore(database, bot)
        self._sizes = SizeStore(database, bot)
        self._told: tuple[object, ...] | None = None
        self._told_results: Sequence[Closed] | None = None
        self._has_reserved = False
        self._instance = uuid4().hex
        self._namesakes = {"", self._instance}
        self._silent: set[str] = set()
        self._dropped: set[str] = set()
        self._pruned_at = 0
        self._refused: dict[str, tuple[int, str]] = {}
        self._is_lost_for_words = False

    # ---- what this bot tells

    def tell(
        self, own: Own, under_way: Collection[str], since: int, now: int, *, again: bool
    ) -> None:
        """Write how this bot stands where that has changed, or, ``again``, its numbers did.

        Reservations whose entry is over, or has become a trade, are dropped by the same word.
        ``under_way`` are the pairs whose entry is being chased, ``since`` (UTC ms) is how far
        back closed trades matter.
        """
        held = [(one.pair, one.side, one.stake_quote) for one in own.holdings]
        key = (held, list(own.closed[-1:]), sorted(under_way))
        is_told = key == self._told and not self._has_reserved
        if (is_told and not again) or not self._is_known(own):
            return
        try:
            with self._store.turn(HURRY_MS) as told:
                before = told.own()
                told.keep_reserved(under_way)
                self._put(told, own, since, now)
        except StoreError as error:
            logger.error("Other bots do not see how this one stands: %s", error)  # noqa: TRY400
            return
        if self._told is not None and before is not None:
            self._notice_namesake(before.instance)
        self._told, self._told_results, self._has_reserved = key, own.closed, False

    def _notice_namesake(self, instance: str) -> None:
        """Say, once, that somebody else tells under the name of this bot.

        Whoever told before this bot did for the first time is taken for its own earlier run, so
        that no start is held up; a run that is over tells nothing any more.
        """
        if instance in self._namesakes:
            return
        self._namesakes.add(instance)
        self._alert(
            f"Two bots that run now have the name {self._bot} in one Hydra database: each "
            "overwrites what the other tells, and limits do not see the positions of both. Give "
            "each its own hydra.bot_name."
        )

    def _is_known(self, own: Own) -> bool:
        """Whether every number is one; what others were told last stands until it is."""
        unknown = [
            one.pair
            for one in own.holdings
            if not all(map(isfinite, (one.notional_quote, one.stop_distance, one.profit_quote)))
        ]
        if unknown and not self._is_lost_for_words:
            logger.warning("No price of %s: other bots go by what was told.", ", ".join(unknown))
        self._is_lost_for_words = bool(unknown)
        return not unknown

    def _put(self, told: Told, own: Own, since: int, now: int) -> None:
        share = own.share
        numbers = (share.exchange, share.balance_quote, share.wallet_quote)
        told.put_bot(BotRow(self._bot, self._account, *numbers, now, self._instance))
        told.put_holdings([_row(self._bot, held, now) for held in own.holdings])
        changed = changed_from(self._told_results, own.closed, since)
        if changed is not None:
            rows = [
                ResultRow(self._bot, one.trade, one.at, one.profit_quote)
                for one in own.closed
                if one.at >= changed
            ]
            told.put_results(rows, since=changed)
            told.forget_results(since)

    def begin_pause(self, pause: Pause, now: int) -> bool:
        """Keep a pause that has begun, for all bots; False where it is the go-on of a kept one.

        Raises StoreError.
        """
        with self._store.turn(HURRY_MS) as told:
            kept = told.pauses(self._account, now - PAUSES_KEPT_MS)
            if not is_new(pause, map(pause_of_row, kept)):
                return False
            why = pause.why[:_LONGEST_WHY]
            row = (self._account, pause.kind, pause.at, pause.until, why, pause.open_quote)
            told.put_pause(PauseRow(*row))
            told.forget_pauses(now - PAUSES_STORED_MS)
        return True

    # ---- what all have told

    @contextmanager
    def turn(self, since: int, now: int) -> Iterator[tuple[Told, Others]]:
        """Yield the tables and what others told, with all other bots kept out until the end.

        Raises StoreError: an account that cannot be seen lets nothing be entered.
        """
        with self._store.turn() as told:
            yield told, self._others(told, since, now)

    def others(self, since: int, now: int) -> Others:
        """Return what others told, their closed trades from a time on (UTC ms).

        Raises StoreError.
        """
        with self._store.look() as told:
            return self._others(told, since, now)

    def _others(self, told: Told, since: int, now: int) -> Others:
        heard = self._hear(told, since, now)
        roll = roll_of(heard, self._bot, self._account, self._settings, now)
        self._tell_of_silence(roll, heard)
        return others_of(heard, roll, self._bot, now)

    def _hear(self, told: Told, since: int, now: int) -> Heard:
        return hear(told, self._account, since, now)

    def _tell_of_silence(self, roll: Roll, heard: Heard) -> None:
        """Say, once, which bots are silent, and what that means for the limits."""
        holding = {row.bot for row in heard.holdings} | {row.bot for row in heard.reservations}
        for bot in sorted((roll.dropped.keys() & holding) - self._dropped):
            self._alert(
                f"Bot {bot} was not heard of since {moment(roll.dropped[bot])}: what it holds "
                "counts no more (hydra.risk.holdings_kept_s)."
            )
        for bot in sorted(roll.silent.keys() - self._silent):
            if bot in holding:
                self._alert(
                    f"Bot {bot} was not heard of since {moment(roll.silent[bot])}: what it holds "
                    "goes on counting against the limits, its equity does not. Start it, or name "
                    "it in hydra.risk.forgotten_bots."
                )
            else:
                logger.info("Bot %s is silent: its equity counts no more.", bot)
        self._silent, self._dropped = set(roll.silent), set(roll.dropped)

    # ---- room for an entry

    def reserve(self, told: Told, held: Holding, risk_quote: float, now: int) -> None:
        """Keep room for an entry within a turn, until it is sent or the next loop begins."""
        self._has_reserved = True
        told.reserve(
            ReservationRow(
                bot=self._bot,
                pair=held.pair,
                side=held.side,
                head=held.head,
                notional=held.notional_quote,
                risk=risk_quote,
                stake=held.stake_quote,
                at=now,
            )
        )

    def sending(self, pair: str, now: int) -> bool:
        """Note that the order of a reserved entry goes out; False where the room is gone again.

        Raises StoreError.
        """
        with self._store.turn() as told:
            return told.sending(pair, now, now - RESERVED_MS)

    # ---- sizes

    def keep(self, pair: str, at: int, code: str, size: Mapping[str, Any]) -> None:
        """Keep a size for ``hydra why --size``; once a day the old ones are dropped.

        A refusal is asked for again with every loop, and kept once.
        """
        if code != OK and self._refused.get(pair) == (at, code):
            return
        try:
            self._sizes.put(SizeRow(pair, at, code, size))
            self._refused[pair] = (at, code)
            if at - self._pruned_at > DAY_MS:
                self._sizes.forget_before(at - SIZES_KEPT_MS)
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
