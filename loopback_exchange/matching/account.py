"""The wallet and the positions: one-way mode, isolated margin, amounts in Decimal."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

START_BALANCE = Decimal(100_000)
DEFAULT_LEVERAGE = 20
MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0005")
_CENT = Decimal("1e-8")


def money(amount: Decimal) -> Decimal:
    """Round an amount to the eight decimals in which the exchange books."""
    return amount.quantize(_CENT)


@dataclass(slots=True)
class Position:
    """One position; ``quantity`` is signed (steps), ``cost`` is what it was entered for."""

    quantity: int = 0
    cost: Decimal = Decimal(0)  # quote, entry price times size
    margin: Decimal = Decimal(0)  # quote, isolated
    update_ms: int = 0

    def apply(
        self, signed: int, price: Decimal, step: Decimal, leverage: int, now_ms: int
    ) -> Decimal:
        """Add a signed fill (steps) at a price and give the profit that it realised (quote)."""
        realized = Decimal(0)
        opposite = self.quantity * signed < 0
        closing = min(abs(self.quantity), abs(signed)) if opposite else 0
        if closing:
            realized = self._close(closing, price, step)
        opening = abs(signed) - closing
        if opening:
            notional = price * step * opening
            self.cost += notional
            self.margin += money(notional / leverage)
        self.quantity += signed
        self.update_ms = now_ms
        return realized

    def _close(self, closing: int, price: Decimal, step: Decimal) -> Decimal:
        share = Decimal(closing) / abs(self.quantity)
        whole = closing == abs(self.quantity)
        cost = self.cost if whole else self.cost * share
        self.margin -= self.margin if whole else money(self.margin * share)
        self.cost -= cost
        gain = price * step * closing - cost
        return money(gain if self.quantity > 0 else -gain)

    def entry_price(self, step: Decimal) -> Decimal:
        """Give the average entry price, 0 without a position."""
        return self.cost / (step * abs(self.quantity)) if self.quantity else Decimal(0)

    def unrealized(self, mark: Decimal, step: Decimal) -> Decimal:
        """Give the profit at a mark price, in quote."""
        gain = mark * step * abs(self.quantity) - self.cost
        return money(gain if self.quantity > 0 else -gain)


@dataclass(slots=True)
class Account:
    """Everything that the account holds besides its orders."""

    wallet: Decimal = START_BALANCE
    positions: dict[str, Position] = field(default_factory=dict)
    leverage: dict[str, int] = field(default_factory=dict)
    isolated: set[str] = field(default_factory=set)
    update_ms: int = 0

    def position(self, symbol: str) -> Position:
        """Give the position of a symbol, an empty one if there is none."""
        return self.positions.setdefault(symbol, Position())

    def leverage_of(self, symbol: str) -> int:
        """Give the leverage that is set for a symbol."""
        return self.leverage.get(symbol, DEFAULT_LEVERAGE)

    @property
    def position_margin(self) -> Decimal:
        """Margin bound in all positions, in quote."""
        return sum((one.margin for one in self.positions.values()), Decimal(0))
