"""The variants of the crash, and the course that prices take in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.drill.configuration import exchange_section, order_types
from hydra_ft.cli.drill.crash.policy import RISING_SYMBOLS, TRADES
from hydra_ft.cli.drill.plan import BOT
from hydra_ft.cli.symbols import pair_of
from loopback_exchange import Course

if TYPE_CHECKING:
    from collections.abc import Sequence

BOTTOM = 0.8
SLIDE = ((0.0, 1.0), (0.15, 0.965), (0.2, 0.97), (0.5, 0.89), (0.55, 0.9), (1.0, BOTTOM))
"""(share of the time of the fall, level): down by 20 %, with two short breaths."""
RISE, RISE_MS = 1.026, 12_000
STRESS_MS = 10_000
"""How long the book stays thin and wide after the fall."""
SIZE_SHARE, SPREAD_SHARE = 0.05, 0.008
BALANCE_QUOTE = 100_000
KILLED_AFTER_MS, DOWN_S = 2_000, 4.0
"""When in the fall the bot is killed, and how long it stays away."""

Knots = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One crash: ``stops`` rest on the exchange, ``gap`` is a fall within one trade.

    ``ladder`` closes in parts, for which some pairs rise first; ``kill`` kills the bot in the
    fall; ``faults`` is the share (0..1) of order requests that fail from its begin to its end.
    """

    name: str
    stops: bool = False
    gap: bool = False
    ladder: bool = False
    kill: bool = False
    faults: float = 0.0


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("slide"),
        Variant("slide-stops", stops=True),
        Variant("gap", gap=True),
        Variant("gap-stops", stops=True, gap=True),
        Variant("ladder", ladder=True),
        Variant("ladder-stops", stops=True, ladder=True),
        Variant("kill", ladder=True, kill=True),
        Variant("kill-stops", stops=True, ladder=True, kill=True),
        Variant("faults", faults=0.2),
        Variant("faults-stops", stops=True, ladder=True, faults=0.2),
    )
}


def rise(at: int) -> Knots:
    """Course of the pairs that rise first, from a time (UTC ms) on."""
    return ((at, 1.0), (at + RISE_MS, RISE))


def fall(at: int, fall_ms: int, *, gap: bool, before: Knots = ()) -> Course:
    """Course of the crash from a time (UTC ms) on; ``before`` is that of what has risen."""
    steps = ((0.0, 1.0), (0.0, BOTTOM)) if gap else SLIDE
    length = 0 if gap else fall_ms
    knots = tuple((at + round(share * length), level) for share, level in steps)
    level = before[-1][1] if before else 1.0
    risen = (*before, *((when, level * factor) for when, factor in knots))
    own = dict.fromkeys(RISING_SYMBOLS, risen) if before else {}
    stress = (at, at + length + STRESS_MS)
    return Course(knots, own, stress, SIZE_SHARE, SPREAD_SHARE)


def configuration(variant: Variant, url: str, symbols: Sequence[str]) -> dict[str, Any]:
    """Freqtrade's configuration for a variant."""
    touch = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
    chase = {"min_requote_interval_s": 1.5, "on_deadline": "cross"}
    return {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": "unlimited",
        "max_open_trades": TRADES,
        "dry_run": False,
        "entry_pricing": touch,
        "exit_pricing": touch,
        "unfilledtimeout": {"entry": 30, "exit": 30, "unit": "minutes"},
        "order_types": order_types(stops=variant.stops),
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": exchange_section(url, [pair_of(symbol) for symbol in symbols]),
        "internals": {"process_throttle_secs": 1},
        "hydra": {
            "bot_name": BOT,
            "chase": {
                "entry": {**chase, "deadline_s": 20.0},
                "exit": {**chase, "deadline_s": 8.0},
            },
        },
    }
