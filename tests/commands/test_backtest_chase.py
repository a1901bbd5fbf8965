"""The chase in real backtests: modelled quotes, replaced orders, deadlines, the haircut."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from commands.freqtrade_commands import DOWNLOADED, PAIRS, REPOSITORY, TESTED, Commands, Home

from benchmarks.recorded.chase_report import CLAUSE, HAIRCUT
from hydra_ft.adapter.frames import to_bars
from hydra_ft.execution.candle_quote import candle_quote, candle_ranges

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e
TICKS = {"BTC/USDT:USDT": 0.1, "ETH/USDT:USDT": 0.01}
DETAIL = ("--timeframe-detail", "1m")
HYPEROPT = (
    *("--epochs", "2", "--spaces", "buy", "-j", "1", "--random-state", "5"),
    *("--hyperopt-loss", "SharpeHyperOptLossDaily"),
)

FIXED = """
    risk = None
    stoploss = -0.02
    minimal_roi = {"0": 0.036}
"""

PATIENT = """
from freqtrade.strategy import IntParameter
from HydraFlow import HydraFlow


class Patient(HydraFlow):
    chase_entry_offset_ticks = IntParameter(-60, -5, default=-20, space="buy", optimize=True)
"""


@dataclass(frozen=True)
class Backtest:
    """A backtest: its result, what it logged, and the candles it ran on."""

    result: dict[str, Any]
    output: str
    candles: dict[str, pd.DataFrame]

    @property
    def trades(self) -> list[dict[str, Any]]:
        return list(self.result["trades"])

    def tallies(self) -> list[tuple[int, ...]]:
        """Of entries and of exits: begun, at the quote, at the open, abandoned, requotes."""
        return [tuple(map(int, found)) for found in CLAUSE.findall(self.output)]

    def open_of(self, pair: str, timestamp_ms: int) -> float:
        """Open of the 5m candle at a time."""
        return float(self.candles[pair].loc[timestamp_ms, "open"])


def candles_of(home: Home) -> dict[str, pd.DataFrame]:
    """5m candles of every pair, by their open time (UTC ms)."""
    found = {}
    for pair in PAIRS:
        name = pair.replace("/", "_").replace(":", "_")
        frame = pd.read_feather(home.futures / f"{name}-5m-futures.feather")
        found[pair] = frame.set_index(frame["date"].dt.as_unit("ms").astype("int64"))
    return found


def run(home: Home, chase: dict[str, Any], *words: str) -> Backtest:
    """Backtest with this chase section; what freqtrade logs as an error fails the test."""
    config = home.config | {"hydra": {"chase": chase}}
    place = Home(home.folder, home.commands, config)
    done = place.freqtrade("backtesting", *TESTED, *words)
    assert done.code == 0, done.output
    assert done.errors() == []
    assert "caused the following exception" not in done.output
    return Backtest(place.result(), done.output, candles_of(home))


@pytest.fixture(scope="module")
def place(downloaded: Home, commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with 1m candles beside the others, and a folder of strategies of its own."""
    folder = tmp_path_factory.mktemp("chased")
    strategies = folder / "strategies"
    strategies.mkdir()
    # Fixed stakes, stops and targets, so that the counts are those of the chase alone.
    text = (REPOSITORY / "strategies" / "HydraFlow.py").read_text(encoding="utf-8")
    (strategies / "HydraFlow.py").write_text(f"{text}{FIXED}", encoding="utf-8")
    made = Home(folder, commands, downloaded.config | {"strategy_path": str(strategies)})
    shutil.copytree(downloaded.datadir, made.datadir)
    done = made.freqtrade("download-data", *DOWNLOADED, "--timeframes", "1m")
    assert done.code == 0, done.output
    return made


@pytest.fixture(scope="module")
def chased(place: Home) -> Backtest:
    return run(place, {})


@pytest.fixture(scope="module")
def detailed(place: Home) -> Backtest:
    return run(place, {}, *DETAIL)


@pytest.fixture(scope="module")
def plain(place: Home) -> Backtest:
    return run(place, {"backtest": False})


def touch(tested: Backtest, trade: dict[str, Any], offset_ticks: int = 0) -> float:
    """Own touch at the open of an entry, from the candles that had closed by then."""
    pair, at = trade["pair"], trade["open_timestamp"]
    known = tested.candles[pair].loc[: at - 1]
    ranges = candle_ranges(to_bars(known.reset_index(drop=True), "5m"))
    quote = candle_quote(
        tested.open_of(pair, at), ranges, TICKS[pair], at, buys=not trade["is_short"]
    )
    sign = -1 if trade["is_short"] else 1
    own = quote.best_ask if trade["is_short"] else quote.best_bid
    return own + sign * offset_ticks * TICKS[pair]


def test_entries_fill_at_the_own_touch_modelled_from_closed_candles_only(chased: Backtest) -> None:
    assert len(chased.trades) > 10
    for trade in chased.trades:
        assert trade["open_rate"] == pytest.approx(touch(chased, trade), rel=1e-12)


@pytest.mark.parametrize("name", ["chased", "detailed"])
def test_every_parent_has_one_end_and_the_counts_are_freqtrades(
    name: str, request: pytest.FixtureRequest
) -> None:
    tested: Backtest = request.getfixturevalue(name)
    entries, exits = tested.tallies()
    for begun, at_quote, at_open, abandoned, _ in (entries, exits):
        assert begun == at_quote + at_open + abandoned
    assert entries[1] + entries[2] == len(tested.trades)
    assert entries[3] == tested.result["canceled_trade_entries"] > 0, "the deadline ended some"
    assert entries[4] == tested.result["replaced_entry_orders"]
    signalled = [trade for trade in tested.trades if is_signalled(trade)]
    assert exits[1] + exits[2] == len(signalled) > 0


def is_signalled(trade: dict[str, Any]) -> bool:
    """Whether a trade left by a signal, not at a stop, a target or the end of the data."""
    return trade["exit_reason"] not in {"roi", "stop_loss", "force_exit", "liquidation"}


def test_within_the_candle_orders_are_replaced_and_keep_their_stake(
    detailed: Backtest, plain: Backtest
) -> None:
    assert detailed.result["replaced_entry_orders"] > 0
    stakes = {(t["pair"], t["open_timestamp"]): t["stake_amount"] for t in plain.trades}
    same = [t for t in detailed.trades if (t["pair"], t["open_timestamp"]) in stakes]
    assert len(same) > 10
    for trade in same:
        expected = stakes[trade["pair"], trade["open_timestamp"]]
        # The wallets differ by some gains, and quantities are whole steps.
        assert trade["stake_amount"] == pytest.approx(expected, rel=5e-3)


def test_no_entry_outlives_its_deadline(detailed: Backtest) -> None:
    """Two minutes: a look at one minute may requote, the look at two gives up."""
    entries, _ = detailed.tallies()
    assert 0 < entries[4] <= entries[0], "one requote a parent at most"
    for trade in detailed.trades:
        (entry, *_) = [order for order in trade["orders"] if order["ft_is_entry"]]
        waited_s = (entry["order_filled_timestamp"] - trade["open_timestamp"]) / 1e3
        assert waited_s in {0, 60}


def test_an_entry_that_was_given_up_is_not_begun_again_by_the_same_signal(
    detailed: Backtest,
) -> None:
    for trade in detailed.trades:
        assert trade["open_timestamp"] % 300_000 == 0


def test_a_deadline_that_crosses_takes_the_open(place: Home) -> None:
    entry = {"on_deadline": "cross", "offset_ticks": -400, "max_chase_bps": 200}
    crossed = run(place, {"entry": entry})
    begun, _, at_open, abandoned, _ = crossed.tallies()[0]
    assert at_open > 0
    assert (begun, abandoned) == (len(crossed.trades), 0)


def test_the_haircut_is_what_fills_gained_over_the_open(chased: Backtest) -> None:
    found = HAIRCUT.search(chased.output)
    assert found is not None
    quote_gain = 0.0
    for trade in chased.trades:
        sign = -1 if trade["is_short"] else 1
        gain = chased.open_of(trade["pair"], trade["open_timestamp"]) - trade["open_rate"]
        if is_signalled(trade):
            gain += trade["close_rate"] - chased.open_of(trade["pair"], trade["close_timestamp"])
        quote_gain += sign * gain * trade["amount"]
    assert float(found[3]) == pytest.approx(quote_gain, abs=0.01)
    assert float(found[3]) > 0


def test_without_the_chase_trades_are_plain_freqtrades(place: Home, plain: Backtest) -> None:
    off = run(place, {"enabled": False})
    assert off.trades == plain.trades
    for tested in (off, plain):
        assert "Chase" not in tested.output
        for trade in tested.trades:
            at_open = tested.open_of(trade["pair"], trade["open_timestamp"])
            assert trade["open_rate"] == at_open


@pytest.fixture
def patient(place: Home) -> Path:
    """A strategy of a user who lets hyperopt search one value; gives its parameter file."""
    folder = place.folder / "strategies"
    (folder / "Patient.py").write_text(PATIENT, encoding="utf-8")
    file = folder / "Patient.json"
    file.unlink(missing_ok=True)
    return file


def fills_and_quotes(place: Home, offset_ticks: int) -> tuple[list[float], list[float]]:
    """Give the entry prices of Patient, and those so many ticks from the own touch."""
    tested = run(place, {}, "--strategy", "Patient")
    assert len(tested.trades) > 5
    quotes = [touch(tested, trade, offset_ticks) for trade in tested.trades]
    return [trade["open_rate"] for trade in tested.trades], quotes


def test_a_value_of_the_parameter_file_moves_the_quotes(place: Home, patient: Path) -> None:
    buy = {"chase_entry_offset_ticks": -12}
    patient.write_text(json.dumps({"strategy_name": "Patient", "params": {"buy": buy}}))
    fills, quotes = fills_and_quotes(place, -12)
    assert fills == pytest.approx(quotes, rel=1e-9)


def test_hyperopt_searches_what_is_switched_on_and_its_file_moves_the_quotes(
    place: Home, patient: Path
) -> None:
    pytest.importorskip("optuna")
    done = place.freqtrade("hyperopt", *TESTED[:2], *HYPEROPT, "--strategy", "Patient")
    assert done.code == 0, done.output
    found = json.loads(patient.read_text(encoding="utf-8"))["params"]["buy"]
    assert -60 <= found["chase_entry_offset_ticks"] <= -5
    assert found["chase_entry_deadline_s"] == 120
    fills, quotes = fills_and_quotes(place, found["chase_entry_offset_ticks"])
    assert fills == pytest.approx(quotes, rel=1e-9)
