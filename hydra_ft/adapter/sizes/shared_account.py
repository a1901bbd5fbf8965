"""What other bots of an account have told, as its limits count it.

A bot that is silent may be dead, and what it holds still risks money: its positions, the entries
it has sent and what it has lost today go on counting, its equity and its gains do not. So its
silence only ever leaves less room. It is no loss, though: whether the account must pause or close
is told from all that each bot told last. The operator ends that by starting it again, or by naming
it in ``hydra.risk.forgotten_bots``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_ft.adapter.sizes.book import Others, Share, Silent, merged
from hydra_ft.adapter.sizes.closed_trades import Closed
from hydra_ft.decisions.admission import DAY_MS
from hydra_ft.risk.codes import VETO_DAY_LOSS, VETO_DRAWDOWN
from hydra_ft.risk.limits import Holding
from hydra_ft.risk.pauses import DRAWDOWN, FLATTEN, Pause

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hydra_ft.settings import RiskSettings
    from hydra_ft.store.holdings import (
        BotRow,
        HoldingRow,
        PauseRow,
        ReservationRow,
        ResultRow,
        Told,
    )

RESERVED_MS = 120_000
"""How long room is kept for an entry that has not been sent: within one loop of a bot."""
PAUSES_KEPT_MS = 62 * DAY_MS
"""How long pauses count after their end: what made one may close as late, and make none anew."""
PAUSES_STORED_MS = 430 * DAY_MS
"""How long they are stored: a drawdown's as long as its peak may be looked for, and its pause."""


@dataclass(frozen=True, slots=True)
class Heard:
    """All rows of the database that concern the account of a bot."""

    bots: Sequence[BotRow]
    holdings: Sequence[HoldingRow]
    reservations: Sequence[ReservationRow]
    results: Sequence[ResultRow]
    pauses: Sequence[PauseRow]


@dataclass(frozen=True, slots=True)
class Roll:
    """The other bots of the account, each with when it was heard of last (UTC ms).

    ``silent`` are those of which nothing was heard for a while, ``dropped`` those of which
    nothing counts any more although they told of positions.
    """

    present: Mapping[str, int]
    silent: Mapping[str, int]
    dropped: Mapping[str, int]


def hear(told: Told, account: str, since: int, now: int) -> Heard:
    """Read the rows; closed trades from a time on (UTC ms)."""
    live = [row for row in told.reservations() if row.is_sent or row.at >= now - RESERVED_MS]
    return Heard(
        bots=told.bots(),
        holdings=told.holdings(),
        reservations=live,
        results=told.results_of_others(since),
        pauses=told.pauses(account, min(since, now - PAUSES_KEPT_MS)),
    )


def roll_of(heard: Heard, bot: str, account: str, settings: RiskSettings, now: int) -> Roll:
    """Tell who counts; a bot that told of positions and of nothing else counts as present."""
    gone = {bot, *settings.forgotten_bots}
    gone |= {row.bot for row in heard.bots if row.account != account}
    last: dict[str, int] = {}
    told = [(row.bot, row.updated_at) for row in heard.bots]
    told += [(row.bot, row.updated_at) for row in heard.holdings]
    told += [(row.bot, row.at) for row in heard.reservations]
    for name, at in told:
        if name not in gone:
            last[name] = max(last.get(name, 0), at)
    kept_ms = settings.holdings_kept_s * 1000
    dropped = {name: at for name, at in last.items() if kept_ms and at < now - kept_ms}
    silent = {name: at for name, at in last.items() if at < now - settings.bot_silent_s * 1000}
    return Roll(
        present={name: at for name, at in last.items() if name not in silent.keys() | dropped},
        silent={name: at for name, at in silent.items() if name not in dropped},
        dropped=dropped,
    )


def others_of(heard: Heard, roll: Roll, bot: str, now: int) -> Others:
    """Put together what counts of the other bots, and the room that this one has reserved."""
    return Others(
        holdings=_held_by(heard, roll.present),
        reserved=tuple(_reserved(row) for row in heard.reservations if row.bot == bot),
        shares=_shares_of(heard, roll.present),
        results=_closed_by(heard, roll.present),
        pauses=tuple(map(pause_of_row, heard.pauses)),
        silent=_silent(heard, roll, now),
    )


def _silent(heard: Heard, roll: Roll, now: int) -> Silent:
    """Put together what silent bots told last."""
    midnight = now - now % DAY_MS
    lost = dict.fromkeys(roll.silent, 0.0)
    for row in heard.results:
        if row.bot in lost and row.at >= midnight:
            lost[row.bot] += row.profit
    return Silent(
        holdings=_held_by(heard, roll.silent),
        today=_held_by(heard, {name for name, at in roll.silent.items() if at >= midnight}),
        shares=_shares_of(heard, roll.silent),
        results=_closed_by(heard, roll.silent),
        lost_today_quote=sum(min(0.0, made) for made in lost.values()),
    )


def _held_by(heard: Heard, bots: Collection[str]) -> tuple[Holding, ...]:
    """Positions and entries of bots, each bot's merged by itself."""
    found: list[Holding] = []
    for bot in sorted(bots):
        held = [_holding(row) for row in heard.holdings if row.bot == bot]
        kept = [_reserved(row) for row in heard.reservations if row.bot == bot]
        found += merged(held, kept)
    return tuple(found)


def _shares_of(heard: Heard, bots: Collection[str]) -> tuple[Share, ...]:
    return tuple(
        Share(row.exchange, row.balance, row.wallet) for row in heard.bots if row.bot in bots
    )


def _closed_by(heard: Heard, bots: Collection[str]) -> tuple[Closed, ...]:
    return tuple(Closed(row.at, row.profit, row.trade) for row in heard.results if row.bot in bots)


def _holding(row: HoldingRow) -> Holding:
    return Holding(
        pair=row.pair,
        side=row.side,
        notional_quote=row.notional,
        stop_distance=row.stop_distance,
        profit_quote=row.profit,
        stake_quote=row.stake,
        head=row.head,
    )


def _reserved(row: ReservationRow) -> Holding:
    return Holding(
        pair=row.pair,
        side=row.side,
        notional_quote=row.notional,
        stop_distance=row.risk / row.notional if row.notional else 0.0,
        profit_quote=0.0,
        stake_quote=row.stake,
        head=row.head,
    )


def pause_of_row(row: PauseRow) -> Pause:
    """Return a pause as it was kept."""
    code = VETO_DRAWDOWN if row.kind == DRAWDOWN else VETO_DAY_LOSS
    flatten = row.kind == FLATTEN
    return Pause(code, row.until, flatten, row.why, row.kind, row.at, row.open_profit)
