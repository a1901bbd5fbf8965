"""What a crash may cost, and what must hold after it; each rule yields what breaks it.

**The promise.** With every stop hit, the book loses no more than the budget of the day. A price
that jumps over a stop may take more, and then by the jump: from the stop to the worst price of
the bar that began with the first trade at or through it, and of that book what an order at
market of this size pays. Where the stop rests on the exchange that bar is one trade long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.adapter.decisions.outcomes import PAUSED
from hydra_ft.cli.drill.crash.policy import POLICY, TRADES
from hydra_ft.cli.drill.crash.variants import SPREAD_SHARE
from hydra_ft.cli.drill.facts import Violation, overlap_ms
from hydra_ft.risk.exits import BREAK_EVEN, LOCK, STOP, TIME, TRAIL
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hydra_ft.cli.drill.crash.facts import Crash
    from hydra_ft.types.books import BookedTrade

BAR_MS = 60_000
"""A stop that the bot itself watches is done within one bar of the time that it is there."""
CROSSING_SHARE = SPREAD_SHARE / 2 + 0.02
"""What an order at market pays beyond the last price: half the spread, and a thin book."""
CHASED_SHARE = 0.0025
"""What a chase may add to the price, and so to the risk, of an entry."""
BOOKING_SHARE = 2e-4
"""Of what was traded: freqtrade books the fees of a trade by one rate a side, and no funding."""
BEGUN_MS = 2_000
"""An order that was on its way when a pause began."""
_ORDER = (STOP, BREAK_EVEN, LOCK, TRAIL, TIME)


def budget(crash: Crash) -> float:
    """What the day may lose, in quote."""
    return POLICY.limits.day_loss * crash.balance


def lost(crash: Crash) -> float:
    """What the day has lost on the exchange, realised and open, after all fees; in quote."""
    return crash.balance - crash.equity


def at_stop(trade: BookedTrade) -> float:
    """What a trade loses in all if its stop is hit, after fees and what its parts have made."""
    size = abs(trade.quantity)
    way = trade.sign * (trade.open_rate - trade.stop)
    fees = trade.open_rate * trade.fee_open + trade.stop * trade.fee_close
    return max(0.0, size * (way + fees) - trade.profit_quote)


def at_stops(crash: Crash) -> float:
    """What the day would have lost with every stop hit, as the fall began."""
    closed = sum(trade.profit_quote for trade in crash.before if not trade.is_open)
    return sum(at_stop(trade) for trade in held(crash)) - closed


def held(crash: Crash) -> list[BookedTrade]:
    """Trades that were open as the fall began."""
    return [trade for trade in crash.before if trade.is_open]


def jump(crash: Crash, trade: BookedTrade) -> float:
    """What a trade lost beyond its stop by the price at which it left, in quote."""
    price = crash.exits.get(trade.number, trade.stop)
    return abs(trade.quantity) * max(0.0, trade.sign * (trade.stop - price))


def gaps(crash: Crash) -> float:
    """What the market jumped over all stops within their bars, in quote."""
    found = 0.0
    by_number = {trade.number: trade for trade in held(crash)}
    for touch in crash.touches:
        trade = by_number[touch.trade]
        worst = touch.worst * (1 - trade.sign * CROSSING_SHARE)
        found += abs(trade.quantity) * max(0.0, trade.sign * (trade.stop - worst))
    return found


def full_book(crash: Crash) -> Iterator[Violation]:
    """Twenty trades were open when the fall began."""
    if len(held(crash)) < TRADES:
        yield _broken("too_few_trades", crash.began, f"{len(held(crash))} of {TRADES} were open")


def budget_before(crash: Crash) -> Iterator[Violation]:
    """As the fall began, all stops together stayed within the budget."""
    if at_stops(crash) > budget(crash) * (1 + CHASED_SHARE):
        text = (
            f"with every stop hit {at_stops(crash):.2f} is lost, the budget is {budget(crash):.2f}"
        )
        yield _broken("budget_before", crash.began, text)


def promise(crash: Crash) -> Iterator[Violation]:
    """The day lost no more than its budget and the gaps of the market over the stops."""
    allowed = budget(crash) + gaps(crash)
    if lost(crash) > allowed:
        text = f"{lost(crash):.2f} lost, {budget(crash):.2f} and gaps of {gaps(crash):.2f} allowed"
        yield _broken("promise", crash.ended, text)


def accounted(crash: Crash) -> Iterator[Violation]:
    """The loss is that of the stops and of the jumps over them: nothing was added to it."""
    jumps = sum(jump(crash, trade) for trade in held(crash))
    known = {trade.number for trade in crash.before}
    later = sum(max(0.0, -t.profit_quote) for t in crash.after if t.number not in known)
    allowed = at_stops(crash) + jumps + later + BOOKING_SHARE * _traded(crash)
    if lost(crash) > allowed:
        text = (
            f"{lost(crash):.2f} lost, but stops of {at_stops(crash):.2f}, jumps of {jumps:.2f} "
            f"and later trades of {later:.2f} are all that explains it"
        )
        yield _broken("loss_unexplained", crash.ended, text)


def stops_done(crash: Crash) -> Iterator[Violation]:
    """Every stop that the market touched was done within its bar, at no worse a price."""
    by_number = {trade.number: trade for trade in held(crash)}
    for touch in crash.touches:
        trade, until = by_number[touch.trade], crash.flat_at.get(touch.trade)
        took = overlap_ms(crash.facts.both_up, touch.at, until or crash.ended)
        if until is None or took > BAR_MS:
            text = f"stop {trade.stop:g} was touched, and not done after {took / 1e3:.1f} s"
            yield Violation("stop_not_done", trade.pair, touch.at, text)
            continue
        price = crash.exits[touch.trade]
        worst = min(trade.sign * touch.worst, trade.sign * trade.stop)
        if trade.sign * price < worst - CROSSING_SHARE * touch.worst:
            text = f"left at {price:g}; the worst price of its bar was {touch.worst:g}"
            yield Violation("beyond_the_gap", trade.pair, touch.at, text)


def protected(crash: Crash) -> Iterator[Violation]:
    """What is open in the end has a stop that rests, or one that the price has not passed."""
    for trade in crash.after:
        if not trade.is_open:
            continue
        price, rests = crash.prices[trade.pair], crash.guarded.get(trade.pair, 0.0)
        passed = trade.sign * (price - trade.stop) < 0
        bare = crash.facts.stops and abs(rests - abs(trade.quantity)) > crash.steps[trade.pair] / 2
        if passed or bare or not trade.stop:
            text = f"stop {trade.stop:g} at a price of {price:g}, {rests:g} rest on the exchange"
            yield Violation("unprotected", trade.pair, crash.ended, text)


def averaging(crash: Crash) -> Iterator[Violation]:
    """No entry is decided on a pair while a trade of it is open."""
    for trade in crash.after:
        until = trade.closed_at or crash.ended
        for parent in crash.facts.parents:
            same = parent.kind is Kind.ENTRY and parent.pair == trade.pair
            if same and trade.opened_at < parent.decided_at < until:
                yield Violation(
                    "averaged_down", trade.pair, parent.decided_at, f"beside {trade.number}"
                )


def pause(crash: Crash) -> Iterator[Violation]:
    """A lost budget pauses the entries, with an end, and nothing is entered until then."""
    locks = [lock for lock in crash.locks if lock.reason.startswith(PAUSED)]
    if lost(crash) >= budget(crash) and not any(lock.until > crash.ended for lock in locks):
        yield _broken("no_pause", crash.ended, f"{lost(crash):.2f} lost, and no lock")
    longest_ms = 1000 * max(POLICY.limits.flatten_pause_s, POLICY.limits.drawdown_pause_s)
    for lock in locks:
        if not 0 < lock.until - lock.since <= longest_ms + BAR_MS:
            yield _broken("pause_without_end", lock.since, f"until {lock.until}: {lock.reason}")
        for event in crash.facts.events:
            enters = event.what == "placed" and not event.reduce_only and not event.is_algo
            if enters and lock.since + BEGUN_MS < event.at < lock.until:
                text = f"order {event.order_id} of {event.symbol}, paused by {lock.reason!r}"
                yield _broken("entry_in_pause", event.at, text)


def remembered(crash: Crash) -> Iterator[Violation]:
    """A restart loosens no stop, and forgets neither stance, R, rule nor taken parts."""
    if crash.restart is None:
        return
    after = {trade.number: trade for trade in crash.restart.after}
    for before in crash.restart.before:
        now = after.get(before.number)
        if before.is_open and now is not None and now.is_open:
            forgot = [text for is_worse, text in _worse(before, now) if is_worse]
            if forgot:
                yield Violation("restart_forgot", before.pair, crash.began, "; ".join(forgot))


def _worse(before: BookedTrade, now: BookedTrade) -> Iterator[tuple[bool, str]]:
    yield before.sign * (now.stop - before.stop) < 0, f"stop {before.stop:g}, then {now.stop:g}"
    for name in ("stop", "target", "max_hold_s", "r_quote"):
        was, is_ = before.stance.get(name), now.stance.get(name)
        yield was is None or was != is_, f"{name} {was}, then {is_}"
    was, is_ = before.stance.get("rule", ""), now.stance.get("rule", "")
    yield was in _ORDER and is_ not in _ORDER[_ORDER.index(was) :], f"rule {was}, then {is_}"
    yield now.taken < before.taken, f"taken {before.taken:g}, then {now.taken:g}"


def money(crash: Crash) -> Iterator[Violation]:
    """Freqtrade's profits add up to what the exchange has in its wallet."""
    booked = sum(trade.profit_quote for trade in crash.after)
    for trade in crash.after:
        price = crash.prices[trade.pair]
        fees = abs(trade.quantity) * trade.open_rate * trade.fee_open
        booked += trade.quantity * (price - trade.open_rate) - fees
    off = abs(booked + lost(crash))
    if off > BOOKING_SHARE * _traded(crash):
        text = f"freqtrade made {booked:+.2f}, the exchange {-lost(crash):+.2f}"
        yield _broken("money_differs", crash.ended, text)


def _traded(crash: Crash) -> float:
    """Turnover of all fills, in quote."""
    total, before = 0.0, dict[int, float]()
    for event in crash.facts.events:
        if event.what == "filled" and not event.is_algo:
            done = float(event.filled) - before.get(event.order_id, 0.0)
            before[event.order_id] = float(event.filled)
            total += done * float(event.fill_price)
    return total


def _broken(rule: str, at: int, text: str) -> Violation:
    return Violation(rule, "", at, text)


RULES: tuple[Callable[[Crash], Iterable[Violation]], ...] = (
    full_book, budget_before, promise, accounted, stops_done, protected, averaging, pause,
    remembered, money,
)  # fmt: skip


def judge(crash: Crash) -> list[Violation]:
    """Return everything that breaks a rule of the crash."""
    return [found for rule in RULES for found in rule(crash)]
