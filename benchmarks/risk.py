"""What a size and a stop cost, beside what is asked of them: ``make bench-risk``.

A backtest asks for a stop at every candle of every trade, and the mission asks for 2,000 size
decisions a minute. Each is measured by itself, as the median of rounds, in CPU time.
"""

from __future__ import annotations

import sys
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from hydra_ft.risk.exits import Stance, stop_price
from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.risk.sizing import size_entry
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES_ASKED, STOP_US_ASKED = 2_000, 5.0
"""Sizes a minute, and microseconds a stop may take."""
NOW = 1_700_000_000_000
STANCE = Stance(Side.LONG, 100.0, 0.01, 0.03, 0.001, NOW, 3600, highest=102.0)
REQUEST = SizeRequest(
    side=Side.LONG,
    price=100.0,
    stop=0.01,
    target=0.03,
    confidence=0.7,
    regime_confidence=0.8,
    bias_strength=0.4,
    vol_expansion=1.0,
    volatility=0.001,
    bars_a_year=105_120,
    equity_quote=10_000.0,
    peak_equity_quote=10_000.0,
    losses=1,
)


def each_us(call: Callable[[], object], calls: int, rounds: int) -> float:
    """Median over the rounds of what one call costs, in microseconds."""
    spent = []
    for _ in range(rounds):
        begun = process_time()
        for _ in range(calls):
            call()
        spent.append(1e6 * (process_time() - begun) / calls)
    return median(spent)


def measured(calls: int, rounds: int) -> dict[str, float]:
    """Microseconds of one size and of one stop."""
    policy = RiskPolicy()
    return {
        "size": each_us(lambda: size_entry(REQUEST, policy), calls, rounds),
        "stop": each_us(lambda: stop_price(STANCE, policy.exits, 101.5, NOW), calls, rounds),
    }


def report(found: dict[str, float]) -> str:
    """Both figures, and how they stand to what is asked."""
    a_minute = 6e7 / found["size"]
    return (
        f"size {found['size']:.1f} us: {a_minute:,.0f} a minute, {a_minute / SIZES_ASKED:,.0f} "
        f"times the {SIZES_ASKED:,} that are asked\n"
        f"stop {found['stop']:.2f} us, {found['stop'] / STOP_US_ASKED:.2f} of the "
        f"{STOP_US_ASKED:g} that it may take\n"
    )


if __name__ == "__main__":
    sys.stdout.write(report(measured(calls=20_000, rounds=5)))
