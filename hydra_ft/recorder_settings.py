"""What a user may set of the recorder: ``hydra.recorder`` in the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le
from typing_extensions import Doc

from hydra_ft.errors import PolicyError
from hydra_ft.store.flow_retention import Retention
from hydra_ft.types import Feed

Recorded = Literal[Feed.TRADES, Feed.LIQUIDATIONS, Feed.BOOK]
"""Feeds that a recorder knows; the others are fetched."""


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Feeds of a recorder, its waits and how long the database keeps what it records.

    Raises
    ------
    PolicyError
        When there is no feed, or no time is left in which late trades may come.
    """

    feeds: Annotated[tuple[Recorded, ...], Doc("what hydra record records")] = (
        Feed.TRADES,
        Feed.LIQUIDATIONS,
        Feed.BOOK,
    )
    in_bot: Annotated[
        bool,
        Doc(
            "a bot that trades records its own pairs, in a thread, unless another recorder works "
            "on its database; false: hydra record does, as a process of its own"
        ),
    ] = False
    wait_s: Annotated[
        float,
        Ge(0),
        Le(60),
        Doc("how long a bot waits for the trades of a candle that has just closed, if listed"),
    ] = 5.0
    grace_s: Annotated[
        float,
        Ge(0),
        Le(30),
        Doc(
            "how long a 10-second bar waits for trades that are late; of liquidations so much "
            "(a second at least) before the last message is not covered yet"
        ),
    ] = 2.0
    quiet_s: Annotated[
        float, Ge(1), Le(60), Doc("without any trade for so long, bars are closed by the clock")
    ] = 5.0
    silence_s: Annotated[
        float, Ge(5), Le(600), Doc("trades or books that are silent for so long are connected anew")
    ] = 30.0
    refresh_s: Annotated[
        float,
        Ge(600),
        Le(23 * 3600),
        Doc("age at which a connection is replaced; exchanges end them after a day"),
    ] = 43_200.0
    refetch_per_minute: Annotated[
        float,
        Ge(1),
        Le(1200),
        Doc(
            "most calls a minute that fetch skipped trades; they count for the exchange's limit, "
            "and ccxt lets no more than that through (60 on Binance)"
        ),
    ] = 60.0
    flush_s: Annotated[float, Ge(0.1), Le(60), Doc("time between two writes to the database")] = 1.0
    stop_s: Annotated[float, Ge(1), Le(300), Doc("how long a stop waits for the last write")] = 10.0
    book_every_s: Annotated[float, Ge(0.1), Le(60), Doc("time between two samples of a book")] = 1.0
    book_levels: Annotated[int, Ge(1), Le(20), Doc("levels of each side in a sample of a book")] = (
        20
    )
    report_every_s: Annotated[
        float, Ge(1), Le(3600), Doc("time between two lines about how it goes")
    ] = 60.0
    retention: Annotated[Retention, Doc("days for which each kind of data is kept")] = field(
        default_factory=Retention
    )

    def __post_init__(self) -> None:
        if not self.feeds:
            raise PolicyError("expected feeds to name trades, liquidations or book, was none")
        if self.silence_s <= self.quiet_s:
            raise PolicyError(
                f"expected silence_s above quiet_s = {self.quiet_s:g}, was {self.silence_s:g}"
            )
