"""The exchange of a drill: its market, its faults, and what it holds at a moment."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from hydra_ft.cli.drill.audit.timeline import ZERO
from hydra_ft.cli.drill.facts import Span
from hydra_ft.cli.drill.folder import append, now_ms
from hydra_ft.cli.drill.plan import BALANCE_QUOTE, swings
from hydra_ft.cli.drill.record import Recorder
from hydra_ft.cli.drill.tape import Tape
from hydra_ft.cli.symbols import pair_of
from loopback_exchange import FaultKind, FaultSchedule, LedMarket, Server, symbols

if TYPE_CHECKING:
    from types import TracebackType

    from hydra_ft.cli.drill.folder import Folder
    from hydra_ft.cli.drill.plan import Options
    from loopback_exchange import Strike

REOPENS_MS = 500
"""What a restart of the exchange takes beyond its time away."""


class World:
    """The embedded exchange with its journal, its faults and a tape that fills orders."""

    def __init__(
        self, options: Options, folder: Folder, balance: Decimal = Decimal(BALANCE_QUOTE)
    ) -> None:
        self._folder = folder
        self.symbols = symbols(options.pairs)
        self.market = LedMarket(options.seed, self.symbols)
        if options.exits:
            self.market.lead(swings(options, self.symbols, now_ms()))
        self.server = Server(self.market, store=folder.exchange_file, balance=balance)
        self.recorder = Recorder(folder)
        self.server.watchers.append(self.recorder)
        self._schedule = FaultSchedule(options.seed, options.faults)
        self._tape = Tape(self.server, self.recorder, options.seed)
        self.steps = {pair_of(name): self.market.spec(name).step for name in self.symbols}

    def __enter__(self) -> Self:
        self.server.faults.follow(self._schedule)
        self.server.start()
        self._tape.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tape.stop()
        self.server.stop()
        self.recorder.close()

    def stop_tape(self) -> None:
        """Fill nothing any more but what the market itself meets."""
        self._tape.stop()

    @property
    def seen(self) -> int:
        """Order requests that came while faults were not paused."""
        return self.server.faults.seen

    @property
    def hit(self) -> int:
        """How many of those a fault struck."""
        return self.server.faults.hit

    @property
    def strikes(self) -> list[Strike]:
        """Every fault that struck so far."""
        return list(self.server.faults.journal)

    def equity(self) -> float:
        """Balance and open profit, at the marks of the exchange (quote)."""
        state = self.server.control.state()
        opened = sum(Decimal(row["unRealizedProfit"]) for row in state["positions"])
        return float(Decimal(state["balances"]["USDT"]) + opened)

    def positions(self) -> dict[str, Decimal]:
        """Signed positions on the exchange, by pair."""
        rows = self.server.control.state()["positions"]
        return {pair_of(row["symbol"]): Decimal(row["positionAmt"]) for row in rows}

    def guarded(self) -> dict[str, Decimal]:
        """Quantity that the algo orders of each pair rest for."""
        sums: dict[str, Decimal] = {}
        for row in self.server.control.state()["algo_orders"]:
            pair = pair_of(row["symbol"])
            sums[pair] = sums.get(pair, ZERO) + Decimal(row["quantity"])
        return sums

    def working(self) -> dict[str, frozenset[str]]:
        """Ids of the orders that rest on the exchange, by pair."""
        return self._resting("open_orders", "orderId")

    def stops(self) -> dict[str, frozenset[str]]:
        """Ids of the algo orders that rest on the exchange, by pair."""
        return self._resting("algo_orders", "algoId")

    def _resting(self, which: str, name: str) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for row in self.server.control.state()[which]:
            pair = pair_of(row["symbol"])
            found[pair] = found.get(pair, frozenset()) | {str(row[name])}
        return found

    def filled(self) -> dict[str, Decimal]:
        """Signed sums of all fills of the journal, by pair."""
        sums: dict[str, Decimal] = {}
        before: dict[int, Decimal] = {}
        for event in list(self.recorder.events):
            if event.what == "filled" and not event.is_algo:
                done = event.filled - before.get(event.order_id, ZERO)
                before[event.order_id] = event.filled
                pair = pair_of(event.symbol)
                sums[pair] = sums.get(pair, ZERO) + (done if event.is_buy else -done)
        return sums

    def away(self) -> list[Span]:
        """Spans during which the exchange was restarting."""
        return [
            Span(strike.at_ms, strike.at_ms + self._down_ms(strike))
            for strike in self.strikes
            if strike.kind is FaultKind.RESTART
        ]

    def _down_ms(self, strike: Strike) -> int:
        fault = self._schedule.strike(strike.method, strike.path, strike.n)
        return int(fault.details["down_s"] * 1000) + REOPENS_MS if fault is not None else 0

    def write_strikes(self) -> None:
        """Write every fault that struck to its file."""
        self._folder.strikes_file.unlink(missing_ok=True)
        for strike in self.strikes:
            append(self._folder.strikes_file, strike._asdict())
