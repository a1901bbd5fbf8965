"""A user's head that lists the book, in a backtest by freqtrade: known where it was recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from adapter.recorded_book import record_book, walk
from commands.freqtrade_commands import PAIRS, Home
from commands.test_backtesting import funnels

from hydra_ft.adapter.frames import times
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Proof, Stretch, cover
from hydra_ft.types import Feed

pytestmark = [pytest.mark.e2e, pytest.mark.ci, pytest.mark.timeout(300)]
BTC, ETH = PAIRS
HOUR, DAY = 3_600_000, 86_400_000
RECORDED_FROM = 1_751_155_200_000
"""2025-06-29 00:00 UTC"""
RECORDED_UNTIL = RECORDED_FROM + 5 * HOUR
STALE = "data_stale:book"


@pytest.fixture
def recorded(home: Home) -> Home:
    """Five hours of the book of one pair, and liquidations of both that were listened to."""
    home.config["hydra"]["feeds"] = ["candles", "liquidations", "book"]
    home.config["strategy_path"] = str(Path(__file__).with_name("strategies"))
    home.config["strategy"] = "BookHead"
    database = Database(f"sqlite:///{home.userdir / 'hydra.dryrun.sqlite'}")
    record_book(database, walk(5 * 3_600, RECORDED_FROM), RECORDED_FROM, RECORDED_UNTIL)
    markets = FlowStore(database, "binance").markets
    standing = Stretch(RECORDED_FROM - 20 * DAY, RECORDED_FROM + 2 * DAY)
    with database.transaction() as connection:
        cover(
            connection,
            [Proof(markets.number(pair), Feed.LIQUIDATIONS, standing) for pair in PAIRS],
        )
    database.close()
    return home


def test_a_head_that_lists_the_book_knows_it_where_it_was_recorded(recorded: Home) -> None:
    """Elsewhere it is blocked, and the test says by what and what brings it."""
    words = ("--timerange", "20250628-20250630", "--cache", "none")
    done = recorded.freqtrade("backtesting", *words)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    frames = {
        name: pd.read_feather(recorded.userdir / f"{name}.feather") for name in ("BTC", "ETH")
    }
    at = times(frames["BTC"])
    inside = (at >= RECORDED_FROM) & (at < RECORDED_UNTIL)
    known = np.isfinite(frames["BTC"][["ofi_5m", "queue_imbalance_5m"]]).all(axis=1).to_numpy()
    # The first bar has no sample before it.
    assert (known == (inside & (at > RECORDED_FROM))).all()
    assert known.sum() == 59
    micro = np.isfinite(frames["BTC"]["microprice_offset_bps_5m"].to_numpy())
    assert (micro == (inside & (at >= RECORDED_FROM + HOUR))).all()
    assert (frames["BTC"]["cascade_30_s_5m"].iloc[-300:] == 0).all()
    for frame in frames.values():
        assert np.isfinite(frame["basis_1h"].iloc[-300:]).all()
        assert frame["basis_1h"].abs().max() < 0.05
    assert frames["ETH"]["ofi_5m"].isna().all()
    found = {pair: counts for pair, _, counts in funnels(done.output)}
    assert set(found[ETH]) <= {STALE, "warmup", "data_stale:candles"}
    assert found[ETH][STALE] >= 500
    assert sum(n for code, n in found[BTC].items() if not code.startswith("data_stale")) > 30
    said = [line for line in done.output.splitlines() if " - WARNING - " in line]
    assert any(f"{ETH}: hydra.feeds lists book, but none are kept" in line for line in said)
    assert any(f"{BTC}: books are complete in 59 of " in line for line in said)
