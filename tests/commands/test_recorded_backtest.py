"""HydraFlow on recorded data: downloaded from the replaying exchange, and tested over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from commands.freqtrade_commands import TIMEFRAMES, Commands, Home, configuration
from commands.recorded_market import LIGHT, MARKS, SET, decisions_on, pair_of
from commands.test_backtesting import expect_counts_to_add_up

from loopback_exchange import Replay, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = MARKS
RANGE = ("--timerange", "20250306-20250414")


@pytest.fixture(scope="module")
def market() -> Replay:
    return Replay(SET)


@pytest.fixture(scope="module")
def recorded(
    market: Replay, commands: Commands, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home with all pairs of the recording, in light mode."""
    pairs = tuple(pair_of(symbol) for symbol in market.symbols)
    with Server(market) as server:
        made = Home(tmp_path_factory.mktemp("recorded"), commands, configuration(server.url, pairs))
        made.config["hydra"]["feeds"] = list(LIGHT)
        done = made.freqtrade("download-data", *RANGE, "--timeframes", *TIMEFRAMES)
        assert done.code == 0, done.output
        yield made


@pytest.fixture(scope="module")
def tested(recorded: Home) -> tuple[dict[str, Any], str]:
    done = recorded.freqtrade("backtesting", *RANGE, "--cache", "none")
    assert done.code == 0, done.output
    return recorded.result(), done.output


def test_the_downloaded_candles_are_the_recorded_ones(recorded: Home) -> None:
    columns = ["open", "high", "low", "close", "volume"]
    for path in sorted((SET / "futures").glob("*-5m-futures.feather")):
        written = pd.read_feather(recorded.futures / path.name).set_index("date")[columns]
        # Freqtrade leaves the newest candle of a download out: it might be forming.
        source = pd.read_feather(path).set_index("date")[columns].iloc[:-1]
        assert list(written.index) == list(source.index)
        np.testing.assert_allclose(written.to_numpy(), source.to_numpy(), rtol=1e-9)


def test_a_backtest_over_all_recorded_data_trades_and_adds_up(
    tested: tuple[dict[str, Any], str],
) -> None:
    result, output = tested
    print(output[output.index("BACKTESTING REPORT") - 200 :])
    expect_counts_to_add_up(result, light=True)
    assert "Traceback" not in output
    assert " - ERROR - " not in output


def test_the_backtest_decides_on_every_bar_as_stage_a_does_on_the_recording(
    market: Replay, recorded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parity, with test_recorded_live: the bot decides on its bars as stage A does, too."""
    monkeypatch.chdir(recorded.folder)
    frames = analysed(recorded)
    assert len(frames) == len(market.symbols)
    for symbol in market.symbols:
        frame, decisions = frames[pair_of(symbol)], decisions_on(market, symbol)
        times = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
        rows = np.searchsorted(decisions.time, times)
        assert list(decisions.time[rows]) == list(times)
        for name, expected in (("hydra_code", decisions.code), ("hydra_entry", decisions.side)):
            np.testing.assert_array_equal(frame[name].to_numpy(), expected[rows], err_msg=symbol)


def analysed(home: Home) -> dict[str, pd.DataFrame]:
    """Every pair's frame as a backtest sees it, warm-up included."""
    from freqtrade.configuration import Configuration
    from freqtrade.enums import RunMode
    from freqtrade.optimize.backtesting import Backtesting

    arguments = {
        "config": [str(home.write())],
        "user_data_dir": str(home.userdir),
        "timerange": RANGE[1],
    }
    testing = Backtesting(Configuration(arguments, RunMode.BACKTEST).get_config())
    try:
        testing._set_strategy(testing.strategylist[0])
        data, _ = testing.load_bt_data()
        frames: dict[str, pd.DataFrame] = testing.strategy.advise_all_indicators(data)
    finally:
        testing.cleanup()
    return frames
