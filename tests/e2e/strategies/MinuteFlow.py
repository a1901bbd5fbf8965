"""A head without signals that reads every feed each minute: its decisions tell what it lacks."""

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.types import Feed


class MinuteFlow(HydraStrategy):
    """Decides on 1m bars and never enters."""

    can_short = True
    rules = HeadRules(
        name="MinuteFlow",
        base="1m",
        market="1h",
        structure="4h",
        feeds=(
            Feed.CANDLES,
            Feed.FUNDING,
            Feed.OPEN_INTEREST,
            Feed.TRADES,
            Feed.LIQUIDATIONS,
            Feed.BOOK,
        ),
        signals=(),
    )
    stoploss = -0.02
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - as in any strategy
