"""The scalper on bars of a minute, where no trades are fed: another rule under another name."""

from __future__ import annotations

from hydra_ft.signals.registry import Columns, MarketColumns, SignalColumns, signal
from hydra_ft.signals.scalp import HOLD_BARS, READ, REGIMES, ScalpRules, holds, keys, long_entry
from hydra_ft.types import Feed

_NEWEST = keys(READ, "1m")


@signal(
    feeds=(Feed.CANDLES,),
    needs=_NEWEST,
    regimes=REGIMES,
    trend_following=False,
    max_hold_s=HOLD_BARS * 60,
    rules=ScalpRules(),
    unless=(Feed.TRADES,),
)
def scalp_1m(columns: Columns, market: MarketColumns, rules: ScalpRules) -> SignalColumns:
    """The bar of a minute that just closed is quiet and narrow in a lively market.

    The criteria of ``scalp`` in bars of a minute, and off where trades are listed. A minute is
    decided at its own close, so that it needs no time to live. Longs only. Stop one mean range of
    20 bars of a minute, target 1.5 of them, time stop 30 bars. Reference: see ``scalp``.
    """
    return long_entry(holds(columns, _NEWEST, rules), columns[_NEWEST[2]], market, rules)
