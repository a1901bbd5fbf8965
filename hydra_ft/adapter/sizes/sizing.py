"""Limits and sizes of the entries of a head: the pure rules on freqtrade's books.

Limits are judged first, on what stands; the size keeps to the room that they leave, and what a
bad day could cost is judged with the sized entry in the book.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.adapter.sizes.terms import YEAR_MS
from hydra_ft.risk import codes
from hydra_ft.risk.correlation import common_returns, correlations_with
from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.limits import Holding, LimitVerdict, correlated_share, judge, room
from hydra_ft.risk.pauses import Pause, day_pause, is_new
from hydra_ft.risk.sizing import SizedEntry, allowed_leverage, size_entry
from hydra_ft.risk.tail import tail_risk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.adapter.sizes.book import Account
    from hydra_ft.adapter.sizes.terms import Table, Terms
    from hydra_ft.risk.limits import Book
    from hydra_ft.risk.policy import RiskPolicy
    from hydra_ft.types import FloatArray, IntArray, Side

CORRELATION_BARS = 240
"""Closed bars of the market timeframe that correlations are told from: ten days of 1h."""
DAY_MS = 86_400_000
_SLACK = 1 + 1e-9
"""Freqtrade computes the quantity back from the stake and truncates it to the step."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What freqtrade says when it asks for a stake: prices and amounts in quote currency."""

    pair: str
    side: Side
    price: float
    leverage: float
    min_stake: float
    max_stake: float
    now: int


def wanted_leverage(policy: RiskPolicy, stop: float, hard_stop: float, allowed: float) -> float:
    """Leverage of an entry: the most that policy and exchange allow with its stop in force.

    Freqtrade's own stop stands at ``hard_stop`` of the margin and can only be raised: more
    leverage than that leaves room for would bring it before the stop of the entry.
    """
    if not stop > 0:
        return 1.0
    most = min(policy.sizing.max_leverage, allowed, hard_stop / stop)
    return allowed_leverage(max(1.0, most), stop, policy.sizing)


def new_pauses(account: Account, now: int, policy: RiskPolicy) -> list[Pause]:
    """Pauses that begin at a time (UTC ms): asked for by the open book, and not kept yet.

    A book that is not known lets nothing be entered as it is; it may be known the next moment.
    """
    rules, drawdown = policy.limits, account.drawdown.pause(now)
    began = drawdown.until - rules.drawdown_pause_s * 1000
    # A closed trade that began it stands in the curve with what it has lost.
    opened = account.as_told.open_profit_quote if began == now else 0.0
    asked = [replace(drawdown, at=began, open_quote=opened)] if drawdown.kind else []
    if account.as_told.is_known:
        asked.append(day_pause(account.as_told, now, rules))
    return [pause for pause in asked if is_new(pause, account.kept)]


def standing_pauses(account: Account, now: int) -> list[Pause]:
    """Pauses that were begun and go on at a time (UTC ms), each by its first beginning."""
    closed = (account.paused,) if is_new(account.paused, account.kept) else ()
    return [pause for pause in (*account.kept, *closed) if pause.until > now]


def verdict(
    pair: str,
    side: Side,
    head: str,
    account: Account,
    tables: Mapping[str, Table],
    policy: RiskPolicy,
    now: int,
) -> LimitVerdict:
    """Judge an entry by pauses and limits, before its size is known."""
    standing = [*standing_pauses(account, now), *new_pauses(account, now, policy)]
    pause = max(standing, key=lambda one: one.until, default=Pause())
    known = _correlations(pair, account.book, tables, policy, now)
    found = judge(pair, side, head, account.book, policy.limits, correlations=known)
    told: dict[str, str] = {}
    if pause.kind:
        end = datetime.fromtimestamp(pause.until / 1e3, tz=UTC)
        told[pause.code] = f"{pause.why}, no entries until {end:%Y-%m-%d %H:%M} UTC"
    for code, why in zip(found.codes, found.why, strict=True):
        told[code] = f"{told[code]}; {why}" if code in told else why
    return LimitVerdict(tuple(told), tuple(told.values()))


def sized(
    ask: Ask,
    terms: Terms | None,
    head: str,
    account: Account,
    tables: Mapping[str, Table],
    policy: RiskPolicy,
) -> SizedEntry:
    """Size an entry in the room that the limits leave; refused where a bad day would not fit."""
    if terms is None or terms.side is not ask.side:
        return refused(codes.SIZE_ZERO, "no bar has decided this entry")
    book, rules = account.book, policy.limits
    known = _correlations(ask.pair, book, tables, policy, ask.now)
    left = room(ask.side, head, book, rules)
    request = SizeRequest(
        side=ask.side,
        price=ask.price,
        stop=terms.stop,
        target=terms.target,
        confidence=terms.confidence,
        regime_confidence=terms.regime_confidence,
        bias_strength=terms.bias_strength,
        vol_expansion=terms.vol_expansion,
        volatility=terms.volatility,
        bars_a_year=YEAR_MS / tables[ask.pair].step_ms,
        equity_quote=account.equity_quote,
        peak_equity_quote=account.own_peak_quote,
        losses=account.losses,
        correlated_share=correlated_share(ask.side, book, known, rules),
        quantity_step=tables[ask.pair].quantity_step,
        min_stake_quote=ask.min_stake,
        max_stake_quote=min(ask.max_stake, left.stake_quote),
        leverage=ask.leverage,
        risk_room_quote=left.risk_quote,
        notional_room_quote=left.notional_quote,
    )
    made = size_entry(request, policy)
    if made.code == codes.OK:
        made = _with_tail(made, ask, account, tables, policy)
    return made


def stake_of(made: SizedEntry, ask: Ask) -> float:
    """Stake (quote) that buys the sized quantity at the leverage that freqtrade will use.

    0 where that stake is under freqtrade's minimum, which freqtrade would raise it to.
    """
    stake = made.notional_quote * _SLACK / ask.leverage
    return stake if stake >= ask.min_stake else 0.0


def reservation(made: SizedEntry, ask: Ask, stake: float, head: str) -> Holding:
    """Return the room that a sized entry needs, as if it were held; its stop with the fees."""
    away = made.risk_quote / made.notional_quote
    return Holding(ask.pair, ask.side, made.notional_quote, away, 0.0, stake, head)


def shown(made: SizedEntry, ask: Ask) -> dict[str, Any]:
    """A size as plain values, for the database and for people."""
    return {
        "side": ask.side.value,
        "price": ask.price,
        "stake": made.stake_quote,
        "notional": made.notional_quote,
        "quantity": made.quantity,
        "stop_price": made.stop_price,
        "leverage": ask.leverage,
        "risk": made.risk_quote,
        "code": made.code,
        "capped_by": made.capped_by,
        "detail": made.detail,
        "because": [asdict(factor) for factor in made.because],
    }


def _with_tail(
    made: SizedEntry, ask: Ask, account: Account, tables: Mapping[str, Table], policy: RiskPolicy
) -> SizedEntry:
    """The size, or its refusal where the book with it could lose too much on a bad day."""
    book, rules = account.book, policy.limits
    pairs, returns = _returns(ask.pair, book, tables, ask.now)
    positions = np.zeros(len(pairs))
    place = {pair: column for column, pair in enumerate(pairs)}
    own = ask.side.sign
    positions[place[ask.pair]] += own * made.notional_quote
    for held in book.holdings:
        # A pair whose candles are not read counts as the entry's own, on its side.
        column = place.get(held.pair)
        sign = own if column is None else held.side.sign
        positions[place[ask.pair] if column is None else column] += sign * held.notional_quote
    tail = tail_risk(
        returns, positions, rules.var_confidence, DAY_MS / tables[ask.pair].market_step_ms
    )
    judged = judge(ask.pair, ask.side, "", book, rules, correlations={}, tail=tail)
    for code, why in zip(judged.codes, judged.why, strict=True):
        if code == codes.VETO_VAR:
            return refused(code, why, made)
    return made


def _returns(
    pair: str, book: Book, tables: Mapping[str, Table], now: int
) -> tuple[tuple[str, ...], FloatArray]:
    closes = _closes(pair, book, tables, now)
    return common_returns(closes, tables[pair].market_step_ms, CORRELATION_BARS)


def _closes(
    pair: str, book: Book, tables: Mapping[str, Table], now: int
) -> dict[str, tuple[IntArray, FloatArray]]:
    """Times and closes of the pair and of all pairs held whose candles are read."""
    names = {pair, *(held.pair for held in book.holdings)} & tables.keys()
    return {name: tables[name].market_until(now, CORRELATION_BARS + 1) for name in names}


def _correlations(
    pair: str, book: Book, tables: Mapping[str, Table], policy: RiskPolicy, now: int
) -> dict[str, float]:
    """Correlation of a pair with every pair held whose candles are read."""
    if not book.holdings or pair not in tables:
        return {}
    closes, least = _closes(pair, book, tables, now), policy.limits.min_correlation_bars
    return correlations_with(pair, closes, tables[pair].market_step_ms, CORRELATION_BARS, least)


def refused(code: str, detail: str, made: SizedEntry | None = None) -> SizedEntry:
    """No size, for a reason; the factors of the size that was refused stay to be seen."""
    because = made.because if made is not None else ()
    return SizedEntry(0.0, 0.0, 0.0, 0.0, 1.0, 0.0, because, code, detail=detail)
