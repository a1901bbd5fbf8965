"""What FreqUI draws below the candles: the very columns that gate."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from bars.synthetic import random_frames
from decisions.heads import BARE, FULL, HEAD

from hydra_ft.adapter.charts.plots import PALETTE, PANELS, panel_of, plot_config
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.pipeline import decide, judge
from hydra_ft.decisions.rules import PSEUDO, active_signals, needed_features
from hydra_ft.features.registry import FEATURES, column_key, split_key
from hydra_ft.signals.registry import MarketColumns

FRAMES = random_frames(25, seed=12, volatility=0.0009)


class Recorded(dict[str, Any]):
    """Columns that note which of them were read."""

    def __init__(self, columns: Any, read: set[str]) -> None:
        super().__init__(columns)
        self.read = read

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        if key in self:
            self.read.add(key)
        return super().get(key, default)


def drawn(config: dict[str, Any]) -> list[str]:
    """All columns of a plot configuration, as often as they are drawn."""
    panels = [config["main_plot"], *config["subplots"].values()]
    return [key for lines in panels for key in lines]


@pytest.mark.parametrize("feeds", [BARE, FULL])
def test_every_column_that_a_gate_or_a_signal_reads_is_drawn(feeds: Any) -> None:
    """Candles aside: their prices are drawn as candles."""
    seen = observe(FRAMES, HEAD, feeds)
    read: set[str] = set()
    natively: set[str] = set()
    for name, noted in (("features", read), ("columns", read), ("native", natively)):
        object.__setattr__(seen, name, Recorded(getattr(seen, name), noted))
    judge(seen, HEAD)
    read |= {column_key(name, HEAD.market) for name in natively}
    features = {key for key in read if split_key(key)[0] not in PSEUDO}
    assert len(features) > 15
    assert features <= set(drawn(plot_config(HEAD, feeds)))


@pytest.mark.parametrize("feeds", [BARE, FULL])
def test_no_feature_is_drawn_that_is_not_a_column_of_the_decision(feeds: Any) -> None:
    found = decide(FRAMES, HEAD, feeds)
    features = {key for key in drawn(plot_config(HEAD, feeds)) if not key.startswith("hydra_")}
    assert features == set(found.columns)


def test_every_state_of_the_market_is_drawn() -> None:
    for field in fields(MarketColumns):
        assert f"hydra_{field.name}" in drawn(plot_config(HEAD))


def test_the_state_comes_first_and_no_line_is_drawn_twice() -> None:
    config = plot_config(HEAD)
    assert set(config) == {"main_plot", "subplots"}
    assert list(config["subplots"]) == list(PANELS)
    assert len(drawn(config)) == len(set(drawn(config)))


def test_the_candles_keep_a_third_of_the_height() -> None:
    """FreqUI's SUBPLOTHEIGHT is 8 %, for the volume too, and it leaves 2 % between."""
    assert 100 - 8 * (len(PANELS) + 1) - 2 >= 33


def test_every_feature_has_a_place() -> None:
    for feature in FEATURES.values():
        assert panel_of(feature) in {"main", *PANELS}
        assert (panel_of(feature) == "main") == (feature.panel == "main")


def test_each_line_is_as_frequi_takes_it_and_has_a_colour_of_its_own_in_the_panel() -> None:
    """Names and types of FreqUI's IndicatorConfig; a line without a colour changes it."""
    config = plot_config(HEAD)
    for lines in (config["main_plot"], *config["subplots"].values()):
        for line in lines.values():
            assert set(line) == {"type", "color"}
            assert line["type"] in {"line", "bar", "scatter"}
        assert len({line["color"] for line in lines.values()}) == len(lines) <= len(PALETTE)


def test_a_feed_that_is_not_listed_draws_nothing() -> None:
    keys = drawn(plot_config(HEAD, BARE))
    assert not [key for key in keys if "funding" in key or "open_interest" in key]
    assert [key for key in drawn(plot_config(HEAD)) if "funding" in key]


class Flow(HydraStrategy):
    """A head as in a strategy file."""

    timeframe = "5m"
    rules = HEAD


class OwnPlots(Flow):
    """A head of somebody who draws what they like."""

    plot_config = {"main_plot": {"ema_20_1h": {}}}  # noqa: RUF012 - as in any strategy


def test_a_head_draws_the_feeds_that_it_is_given() -> None:
    assert Flow({}).plot_config == plot_config(HEAD)
    assert Flow({"hydra": {"feeds": ["candles"]}}).plot_config == plot_config(HEAD, BARE)


def test_a_plot_configuration_of_ones_own_stands() -> None:
    assert OwnPlots({}).plot_config == {"main_plot": {"ema_20_1h": {}}}


def test_one_configuration_is_not_changed_through_another() -> None:
    plot_config(HEAD)["subplots"]["state"]["hydra_regime"]["color"] = "changed"
    assert plot_config(HEAD)["subplots"]["state"]["hydra_regime"]["color"] != "changed"


def test_coarse_columns_that_signals_need_are_features() -> None:
    """Raw prices of a coarser timeframe are not in the frame, so they could not be drawn."""
    for made in active_signals(HEAD, FULL):
        for key in (*made.needs, *made.uses):
            name, timeframe = split_key(key)
            assert name not in PSEUDO or timeframe == HEAD.base, (made.name, key)


def test_main_holds_prices_only() -> None:
    prices = {
        column_key(feature.name, timeframe)
        for timeframe, features in needed_features(HEAD, FULL).items()
        for feature in features
        if feature.units == "quote" and feature.panel == "main"
    }
    assert set(plot_config(HEAD, FULL)["main_plot"]) == prices


def test_the_page_on_plots_lists_the_panels_in_their_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "plots.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z ]+) \|", page, flags=re.MULTILINE)
    assert rows == ["panel", *PANELS]
