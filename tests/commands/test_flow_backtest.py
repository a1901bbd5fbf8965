"""A backtest of HydraFlow on trades of the embedded exchange, downloaded and built by commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands.freqtrade_commands import PAIRS, Home
from commands.test_backtesting import funnels

from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Proof, Stretch, cover
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.ci, pytest.mark.timeout(300)]
BTC, ETH = PAIRS
DAY = 86_400_000
RECORDED = ("--timerange", "20250626-20250629")
RECORDED_AT = 1_750_896_000_000, 1_751_155_200_000
TESTED = ("--timerange", "20250612-20250629", "--cache", "none")
FEEDS = ["candles", "funding", "open_interest", "trades", "liquidations"]


def kept(home: Home) -> Path:
    return home.userdir / "hydra.dryrun.sqlite"


@pytest.fixture
def built(home: Home) -> Home:
    """A home with three days of the trades of one pair, as a user makes them."""
    home.config["hydra"]["feeds"] = FEEDS
    done = home.freqtrade("download-data", "--dl-trades", "--pairs", BTC, *RECORDED)
    assert done.code == 0, done.output
    place = ["--config", str(home.write()), "--userdir", str(home.userdir)]
    assert main(["data", "build", *place]) == 0
    database = Database(f"sqlite:///{kept(home)}")
    markets = FlowStore(database, "binance").markets
    standing = Stretch(RECORDED_AT[0] - 20 * DAY, RECORDED_AT[1])
    proofs = [Proof(markets.number(pair), Feed.LIQUIDATIONS, standing) for pair in PAIRS]
    with database.transaction() as connection:
        cover(connection, proofs)
    database.close()
    return home


def test_a_backtest_reads_what_was_recorded_and_says_what_was_not(built: Home) -> None:
    """Before the recording and without one it blocks; within it it decides, and writes nothing."""
    before = kept(built).read_bytes()
    done = built.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    found = {pair: counts for pair, _, counts in funnels(done.output)}
    known = {code for code in found[BTC] if not code.startswith(("data_stale:", "warmup"))}
    assert len(known) >= 3, found[BTC]
    # The first day of the recording is history of its own features.
    assert sum(found[BTC][code] for code in known) > 288
    assert {c for c in found[ETH] if not c.startswith(("data_stale:", "warmup"))} == set()
    lines = [line for line in done.output.splitlines() if " - WARNING - " in line]
    torn = [line for line in lines if f"{BTC}: trades are complete in " in line]
    none = [line for line in lines if f"{ETH}: hydra.feeds lists trades, but none are" in line]
    assert (len(torn), len(none)) == (1, 1)
    assert "from 2025-06-26 00:00 to 2025-06-2" in torn[0]
    assert f"freqtrade download-data --dl-trades --pairs {ETH}" in none[0]
    assert kept(built).read_bytes() == before
    for trade in built.result()["trades"]:
        assert trade["pair"] == BTC
        assert not trade["enter_tag"].endswith("|light")


def test_hyperopt_hands_recorded_feeds_to_its_workers(built: Home) -> None:
    """What reads them holds no connection, which could not be handed over."""
    words = ("--epochs", "2", "-j", "2", "--spaces", "buy", "--random-state", "3")
    loss = ("--hyperopt-loss", "SharpeHyperOptLossDaily")
    done = built.freqtrade(
        "hyperopt", *TESTED[:2], *words, *loss, "--disable-param-export", limit_s=280.0
    )
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    (results,) = (built.userdir / "hyperopt_results").glob("strategy_*.fthypt")
    assert len(results.read_text(encoding="utf-8").splitlines()) == 2
