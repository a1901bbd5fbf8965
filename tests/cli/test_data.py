"""`hydra data status` and `hydra data build`: what is kept, and bars of downloaded trades."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bars.flow_reference import GRID, made_trades
from cli.data_home import BTC, DAY, ETH, MINUTE, START, Data, assert_bars, three_days, whole

from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Gap, put_gaps
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from cli.orders_home import Home


@pytest.fixture
def data(home: Home) -> Data:
    return Data(home)


@pytest.mark.parametrize("form", ["feather", "parquet", "json", "jsongz"])
def test_downloaded_trades_become_the_bars_of_one_fold(data: Data, form: str) -> None:
    """Day by day or at once: the same bars, to the last lot, whatever the format."""
    trades = three_days()
    data.home.configure()
    config = json.loads((data.home.folder / "config.json").read_text())
    (data.home.folder / "config.json").write_text(json.dumps(config | {"dataformat_trades": form}))
    data.download(BTC, trades, form)
    assert data.build() == f"{BTC}: 3 days built, 4000 trades, 2880 bars\n"
    expected = whole(trades)
    assert_bars(data.bars(), expected.bars)
    assert_bars(data.bars(step_ms=10_000), expected.sub_bars)
    database = Database(data.url)
    kept = FlowStore(database, "binance").footprint(BTC, expected.bars)
    for name in ("offsets", "bin", "buy", "sell"):
        assert np.array_equal(getattr(kept, name), getattr(expected.footprint, name)), name
    database.close()


def test_a_second_build_leaves_out_what_is_complete(data: Data) -> None:
    data.download(BTC, three_days())
    data.build()
    before = data.bars()
    assert data.build() == f"{BTC}: 0 days built, 3 complete before, 0 trades, 0 bars\n"
    assert data.build("--anew").startswith(f"{BTC}: 3 days built, 4000 trades")
    assert_bars(data.bars(), before)


def test_a_longer_file_completes_the_day_that_was_cut(data: Data) -> None:
    trades = three_days()
    data.download(BTC, trades.part(None, 2_000))
    data.build()
    data.download(BTC, trades)
    assert data.build().startswith(f"{BTC}: 2 days built, 1 complete before")
    assert_bars(data.bars(), whole(trades).bars)
    (status,) = data.status()
    assert (status["gaps"], status["coverage"]) == (0, 1.0)


def test_a_build_that_is_interrupted_goes_on_where_it_stopped(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.download(BTC, three_days())
    put, calls = FlowStore.put, []

    def interrupted(store: FlowStore, flows: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        put(store, flows)

    monkeypatch.setattr(FlowStore, "put", interrupted)
    code, out, err = data.run("build")
    assert (code, err) == (130, "hydra: interrupted\n")
    assert "the days that are done are kept" in out
    monkeypatch.setattr(FlowStore, "put", put)
    assert data.bars().time[-1] == START + DAY - MINUTE
    assert data.build().startswith(f"{BTC}: 2 days built, 1 complete before")
    assert_bars(data.bars(), whole(three_days()).bars)


def test_a_hole_in_a_file_stays_a_hole(data: Data) -> None:
    """Two downloads with weeks between them: what lies between is not calm."""
    trades = three_days()
    later = made_trades(2_000, seed=2, span_ms=DAY // 2, start=START + 30 * DAY + DAY // 4)
    ids = later.id + 1_000_000
    names = ("time", "price", "quantity", "side")
    rest = [np.concatenate([getattr(trades, n), getattr(later, n)]) for n in names]
    data.download(BTC, trades_from(np.r_[trades.id, ids], *rest))
    assert data.build().startswith(f"{BTC}: 4 days built, 6000 trades")
    (status,) = data.status()
    assert status["gaps"] == 1
    assert status["longest_gap_ms"] > 27 * DAY
    bars = data.bars()
    between = (bars.time >= START + 3 * DAY) & (bars.time < START + 30 * DAY)
    assert set(bars.uncovered_ms[between].tolist()) == {MINUTE}


def test_the_steps_of_a_pair_can_be_told(data: Data) -> None:
    data.download(BTC, three_days(500))
    steps = ("--tick-size", "0.01", "--lot-size", "0.0001")
    data.build("--pairs", BTC, "--step-s", "300", *steps)
    bars = data.bars(step_ms=300_000)
    assert (bars.grid.tick_size, bars.grid.lot_size) == (0.01, 0.0001)
    assert bars.volume.sum() == pytest.approx(three_days(500).quantity.sum(), rel=1e-12)
    code, _out, err = data.run("build", "--tick-size", "0.01")
    assert code == 2
    assert "--tick-size: expected --lot-size and one pair beside it" in err
    assert data.run("build", "--step-s", "7")[0] == 2


def test_a_file_that_is_damaged_is_named(data: Data) -> None:
    """Freqtrade's own reader logs it, and goes on with no trades at all."""
    file = data.download(BTC, three_days(100))
    file.write_bytes(file.read_bytes()[:200])
    code, _out, err = data.run("build")
    assert code == 2
    assert f"expected trades of {BTC} in {file}" in err
    assert f"--dl-trades --erase --pairs {BTC}" in err


def test_without_trades_it_says_how_to_get_some(data: Data) -> None:
    (data.folder / "futures").mkdir(parents=True)
    code, _out, err = data.run("build")
    assert code == 2
    assert "was no file of them; run: freqtrade download-data --dl-trades" in err
    data.download(BTC, three_days(100))
    code, _out, err = data.run("build", "--pairs", "BTX")
    assert (code, f"was 'BTX'; nearest are {BTC}" in err) == (2, True)


def kept(data: Data) -> None:
    """Ten minutes of trades until now with a hole of two, and Coinalyze's liquidations."""
    now = int(time.time() * 1000) // MINUTE * MINUTE
    database = Database(data.url)
    store = FlowStore(database, "binance")
    for start in (now - 12 * MINUTE, now - 5 * MINUTE):
        trades = made_trades(500, span_ms=5 * MINUTE, start=start)
        flow = flow_of(trades, GRID, MINUTE, covered=(start, start + 5 * MINUTE))
        store.put([(BTC, flow)])
    market = store.markets.number(BTC)
    with database.transaction() as connection:
        hole = (now - 7 * MINUTE, now - 5 * MINUTE)
        put_gaps(connection, market, Feed.TRADES, [Gap(*hole, "connection"), Gap(1, 2, "ids", 0)])
    vendor = DerivativesStore(database, store.markets)
    span = (now - DAY, now - 2 * DAY // 24)
    vendor.put_liquidation_history(ETH, "coinalyze", [], covered=span)
    database.close()


def test_status_tells_coverage_gaps_and_age_of_each_feed(data: Data) -> None:
    kept(data)
    trades, liquidations = data.status()
    assert (trades["pair"], trades["feed"], trades["source"]) == (BTC, "trades", "exchange")
    assert trades["coverage"] == pytest.approx(10 / 12)
    assert (trades["gaps"], trades["longest_gap_ms"], trades["told_gaps"]) == (1, 2 * MINUTE, 1)
    assert 0 <= trades["age_ms"] < 90_000
    assert (liquidations["pair"], liquidations["source"]) == (ETH, "coinalyze")
    assert (liquidations["gaps"], liquidations["coverage"]) == (0, 1.0)
    assert data.status("--pairs", "eth") == [
        liquidations | {"age_ms": pytest.approx(liquidations["age_ms"], abs=5_000)}
    ]


def test_status_is_a_table_as_freqtrades_of_its_data(data: Data) -> None:
    kept(data)
    code, out, err = data.run("status")
    assert (code, err) == (0, "")
    assert "binance: 2 pair / feed combinations" in out
    (line,) = [line for line in out.splitlines() if BTC in line]
    for cell in ("trades", "83.333 %", "2 min"):
        assert cell in line
    assert "liquidations (coinalyze)" in out
    assert "100 %" in out


def test_status_without_data_says_how_to_get_some(data: Data) -> None:
    code, out, err = data.run("status")
    assert (code, err) == (0, "")
    assert "No market data is kept in" in out
    assert data.status() == []
    assert not data.home.file.exists()
    kept(data)
    code, _out, err = data.run("status", "--pairs", "DOGE")
    assert (code, "was 'DOGE'; nearest are" in err) == (2, True)


@pytest.mark.parametrize("work", ["status", "build"])
@pytest.mark.parametrize("url", ["nonsense:hunter2", "sqlite://"])
def test_an_address_that_is_given_to_the_command_is_named_by_its_option(
    data: Data, work: str, url: str
) -> None:
    data.home.configure()
    code, _, err = data.run(work, "--db-url", url)
    assert code == 2
    assert "--db-url: expected the address of a file or a server" in err
    assert "hydra.db_url" not in err
    assert "hunter2" not in err


def test_a_file_that_is_no_database_is_named_as_that(data: Data) -> None:
    other = data.home.folder / "notes.txt"
    other.write_text("a text of some length, and no database\n" * 100)
    code, _, err = data.run("status", "--db-url", f"sqlite:///{other}")
    assert code == 2
    assert f"expected an SQLite database, sqlite:///{other} is another file" in err
    assert "server" not in err
