"""Nothing trades on data that is missing, and the message names the data and the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from commands.freqtrade_commands import PAIRS, TESTED, Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e
BTC, ETH = PAIRS


def file(home: Home, pair: str, kind: str) -> Path:
    return home.futures / f"{pair.replace('/', '_').replace(':', '_')}-{kind}.feather"


def traded(home: Home, pair: str) -> list[dict[str, Any]]:
    return [trade for trade in home.result()["trades"] if trade["pair"] == pair]


def warnings(output: str) -> list[str]:
    """What Hydra itself warned about."""
    marked = "hydra_ft.adapter.strategy - WARNING - "
    return [line.split(marked)[1] for line in output.splitlines() if marked in line]


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_a_backtest_without_a_timeframe_is_refused(home: Home, timeframe: str) -> None:
    file(home, ETH, f"{timeframe}-futures").unlink()
    message = home.freqtrade("backtesting", *TESTED).refusal()
    assert f"expected candles of {ETH} in 5m 1h 4h" in message
    assert f"were none in {timeframe};" in message
    assert f"run: freqtrade download-data --pairs {ETH} --timeframes 5m 1h 4h" in message
    assert not list(home.userdir.glob("backtest_results/*"))


def test_a_backtest_without_any_base_candles_is_refused(home: Home) -> None:
    for pair in PAIRS:
        file(home, pair, "5m-futures").unlink()
    done = home.freqtrade("backtesting", *TESTED)
    assert done.refusal() == "No data found. Terminating."
    assert "Use `freqtrade download-data` to download the data" in done.output


@pytest.mark.parametrize(
    ("kind", "feed", "rest"),
    [
        ("funding_rate", "funding", '["candles", "open_interest"]'),
        ("open_interest", "open_interest", '["candles", "funding"]'),
    ],
)
def test_a_listed_feed_without_data_blocks_its_pair_with_one_warning(
    home: Home, kind: str, feed: str, rest: str
) -> None:
    file(home, BTC, f"1h-{kind}").unlink()
    done = home.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    (warning,) = warnings(done.output)
    assert warning.startswith(f"{BTC}: hydra.feeds lists {feed}, but there is no such data")
    assert f"--timeframes 1h --candle-types {kind}" in warning
    assert f"set hydra.feeds to {rest}" in warning
    assert traded(home, BTC) == []
    assert traded(home, ETH) != []
    assert f"data_stale:{feed} " in next(
        line for line in done.output.splitlines() if f"{BTC}: " in line and "bars decided" in line
    )


def test_coarse_candles_that_end_early_end_the_trading(home: Home) -> None:
    path = file(home, BTC, "1h-futures")
    candles = pd.read_feather(path)
    end = pd.Timestamp("2025-06-20", tz="UTC")
    candles[candles["date"] < end].to_feather(path)
    done = home.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    (warning,) = warnings(done.output)
    assert warning.startswith(f"{BTC}: 1h candles end at 2025-06-20 00:00, 5m candles at")
    assert traded(home, BTC) != []
    assert all(pd.Timestamp(trade["open_date"]) <= end for trade in traded(home, BTC))


def test_a_gap_in_the_candles_is_filled_and_not_traded(home: Home) -> None:
    """Freqtrade fills a hole with flat candles: none of them decides, here where all had."""
    assert home.freqtrade("backtesting", *TESTED).code == 0
    before = traded(home, BTC)
    path = file(home, BTC, "5m-futures")
    candles = pd.read_feather(path)
    holes = pd.Series(data=False, index=candles.index)
    for trade in before:
        opened = pd.Timestamp(trade["open_date"])
        # The bar that decided is the one before; the hole begins with it.
        within = candles["date"].between(opened - pd.Timedelta("5min"), opened)
        holes |= within
    assert holes.sum() == 2 * len(before) > 0
    candles[~holes].reset_index(drop=True).to_feather(path)
    done = home.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    assert f"data_stale:candles {holes.sum()}" in done.output
    invented = set(candles["date"][holes])
    step = pd.Timedelta("5min")
    for trade in traded(home, BTC):
        assert pd.Timestamp(trade["open_date"]) - step not in invented
