"""Which moments are executed: drawn by seed, sorted by a rule that knows no outcome.

A window is one parent order to be: a symbol, a closed 5m bar, a side and a size. The clock
hour around it is called trending, calm or volatile from its minutes alone, before the side is
drawn and without any look at an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.types import FloatArray, Side

if TYPE_CHECKING:
    from loopback_exchange.market import MarketSource

MARKETS = ("calm", "trending", "volatile")
DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
FIRST_DAY_MS = 1_735_689_600_000
"""2025-01-01; the generated market is alike at all times."""

TREND_EFFICIENCY = 0.7
"""Share of the range of an hour that its return makes, from which on it is called trending."""
LATE_MS = (1_000, 4_000)
"""Time from the close of the bar to the bot's first look, least and most."""
SIZES = (0.001, 0.05)
"""Size of a parent as a share of the symbol's typical turnover of a minute, least and most."""
BARS_FOR_VOLATILITY = 50
BAR_MS = 300_000


@dataclass(frozen=True, slots=True)
class Window:
    """One parent to be: ``decided_at`` is the close of a 5m bar (UTC ms).

    ``late_ms`` is the time to the first look, ``notional_quote`` the size, ``trend`` the log
    return of the hour around the decision, known in hindsight only.
    """

    market: str
    symbol: str
    side: Side
    decided_at: int
    late_ms: int
    notional_quote: float
    trend: float

    @property
    def is_with_trend(self) -> bool:
        """Whether the hour went the way of the order, so that waiting made it dearer."""
        return self.trend * self.side.sign > 0


@dataclass(frozen=True, slots=True)
class Hours:
    """All clock hours of one symbol: arrays of shape (hours,)."""

    volatility: FloatArray
    trend: FloatArray
    efficiency: FloatArray

    def market_of(self, hour: int) -> str:
        """Kind of market of an hour, or nothing for an hour between the kinds."""
        if self.efficiency[hour] >= TREND_EFFICIENCY:
            return "trending"
        low, high = np.quantile(self.volatility, [1 / 3, 2 / 3])
        if self.volatility[hour] <= low:
            return "calm"
        return "volatile" if self.volatility[hour] >= high else ""


def hours_of(market: MarketSource, symbol: str, days: int) -> Hours:
    """Measure every clock hour of the first ``days`` days from its 60 minutes."""
    first = FIRST_DAY_MS // MINUTE_MS
    _, rows = market.rows(symbol, first, first + days * 1440)
    steps = np.log(rows["close"] / rows["open"]).reshape(-1, 60)
    top = np.log(rows["high"].reshape(-1, 60).max(axis=1))
    bottom = np.log(rows["low"].reshape(-1, 60).min(axis=1))
    trend = steps.sum(axis=1)
    return Hours(steps.std(axis=1), trend, np.abs(trend) / np.maximum(top - bottom, 1e-12))


def draw_windows(market: MarketSource, seed: int, count: int, days: int) -> list[Window]:
    """Draw ``count`` windows of each kind of market; no two share a clock hour.

    Raises
    ------
    ValueError
        When the days hold too few hours of a kind.
    """
    dice = np.random.default_rng([seed, 1])
    hours = {symbol: hours_of(market, symbol, days) for symbol in market.symbols}
    drawn: dict[str, list[Window]] = {name: [] for name in MARKETS}
    # The first day is left out: the volatility needs bars before the decision.
    for hour in dice.permutation(np.arange(24, days * 24)):
        symbol = market.symbols[int(dice.integers(len(market.symbols)))]
        name = hours[symbol].market_of(int(hour))
        if name and len(drawn[name]) < count:
            drawn[name].append(_window(market, name, symbol, int(hour), hours[symbol], dice))
    missing = [name for name, windows in drawn.items() if len(windows) < count]
    if missing:
        raise ValueError(
            f"Expected {count} hours of each kind within {days} days; there are fewer of "
            f"{', '.join(missing)}. Take more days or fewer windows."
        )
    return [window for name in MARKETS for window in drawn[name]]


def _window(
    market: MarketSource,
    name: str,
    symbol: str,
    hour: int,
    hours: Hours,
    dice: np.random.Generator,
) -> Window:
    low, high = np.log(SIZES)
    share = float(np.exp(dice.uniform(low, high)))
    return Window(
        market=name,
        symbol=symbol,
        side=Side.LONG if dice.random() < 0.5 else Side.SHORT,
        # From a quarter past to twenty to: the hour holds what comes before and after.
        decided_at=FIRST_DAY_MS + hour * HOUR_MS + int(dice.integers(3, 9)) * BAR_MS,
        late_ms=int(dice.integers(*LATE_MS)),
        notional_quote=share * market.spec(symbol).minute_notional,
        trend=float(hours.trend[hour]),
    )


def volatility_bps(market: MarketSource, symbol: str, decided_at: int) -> float:
    """Typical move within a second, in bps, from the last closed 5m bars before a decision."""
    start = decided_at - BARS_FOR_VOLATILITY * BAR_MS
    close = np.asarray(market.klines(symbol, BAR_MS, start, decided_at)["close"])
    return float(np.diff(np.log(close)).std() * 1e4 / np.sqrt(BAR_MS / 1e3))
