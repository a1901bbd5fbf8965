"""`hydra record` as a process of its own, over real ccxt.pro against the embedded exchange."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli.record_home import BTC, ETH, QUICK, SUB_MS, Home, ended, is_recording, read_until
from waiting import wait_until

from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import gaps_of
from hydra_ft.store.flow_schema import BOOKS
from hydra_ft.types import Feed
from loopback_exchange import Market, Server, freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def exchange() -> Iterator[Server]:
    with Server(Market(seed=7, symbols=("BTCUSDT", "ETHUSDT"))) as server:
        server.streams.start_load(50)
        yield server


@pytest.fixture
def home(tmp_path: Path, exchange: Server) -> Iterator[Home]:
    made = Home(tmp_path, exchange.url)
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
            process.wait(60)


def test_it_records_says_so_and_an_interrupt_leaves_nothing_unwritten(home: Home) -> None:
    process = home.start()
    first = read_until(process, lambda line: "recording" in line)
    assert f"trades, liquidations, book of 2 pairs of binance into sqlite:///{home.file}" in first
    line = read_until(process, is_recording)
    assert "missing 0" in line
    assert "dropped 0, failed writes 0" in line
    code, out, err = ended(process, signal.SIGINT)
    assert (code, err) == (130, "hydra: interrupted\n")
    assert out.endswith("stopped; all that had closed is written\n")
    assert home.books(BTC) > 0
    assert home.books(ETH) > 0


@pytest.mark.ci
def test_a_termination_ends_with_0_and_the_next_start_goes_on(home: Home) -> None:
    process = home.start("--pairs", "BTC")
    read_until(process, is_recording)
    code, out, err = ended(process, signal.SIGTERM)
    assert (code, err) == (0, "")
    assert "SIGTERM: writing what has closed" in out
    left = home.books(BTC)
    assert left > 0
    again = home.start("--pairs", "BTC")
    read_until(again, is_recording)
    assert ended(again, signal.SIGTERM)[0] == 0
    assert home.books(BTC) > left
    assert home.books(ETH) == 0


@pytest.mark.ci
def test_a_second_signal_ends_at_once(home: Home) -> None:
    home.config["hydra"]["recorder"] = QUICK | {"stop_s": 300}
    process = home.start()
    read_until(process, is_recording)
    database = Database(f"sqlite:///{home.file}")
    with database.transaction() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # nobody else can write now
        # Where all that has come is written already, the stop is over before the second one.
        read_until(process, lambda line: re.search(r"waiting [1-9]\d*,", line) is not None)
        process.send_signal(signal.SIGTERM)
        read_until(process, lambda line: "a second signal ends at once" in line)
        code, out, err = ended(process, signal.SIGINT)  # within 60 s, a fifth of what a stop may
        assert (code, err) == (130, "")
        assert re.search(r"ended at once; not written: \d+ parts that waited, and what ", out)
    database.close()


@pytest.mark.ci
@pytest.mark.parametrize("late", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_last_word_takes_nothing_back(home: Home, late: signal.Signals) -> None:
    """The interpreter takes a while to end; all is written by then."""
    process = home.start("--pairs", "BTC")
    read_until(process, is_recording)
    process.send_signal(signal.SIGTERM)
    read_until(process, lambda line: "stopped; all that had closed is written" in line)
    while process.poll() is None:
        process.send_signal(late)
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


@pytest.mark.ci
def test_a_log_on_a_full_disk_ends_no_recording(home: Home) -> None:
    with Path("/dev/full").open("w") as full:
        process = home.start(said=full)

        def has_recorded() -> bool:
            assert process.poll() is None
            return home.file.exists() and home.books(BTC) > 0

        wait_until(has_recorded, every_s=0.2)
        assert ended(process, signal.SIGTERM)[::2] == (0, "")


@pytest.mark.ci
def test_a_reader_that_stalls_ends_no_recording(home: Home) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"." * fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ))
    with os.fdopen(writing, "w") as pipe, os.fdopen(reading):
        process = home.start(said=pipe)
        wait_until(lambda: home.file.exists() and home.books(BTC) > 0, every_s=0.2)
        assert ended(process, signal.SIGTERM)[::2] == (0, "")


@pytest.mark.ci
def test_a_stop_does_not_wait_for_an_exchange_that_does_not_answer(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        home.config["exchange"] |= freqtrade_exchange_config(url) | {"pair_whitelist": [BTC]}
        home.config["exchange"]["ccxt_config"]["timeout"] = 600_000  # ten times what ended() waits
        process = home.start()
        read_until(process, lambda line: "loading markets" in line)
        assert ended(process, signal.SIGTERM)[0] == 0


@pytest.mark.ci
def test_what_could_not_be_written_is_counted_named_and_ends_with_1(home: Home) -> None:
    home.config["hydra"]["recorder"] = QUICK | {"stop_s": 1}
    process = home.start()
    read_until(process, is_recording)
    database = Database(f"sqlite:///{home.file}")
    with database.transaction() as connection:
        BOOKS.drop(connection)
    database.close()
    line = read_until(process, lambda line: "failed writes 0" not in line)
    assert "cannot write, trying again: the Hydra database" in line
    code, out, err = ended(process, signal.SIGTERM)
    assert (code, err) == (1, "")
    assert re.search(r"stopped; \d+ parts of what was recorded were not written", out)


@pytest.mark.ci
def test_a_second_start_on_the_database_is_refused_while_the_first_runs(home: Home) -> None:
    first = home.start()
    read_until(first, lambda line: "recording" in line)
    second = home.start()
    out, err = second.communicate(timeout=60)
    assert (out, second.returncode) == ("", 2)
    assert f"expected no other recorder-binance on {home.file}, was process {first.pid}" in err
    assert "stop that one first, or name another database with --db-url" in err
    elsewhere = home.start("--db-url", f"sqlite:///{home.folder / 'other.sqlite'}")
    read_until(elsewhere, lambda line: "recording" in line)
    # Not even a kill leaves a lock behind.
    first.kill()
    first.wait(60)
    third = home.start()
    read_until(third, lambda line: "recording" in line)


@pytest.mark.ci
def test_a_killed_recorder_is_recovered_by_the_next_one(home: Home) -> None:
    process = home.start("--pairs", "BTC")
    read_until(process, lambda line: " up, " in line and len(home.kept()) >= 7)
    process.kill()
    process.wait(60)
    left, began = home.kept()[-1], time.time()
    again = home.start("--pairs", "BTC")
    read_until(again, lambda line: " up, " in line and home.kept()[-1][0] > 1_000 * began)
    assert ended(again, signal.SIGTERM)[0] == 0
    rows = home.kept()
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[-1][0] + 1, SUB_MS))
    assert rows[-1][2] > left[2]
    # What was traded meanwhile was fetched by its ids, and the gap is told of all the same.
    traded = rows[-1][2] - rows[0][2]
    assert sum(count for _, count, _ in rows[1:]) == traded
    database = Database(f"sqlite:///{home.file}")
    store = FlowStore(database, "binance")
    bars, market = store.last(BTC, SUB_MS, 1), store.markets.number(BTC)
    with database.transaction() as connection:
        gaps = gaps_of(connection, market, Feed.TRADES)
    database.close()
    assert bars is not None
    # A bin of BTC is a basis point wide, not a tick.
    assert 0.5e-4 <= bars.grid.bin_ticks * bars.grid.tick_size / bars.close[-1] <= 2e-4
    assert ("restart", 0) in {(gap.reason, gap.missing) for gap in gaps}


@pytest.mark.ci
def test_an_exchange_that_is_not_there_is_said_and_waited_for(home: Home) -> None:
    home.config["exchange"] |= freqtrade_exchange_config("http://127.0.0.1:9")
    home.config["exchange"]["pair_whitelist"] = [BTC]
    process = home.start()
    line = read_until(process, lambda line: "markets cannot be loaded" in line)
    assert "trying again: ExchangeNotAvailable" in line
    assert ended(process, signal.SIGTERM)[0] == 0


@pytest.mark.ci
def test_a_pair_that_the_exchange_does_not_have_is_named(home: Home) -> None:
    process = home.start("--pairs", "NONE/USDT:USDT")
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("hydra record: pair: expected one that binance has")
    assert "'NONE/USDT:USDT'" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trading_mode": "spot"}, "trading_mode: expected \"futures\", was 'spot'"),
        ({"exchange": {"name": "kraken"}}, "exchange.name: expected one that can be recorded"),
        ({"exchange": {"name": "binance"}}, "pair_whitelist does not name pairs, which is empty"),
        ({"exchange": "binance"}, "exchange: expected an object, was 'binance'; correct it"),
        (
            {"exchange": {"name": "binance", "pair_whitelist": BTC}},
            f"exchange.pair_whitelist: expected a list of names such as [\"{BTC}\"], was '{BTC}'",
        ),
        (
            {"exchange": {"name": "binance", "pair_whitelist": [BTC], "ccxt_config": "x"}},
            "exchange.ccxt_config: expected an object, was 'x'",
        ),
        (
            {
                "exchange": {
                    "name": "binance",
                    "pair_whitelist": [BTC],
                    "ccxt_async_config": {"options": [1]},
                }
            },
            "exchange.ccxt_async_config.options: expected an object, was [1]",
        ),
        (
            {"exchange": {"name": "binance", "pair_whitelist": [".*/USDT:USDT"]}},
            "which has '.*/USDT:USDT'",
        ),
        ({"hydra": {"recorder": {"feeds": []}}}, "hydra.recorder: expected feeds to name"),
        ({"hydra": {"recorder": {"feeds": ["funding"]}}}, "one of trades, liquidations, book"),
        ({"hydra": {"recorder": {"grace_s": -1}}}, "grace_s: expected a number from 0 to 30"),
        ({"hydra": {"recorder": {"quiet_s": 60}}}, "silence_s above quiet_s = 60, was 30"),
        (
            {"hydra": {"recorder": {"retention": {"book_days": -1}}}},
            "hydra.recorder.retention.book_days: expected a whole number from 0",
        ),
        ({"hydra": {"db_url": "sqlite://"}}, "memory"),
        ({"hydra": {"db_url": "sqlite:////nowhere/at/all.sqlite"}}, "make its folder"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_anything_is_asked(
    home: Home, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], expected: str
) -> None:
    assert expected in home.refusal(capsys, **changes)
    assert not home.file.exists()


def test_a_pair_that_is_not_in_the_whitelist_names_the_nearest(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    message = home.refusal(capsys, "--pairs", "BTX")
    assert "expected a pair of exchange.pair_whitelist, was 'BTX'" in message
    assert BTC in message


def test_more_pairs_than_a_subscription_holds_are_refused(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.config["exchange"]["pair_whitelist"] = [f"C{i}/USDT:USDT" for i in range(201)]
    assert "expected at most 200" in home.refusal(capsys)


def test_without_a_configuration_its_place_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--userdir", str(tmp_path), "--db-url", f"sqlite:///{tmp_path / 'a.sqlite'}"]
    assert main(["record", *words]) == 2
    assert "expected freqtrade's configuration in" in capsys.readouterr().err
