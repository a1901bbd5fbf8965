"""The chart of a backtest: FreqUI asks freqtrade's web server for a pair's whole history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from commands.freqtrade_commands import REPOSITORY, Home
from freqtrade.configuration import Configuration, validate_config_consistency
from freqtrade.enums import RunMode
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA
from freqtrade.resolvers import ExchangeResolver
from freqtrade.rpc.rpc import RPC

from hydra_ft.types import Regime

if TYPE_CHECKING:
    from pathlib import Path

PAIR, TIMERANGE = "BTC/USDT:USDT", "20200101-20300101"


def history(home: Home, folder: Path) -> dict[str, Any]:
    """Give what ``/pair_history`` answers for HydraFlow, on all data that a home has."""
    file = folder / "web.json"
    file.write_text(json.dumps(home.config), encoding="utf-8")
    arguments = {
        "config": [str(file)],
        "user_data_dir": str(home.userdir),
        "datadir": str(home.datadir),
        "strategy": "HydraFlow",
        "strategy_path": str(REPOSITORY / "strategies"),
        "timerange": TIMERANGE,
    }
    config = Configuration(arguments, RunMode.WEBSERVER).get_config() | {"timeframe": "5m"}
    validate_config_consistency(config)
    exchange = ExchangeResolver.load_exchange(config, load_leverage_tiers=False)
    try:
        return RPC._rpc_analysed_history_full(config, PAIR, "5m", exchange, None, live=False)
    finally:
        exchange.close()


@pytest.mark.e2e
def test_the_chart_of_a_history_has_boxes_where_the_regime_is_known(
    home: Home, tmp_path: Path
) -> None:
    shown = history(home, tmp_path)
    boxes = [one for one in shown["annotations"] if one["type"] == "area"]
    for one in shown["annotations"]:
        AnnotationTypeTA.validate_python(one, extra="forbid")
    rows = [dict(zip(shown["columns"], row, strict=True)) for row in shown["data"]]
    known = [row for row in rows if row["hydra_regime_confidence"] is not None]
    assert {box["label"] for box in boxes} == {Regime(row["hydra_regime"]).name for row in known}
    assert boxes[0]["start"] == known[0]["date"]
    assert boxes[-1]["end"] == known[-1]["date"]
