"""What a symbol is: tick and step, start price, and how lively its market is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from loopback_exchange.market.coins import COINS, Coin
from loopback_exchange.market.noise import Floats, Ints, key_of, normal, uniform


@dataclass(frozen=True)
class SymbolSpec:
    """One perpetual contract.

    Prices are handled as whole ticks and quantities as whole steps, so sums stay exact.

    Attributes
    ----------
    tick, step : Decimal
        Smallest move of a price (quote) and of a quantity (base).
    min_notional : Decimal
        Least value of an order, in quote.
    start_price : float
        Level around which the generated market moves, in quote.
    beta, own_scale : float
        Weight of the common factor and of the symbol's own moves.
    minute_notional : float
        Typical turnover of a minute, in quote.
    open_interest_notional : float
        Typical open interest, in quote.
    max_leverage : int
        Leverage of the first bracket.
    """

    symbol: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal
    start_price: float
    beta: float = 1.2
    own_scale: float = 0.7
    minute_notional: float = 4e5
    open_interest_notional: float = 1e8
    max_leverage: int = 50

    @property
    def base(self) -> str:
        """Name of the base asset."""
        return self.symbol.removesuffix("USDT")

    @cached_property
    def _tick_parts(self) -> tuple[int, int]:
        return _parts(self.tick)

    @cached_property
    def _step_parts(self) -> tuple[int, int]:
        return _parts(self.step)

    @property
    def price_decimals(self) -> int:
        """Decimal places of a price."""
        return self._tick_parts[1]

    @property
    def price_precision(self) -> int:
        """Decimal places that are accepted before the tick is looked at, as for BTCUSDT."""
        return self.price_decimals + 1

    @property
    def quantity_decimals(self) -> int:
        """Decimal places of a quantity."""
        return self._step_parts[1]

    def price(self, ticks: int) -> Decimal:
        """Turn ticks into a price in quote."""
        unit, decimals = self._tick_parts
        return Decimal(int(ticks) * unit).scaleb(-decimals)

    def quantity(self, steps: int) -> Decimal:
        """Turn steps into a quantity in base."""
        unit, decimals = self._step_parts
        return Decimal(int(steps) * unit).scaleb(-decimals)

    def ticks(self, price: Decimal) -> int:
        """Turn a price that lies on the tick into ticks."""
        return int((price / self.tick).to_integral_value())

    def steps(self, quantity: Decimal) -> int:
        """Turn a quantity that lies on the step into steps."""
        return int((quantity / self.step).to_integral_value())

    def prices(self, ticks: Ints) -> Floats:
        """Turn ticks into float prices that equal the decimal text read back."""
        unit, decimals = self._tick_parts
        prices: Floats = ticks * unit / 10**decimals
        return prices

    def quantities(self, steps: Ints) -> Floats:
        """Turn steps into float quantities that equal the decimal text read back."""
        unit, decimals = self._step_parts
        quantities: Floats = steps * unit / 10**decimals
        return quantities


def _parts(size: Decimal) -> tuple[int, int]:
    exponent = size.as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return int(size.scaleb(decimals)), decimals


def _spec(
    symbol: str, tick: str, step: str, least: str, price: float, beta: float, own: float,
    minute: float, interest: float, leverage: int,
) -> SymbolSpec:  # fmt: skip
    sizes = (Decimal(tick), Decimal(step), Decimal(least))
    return SymbolSpec(symbol, *sizes, price, beta, own, minute, interest, leverage)


# Tick, step and least notional are those of the real contracts; the rest is of their size.
_KNOWN = {
    spec.symbol: spec
    for spec in (
        _spec("BTCUSDT", "0.1", "0.001", "100", 60_000.0, 0.95, 0.35, 8e6, 6e9, 125),
        _spec("ETHUSDT", "0.01", "0.001", "20", 3_000.0, 1.15, 0.55, 6e6, 4e9, 125),
        _spec("SOLUSDT", "0.01", "0.01", "5", 150.0, 1.35, 0.8, 2e6, 9e8, 100),
        _spec("BNBUSDT", "0.01", "0.01", "5", 600.0, 0.85, 0.5, 6e5, 5e8, 75),
        _spec("XRPUSDT", "0.0001", "0.1", "5", 2.0, 1.2, 0.8, 1e6, 5e8, 75),
        _spec("DOGEUSDT", "0.00001", "1", "5", 0.15, 1.4, 0.9, 8e5, 3e8, 75),
        _spec("ADAUSDT", "0.0001", "1", "5", 0.6, 1.25, 0.8, 3e5, 2e8, 75),
        _spec("LTCUSDT", "0.01", "0.001", "20", 80.0, 1.05, 0.6, 2e5, 1e8, 75),
    )
}
DEFAULT_SYMBOLS = tuple(_KNOWN)


def _of_coin(coin: Coin) -> SymbolSpec:
    beta, own = _temper(f"{coin.base}USDT")
    return _spec(
        f"{coin.base}USDT", coin.tick, coin.step, coin.least, coin.price, beta, own,
        coin.minute, coin.minute * 400, 75,
    )  # fmt: skip


def _temper(symbol: str) -> tuple[float, float]:
    """Draw the weights of the common factor and of the symbol's own moves from its name."""
    beta, own = 1.2 + 0.2 * normal(key_of("spec", symbol), np.array([1, 2])) / 2
    return float(beta), float(own) * 0.7


_KNOWN |= {spec.symbol: spec for spec in map(_of_coin, COINS)}


def symbols(count: int) -> tuple[str, ...]:
    """Name the first so many (1 to 50) of the known symbols, the eight default ones first."""
    if not 1 <= count <= len(_KNOWN):
        raise ValueError(
            f"There are 1 to {len(_KNOWN)} known symbols; {count} were asked for. Change the count."
        )
    return tuple(_KNOWN)[:count]


def spec_of(symbol: str) -> SymbolSpec:
    """Look up one of the fifty known symbols, or generate a spec from the name alone.

    Raises
    ------
    ValueError
        When the name is not an upper-case base followed by ``USDT``.
    """
    if symbol in _KNOWN:
        return _KNOWN[symbol]
    base = symbol.removesuffix("USDT")
    if not base.isalnum() or base != base.upper() or base == symbol:
        raise ValueError(
            f"A symbol is an upper-case base and USDT, as in AVAXUSDT; it was {symbol!r}. "
            "Change the list of symbols."
        )
    return _generated(symbol)


def _generated(symbol: str) -> SymbolSpec:
    key = key_of("spec", symbol)
    price = 10 ** (-1.0 + 3.0 * float(uniform(key, np.array([0]))[0]))
    # Four to five significant digits, as the exchange gives its smaller coins.
    tick = Decimal(1).scaleb(int(np.floor(np.log10(price))) - 4)
    step = Decimal(1) if price < 10 else Decimal("0.1")
    return SymbolSpec(symbol, tick, step, Decimal(5), float(round(price, 6)), *_temper(symbol))
