"""Freqtrade's own searches for look-ahead and for a warm-up that is too short find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from commands.freqtrade_commands import PAIRS, TESTED, Home

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.e2e
RANGE = TESTED[:2]
TRADES = 8


def rows(output: str) -> list[list[str]]:
    """Cells of the tables that freqtrade printed."""
    lines = [line for line in output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_lookahead_analysis_finds_no_bias(downloaded: Home) -> None:
    wanted = ("--minimum-trade-amount", str(TRADES), "--targeted-trade-amount", str(TRADES))
    done = downloaded.freqtrade("lookahead-analysis", *RANGE, *wanted)
    assert done.code == 0, done.output
    assert rows(done.output) == [["HydraFlow.py", "HydraFlow", "No", str(TRADES), "0", "0", ""]]


def test_recursive_analysis_lists_no_column_at_the_declared_warm_up(downloaded: Home) -> None:
    done = downloaded.freqtrade("recursive-analysis", *RANGE, "--pairs", PAIRS[0])
    assert done.code == 0, done.output
    (header,) = [line for line in done.output.splitlines() if "(from strategy)" in line]
    heads = [cell.strip() for cell in header.strip("┃").split("┃")]
    declared = heads.index("253 (from strategy)")
    found = rows(done.output)
    assert found
    assert {row[declared] for row in found} == {"-"}
    assert {row[heads.index("199")] for row in found} != {"-"}, "a shorter one would show"
    assert "No lookahead bias on indicators found" in done.output


def test_a_shorter_warm_up_is_allowed_in_recursive_analysis(downloaded: Home) -> None:
    """It varies the warm-up on purpose; backtesting refuses it (test_bad_input)."""
    shortened = Home(
        downloaded.folder, downloaded.commands, {**downloaded.config, "startup_candle_count": 100}
    )
    done = shortened.freqtrade("recursive-analysis", *RANGE, "--pairs", PAIRS[0])
    assert done.code == 0, done.output
    assert "100 (from strategy)" in done.output


def test_no_column_moves_by_a_thousandth_of_its_range_at_the_declared_warm_up(
    downloaded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, short = analysed(downloaded, monkeypatch)
    numbers = whole.select_dtypes("number").columns
    assert len(numbers) > 30
    for name in numbers:
        values = whole[name].to_numpy(float)
        reach = np.nanmax(values) - np.nanmin(values)
        full, cut = float(values[-1]), float(short[name].to_numpy(float)[-1])
        assert np.isnan(full) == np.isnan(cut), name
        assert np.isnan(full) or abs(full - cut) <= 1e-3 * reach, (name, full, cut)


def analysed(home: Home, monkeypatch: pytest.MonkeyPatch) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One pair's frame over the whole range, and with only the declared warm-up."""
    from freqtrade.configuration import Configuration
    from freqtrade.enums import RunMode
    from freqtrade.optimize.analysis.recursive import RecursiveAnalysis
    from freqtrade.optimize.backtesting import Backtesting
    from freqtrade.resolvers import StrategyResolver
    from freqtrade.util import get_progress_tracker

    monkeypatch.chdir(home.folder)
    arguments: dict[str, Any] = {
        "config": [str(home.write())],
        "user_data_dir": str(home.userdir),
        "timerange": RANGE[1],
    }
    config = Configuration(arguments, RunMode.UTIL_NO_EXCHANGE).get_config()
    config |= {"pairs": [PAIRS[0]], "startup_candle": ["500"], "backtest_cache": "none"}
    (found,) = [
        one
        for one in StrategyResolver.search_all_objects(config, enum_failed=False)
        if one["name"] == "HydraFlow"
    ]
    analysis = RecursiveAnalysis(config, found)
    try:
        with get_progress_tracker() as progress:
            analysis.start(progress)
    finally:
        Backtesting.cleanup()  # or trades of this process stay without a database
    declared = found["class"].startup_candle_count
    (short,) = [one for one in analysis.partial_varHolder_array if one.startup_candle == declared]
    return analysis.full_varHolder.indicators[PAIRS[0]], short.indicators[PAIRS[0]]
