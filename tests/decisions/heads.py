"""The head that the tests decide with."""

from __future__ import annotations

from hydra_ft.decisions.rules import HeadRules
from hydra_ft.signals import adx_expansion, funding_pressure, trend_pullback
from hydra_ft.types import Feed

HEAD = HeadRules(name="HydraFlow", signals=(trend_pullback, funding_pressure, adx_expansion))
FULL = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
LIGHT = (Feed.CANDLES, Feed.FUNDING)
BARE = (Feed.CANDLES,)
