"""The scalper on minutes: the same criteria under another name, where no trades are listed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.synthetic import MINUTE
from signals.cases import UP
from signals.test_scalp import lively

from hydra_ft.bars.candles import part
from hydra_ft.decisions.rules import HeadRules, active_signals
from hydra_ft.errors import DeclarationError
from hydra_ft.features.registry import FEATURES, column_key
from hydra_ft.signals import scalp, scalp_1m
from hydra_ft.signals.registry import check
from hydra_ft.signals.scalp import READ, ScalpRules, flags
from hydra_ft.types import Feed


def test_fifty_bars_are_unknown_and_fifty_one_are_evaluated() -> None:
    """T5, F-B4: on minutes, whose newest bar is all that is needed."""
    bars = lively((50,), n=51, step_ms=MINUTE)
    state = replace(UP, regime_confidence=np.full(51, 0.8))
    columns = {column_key(name, "1m"): FEATURES[name](bars) for name in READ}
    assert np.flatnonzero(scalp_1m(columns, state).long).tolist() == [50]
    assert np.isnan(flags(part(bars, 0, 50), ScalpRules())["signal"]).all()
    assert np.isnan(columns["change_50_1m"][:50]).all()


def test_minutes_are_the_fallback_where_no_trades_are_listed() -> None:
    """The two never stand side by side: one rule, one name."""
    head = HeadRules(
        name="Scalps",
        signals=(scalp_1m,),
        base="1m",
        feeds=(Feed.CANDLES, Feed.TRADES),
    )
    assert active_signals(head, (Feed.CANDLES,)) == (scalp_1m,)
    assert active_signals(head, (Feed.CANDLES, Feed.TRADES)) == ()
    assert scalp.feeds == (Feed.CANDLES, Feed.TRADES)
    with pytest.raises(DeclarationError, match="off with and without trades"):
        check(replace(scalp, unless=(Feed.TRADES,)))
