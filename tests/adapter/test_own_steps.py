"""A class of the user's own enters and leaves in a bot where its backtest does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from adapter.test_recorded_decisions import PAIR, Candles
from freqtrade.enums import CandleType, RunMode

from hydra_ft.adapter.heads import load_head
from hydra_ft.adapter.parts import has_own_steps
from hydra_ft.adapter.strategy import HydraStrategy

if TYPE_CHECKING:
    import pandas as pd

HydraFlow: Any = load_head(Path(__file__).parents[2] / "strategies" / "HydraFlow.py")
SIGNALS = ("enter_long", "enter_short", "exit_long", "exit_short")


class Filtered(HydraFlow):
    """Enters as freqtrade's pages do, and leaves by no signal."""

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        chosen = (dataframe["hydra_entry"] == -1) & (dataframe["volume"] < 0)
        dataframe.loc[chosen, ["enter_short", "enter_tag"]] = (1, "mine")
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        return dataframe


class Half(HydraFlow):
    """Enters as the head does, and leaves by no signal."""

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        return dataframe


class Changed(HydraFlow):
    """Changes what was decided, before freqtrade asks for the signals."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        dataframe = super().populate_indicators(dataframe, metadata)
        dataframe["hydra_entry"] = 0
        dataframe.loc[dataframe.index[::2], "hydra_exit_long"] = 0
        return dataframe


def signals(head: Any, mode: RunMode, place: Path) -> dict[str, list[int]]:
    """Rows at which each of freqtrade's signals stands once it has asked for all."""
    config = {
        "runmode": mode,
        "user_data_dir": place,
        "exchange": {"name": "binance"},
        "dry_run": True,
        "stake_currency": "USDT",
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "candle_type_def": CandleType.FUTURES,
        "timeframe": "5m",
        "max_open_trades": 3,
        "hydra": {"chase": {"enabled": False}},
        "entry_pricing": {},
        "exit_pricing": {},
    }
    made = head.__new__(head, None)
    made.__init__(config)
    made.dp = candles = Candles(rows=1000)
    made.note_terms = lambda *_given: None
    made._reviewed = {PAIR}
    frame = candles.get_pair_dataframe(PAIR, "5m").reset_index(drop=True)
    for step in (made.advise_indicators, made.advise_entry, made.advise_exit):
        frame = step(frame, {"pair": PAIR})
    none = SimpleNamespace(to_numpy=list)
    return {
        name: [row for row, flag in enumerate(frame.get(name, none).to_numpy()) if flag == 1]
        for name in SIGNALS
    }


@pytest.mark.parametrize("head", [HydraFlow, Filtered, Half, Changed])
def test_a_bot_signals_what_its_backtest_does(head: Any, tmp_path: Path) -> None:
    tested = signals(head, RunMode.BACKTEST, tmp_path)
    assert signals(head, RunMode.DRY_RUN, tmp_path) == tested
    assert any(tested.values()) == (head is not Filtered)


def test_only_steps_from_outside_the_pack_are_ones_own() -> None:
    made = type("Made", (HydraFlow,), {"__module__": "mine"})
    assert not has_own_steps(made, HydraStrategy)
    assert has_own_steps(type("Late", (made, Half), {}), HydraStrategy)
    within = {"__module__": "hydra_ft.adapter.x", "populate_exit_trend": None}
    assert not has_own_steps(type("Part", (HydraFlow,), within), HydraStrategy)
