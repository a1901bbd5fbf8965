"""What a drill does, drawn from its seed before it begins."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loopback_exchange import Course

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BOT = "drill"
"""Name of the bot, in the prefix of its orders and in its rows of the Hydra database."""
STAKE_QUOTE = 260.0
LEVERAGE = 3.0
BALANCE_QUOTE = 1_000_000
ORDERS_PER_PAUSE = 100

SWING_MS, SWING_SHARE = (20_000, 60_000), (0.003, 0.014)
"""Time from one turn of a swinging market to the next, and how far from its level it turns."""

KILL_MOMENTS = ("placed", "filled", "ended", "moment")
"""What the SIGKILL follows at once: the exchange takes an order, fills one, ends one, or time."""

# One after the other, boot by boot: a policy may change under an open parent.
CHASES: tuple[dict[str, dict[str, Any]], ...] = (
    {
        "entry": {"min_requote_interval_s": 1.5, "deadline_s": 12.0},
        "exit": {"min_requote_interval_s": 1.5, "deadline_s": 8.0},
    },
    {
        "entry": {"min_requote_interval_s": 2.0, "deadline_s": 15.0, "post_only": True},
        "exit": {"min_requote_interval_s": 1.5, "deadline_s": 8.0, "post_only": True},
    },
    {
        "entry": {
            "peg": "mid",
            "min_requote_interval_s": 1.0,
            "deadline_s": 8.0,
            "on_deadline": "cross",
            "urgency_time": 1.5,
        },
        "exit": {
            "peg": "mid",
            "min_requote_interval_s": 1.0,
            "deadline_s": 6.0,
            "urgency_time": 1.5,
        },
    },
    {
        "entry": {
            "peg": "micro",
            "min_requote_interval_s": 1.0,
            "deadline_s": 10.0,
            "on_deadline": "cross",
            "post_only": True,
            "urgency_time": 0.4,
            "urgency_imbalance": 0.4,
        },
        "exit": {"peg": "micro", "min_requote_interval_s": 1.0, "deadline_s": 8.0},
    },
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; ``faults`` is a share (0..1) of the order requests.

    ``exits`` lets a risk policy leave, in a market that swings.
    """

    orders: int
    faults: float
    seed: int
    pairs: int
    kills: int
    stops: bool
    minutes: float
    folder: Path
    exits: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """A SIGKILL: armed after so many ended parents, struck at a moment, and what follows.

    ``delay_s`` is waited before the next ``placed``, ``filled`` or ``ended`` counts, and
    ``down_s`` before the bot is started again.
    """

    after_orders: int
    moment: str
    delay_s: float
    down_s: float


@dataclass(frozen=True, slots=True)
class Pause:
    """A quiet point after so many ended parents; positions are held through it or closed."""

    after_orders: int
    closes: bool


def kills(options: Options) -> list[Kill]:
    """Draw the kills, spread over the orders, each at a random point of its stretch."""
    draw = random.Random(f"{options.seed}|kills")
    stretch = options.orders / max(1, options.kills)
    return [
        Kill(
            after_orders=int(stretch * (number + draw.uniform(0.1, 0.9))),
            moment=draw.choice(KILL_MOMENTS),
            delay_s=draw.uniform(0.0, 5.0),
            down_s=draw.choice((0.0, 0.5, 2.0, 5.0)),
        )
        for number in range(options.kills)
    ]


def pauses(options: Options) -> list[Pause]:
    """Plan the quiet points before the last one: in turn with positions held and closed."""
    numbers = range(1, -(-options.orders // ORDERS_PER_PAUSE))
    return [Pause(number * ORDERS_PER_PAUSE, closes=number % 2 == 0) for number in numbers]


def swings(options: Options, symbols: Sequence[str], now: int) -> Course:
    """Let every symbol rise and fall by some percent within a minute or two, from now on."""
    knots = {}
    for symbol in symbols:
        draw = random.Random(f"{options.seed}|swings|{symbol}")
        at, sign = now + 1000, draw.choice((-1, 1))
        course = [(at, 1.0)]
        while at < now + (options.minutes + 30) * 60_000:
            at, sign = at + draw.randint(*SWING_MS), -sign
            course.append((at, 1 + sign * draw.uniform(*SWING_SHARE)))
        knots[symbol] = tuple(course)
    return Course(((now, 1.0),), knots)


def chase(seed: int, boot: int) -> dict[str, Any]:
    """Section ``hydra.chase`` of the configuration that the bot is started with."""
    return dict(CHASES[(seed + boot) % len(CHASES)])
