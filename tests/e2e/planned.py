"""What a test tells PlannedHead before its bot starts, and readers of the ledger that it fills.

Freqtrade runs the file of a strategy anew for every bot; this module is what both sides share.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from e2e.plan import PLAN

from hydra_ft import signals
from hydra_ft.cli.main import main
from hydra_ft.decisions.rules import AdmissionRules, ClockRules, HeadRules, VetoRules
from hydra_ft.market.bias import BiasRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.signals.registry import SignalColumns
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionRow, DecisionStore
from hydra_ft.types import Feed, Regime, Side

if TYPE_CHECKING:
    from e2e.rig import Rig

    from hydra_ft.signals.registry import Columns, MarketColumns

SIGNAL = "trend_pullback"
MINUTE_MS = 60_000
TRADABLE = (Regime.UP, Regime.DOWN, Regime.RANGING)


@dataclass
class Terms:
    """What stage B of the next bot goes by, and what is decided on right now.

    ``fires_on`` is the number of newest bars on which the signal fires.
    """

    admission: AdmissionRules = field(default_factory=AdmissionRules)
    cooldown_s: int = 0
    flip_s: int = 0
    fires_on: int = 1
    pair: str = ""
    risk: RiskPolicy = field(default_factory=RiskPolicy)

    def clear(self) -> None:
        """Go back to what lets everything pass."""
        self.admission = AdmissionRules(max_day_trades=1000, max_losses=100, max_same_side=1000)
        self.cooldown_s = self.flip_s = 0
        self.fires_on = 1
        self.risk = RiskPolicy()


TERMS = Terms()


def planned(_columns: Columns, market: MarketColumns, _rules: Any) -> SignalColumns:
    """Fire on the last bar, or as many as the terms say, on the side of the plan."""
    shape = market.regime.shape
    fires = {side: np.zeros(shape, dtype=np.bool_) for side in Side}
    side = PLAN.enter.get(TERMS.pair)
    if side is not None:
        fires[side][-TERMS.fires_on :] = True
    sure, stop, target = (np.full(shape, value) for value in (0.9, 0.01, 0.03))
    return SignalColumns(
        fires[Side.LONG], fires[Side.SHORT], (sure, sure), (stop, stop), (target, target)
    )


def rules() -> HeadRules:
    """Rules under which stage A lets pass whatever the plan fires."""
    made = replace(
        signals.trend_pullback,
        needs=("close_1m",),
        uses=(),
        regimes=TRADABLE,
        trend_following=False,
        cooldown_s=TERMS.cooldown_s,
        flip_s=TERMS.flip_s,
        detect=planned,
    )
    return HeadRules(
        name="PlannedHead",
        base="1m",
        market="5m",
        structure="15m",
        feeds=(Feed.CANDLES,),
        signals=(made,),
        regime=RegimeRules(
            chop_above=1, trend_above=0, range_above=0, confirm_bars=1, min_age_bars=0
        ),
        bias=BiasRules(hard=False),
        vetoes=VetoRules(max_vol_expansion=4, extended_above=0.2),
        clock=ClockRules(margin_s=0),
        admission=TERMS.admission,
    )


def ledger(rig: Rig) -> DecisionStore:
    """Open the ledger of a bot as another program would."""
    return DecisionStore(Database(f"sqlite:///{rig.folder / 'user_data' / 'hydra.sqlite'}"), "test")


def rows(rig: Rig, pair: str) -> list[DecisionRow]:
    """All rows of a pair, oldest first."""
    return ledger(rig).since(0, pair)


def passes(rig: Rig, pair: str) -> list[DecisionRow]:
    """Rows of the bars of a pair that may trade, oldest first."""
    return [row for row in rows(rig, pair) if row.code == "ok"]


def outcomes(rig: Rig, pair: str) -> list[str]:
    """What became of every bar of a pair that may trade, oldest first."""
    return [row.outcome for row in passes(rig, pair)]


def why(rig: Rig, capsys: Any, *words: str) -> str:
    """Return what ``hydra why`` prints on the folder of a rig, as one line of words."""
    capsys.readouterr()
    place = (
        "--userdir",
        str(rig.folder / "user_data"),
        "--config",
        str(rig.folder / "config.json"),
    )
    assert main(["why", *words, *place]) == 0
    return " ".join(capsys.readouterr().out.split())


def summary(rig: Rig, capsys: Any) -> dict[str, Any]:
    """The funnel of all pairs as ``hydra why --summary --json`` gives it."""
    return dict(json.loads(why(rig, capsys, "--summary", "--json")))


def bars(rig: Rig, count: int) -> None:
    """Live through so many bars; the last one is decided, and its outcome written."""
    for _ in range(count):
        rig.step(61 - rig.clock_now().second)
        rig.step(1, times=2)


def newest_close(rig: Rig) -> int:
    """Close of the newest bar that has closed (UTC ms)."""
    return int(rig.clock_now().timestamp()) // 60 * MINUTE_MS


def told_once(rig: Rig, pair: str) -> list[DecisionRow]:
    """Rows of a pair, which follow each other without a hole or an overlap."""
    found = rows(rig, pair)
    for row in found:
        assert row.until == row.at + (row.bars - 1) * MINUTE_MS
    for earlier, later in pairwise(found):
        assert later.at == earlier.until + MINUTE_MS
    return found
