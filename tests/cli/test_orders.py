"""`hydra orders`: what the database says of parents, their children and their events."""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli.orders_home import BTC, DAY, ETH, NOW, parent, requoted
from sqlalchemy import create_engine, text

from hydra_ft.cli.orders import add_arguments
from hydra_ft.cli.orders.story import short_id
from hydra_ft.execution.lifecycle import End
from hydra_ft.store.database import Database
from hydra_ft.store.events import Event
from hydra_ft.types import ChildState

if TYPE_CHECKING:
    from cli.orders_home import Home

REPOSITORY = Path(__file__).parents[2]


def test_an_order_is_one_line_with_what_became_of_it(home: Home) -> None:
    home.write(*requoted())
    header, line = home.orders().splitlines()
    assert header.split()[:3] == ["id", "decided", "(UTC)"]
    assert re.split(r"  +", line.strip())[2:] == [
        BTC,
        "long",
        "entry",
        "10",
        "10",
        "100.12",
        "1",
        "30",
        "filled",
        "pullback",
    ]


def test_an_open_order_is_working_and_the_newest_is_last(home: Home) -> None:
    home.write(parent("new", ended_at=0, end_reason="", pair=ETH, decided_at=NOW - 5000))
    home.write(parent("old"))
    lines = home.orders().splitlines()
    assert "filled" in lines[1]
    assert "working" in lines[2]
    assert ETH in lines[2]


def test_open_pair_and_days_narrow_the_list(home: Home) -> None:
    home.write(parent("a", ended_at=0, end_reason=""))
    home.write(parent("b", pair=ETH))
    home.write(parent("c", decided_at=NOW - 3 * DAY, ended_at=NOW - 3 * DAY + 5))
    keys = [
        [order["key"] for order in home.document(*words)["orders"]]
        for words in (
            (),
            ("--open",),
            ("--pair", "eth"),
            ("--pair", ETH),
            ("--days", "2"),
            ("--days", "4", "--pair", "BTC/USDT"),
        )
    ]
    assert [sorted(found) for found in keys] == [
        ["a", "b", "c"],
        ["a"],
        ["b"],
        ["b"],
        ["a", "b"],
        ["a", "c"],
    ]


def test_the_list_is_cut_to_the_newest_and_says_so(home: Home) -> None:
    for count in range(52):
        home.write(parent(f"k{count}", decided_at=NOW - 100_000 + count))
    assert home.orders().count("pullback") == 50
    assert "50 of 52 orders shown" in home.orders()
    assert [o["key"] for o in home.document("--limit", "2")["orders"]] == ["k50", "k51"]
    assert home.orders("--limit", "0").count("pullback") == 52
    assert len(home.document()["orders"]) == 52


def test_one_order_shows_its_children_and_why_it_was_requoted(home: Home) -> None:
    whole, *children = requoted()
    events = (
        Event(whole.key, NOW, "requote", "771", "touch moved 3 ticks"),
        Event(whole.key, NOW, "rejected", "", "-5022 would take [red]liquidity"),
    )
    home.write(whole, *children, events=events)
    home.write(parent("other"))
    for name in (short_id(whole.key), short_id(whole.key)[:5], "btc|1", "btc"):
        shown = home.orders(name)
        assert "771" in shown
        assert "touch moved 3 ticks" in shown
        assert "[red]liquidity" in shown
        assert "other" not in shown
    assert "772" in home.orders("--verbose")


def test_in_a_pipe_no_line_is_folded_or_filled_up(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    home.write(*requoted())
    lines = home.orders("--verbose").splitlines()
    assert len([line for line in lines if line.strip()]) == 6
    assert max(map(len, lines)) < 160


def test_the_id_of_an_order_is_that_of_its_key_for_ever() -> None:
    assert short_id("k") == hashlib.sha256(b"k").hexdigest()[:8]


@pytest.mark.parametrize(("name", "words"), [("zz", "which no order has"), ("|", "which 2 have")])
def test_an_order_that_is_not_named_clearly_is_refused(home: Home, name: str, words: str) -> None:
    home.write(parent("a|1"))
    home.write(parent("a|2"))
    code, _, err = home.run(name)
    assert code == 2
    assert words in err


def test_the_document_holds_everything_and_no_nan(home: Home) -> None:
    home.write(*requoted(), events=(Event("btc|1", NOW, "requote"),))
    home.write(parent("none", decision_price=0.0, arrival_price=0.0))
    found = home.document()
    first = next(order for order in found["orders"] if order["key"] == "btc|1")
    other = next(order for order in found["orders"] if order["key"] == "none")
    assert (first["requotes"], first["result"], first["filled"]) == (1, "filled", 10.0)
    assert [child["order_id"] for child in first["attempts"]] == ["771", "772"]
    assert first["attempts"][0]["state"] == "cancelled"
    assert first["events"][0]["what"] == "requote"
    assert other["cost"]["total_bps"] is None
    assert found["bot"] == "hydra"
    assert str(home.file) in found["database"]


def test_a_database_that_is_not_there_is_said_and_not_made(home: Home) -> None:
    assert f"{home.file} is not there yet" in home.orders()
    assert home.document()["orders"] == []
    assert not home.file.exists()


def test_an_empty_database_is_said(home: Home) -> None:
    Database(f"sqlite:///{home.file}").close()
    assert home.orders().startswith("No orders of bot 'hydra' in ")
    assert home.orders("--open").startswith("No such orders of bot 'hydra' in ")
    home.file.unlink()
    home.file.touch()
    assert home.orders().startswith("No orders of bot 'hydra' in ")


def test_the_orders_of_another_bot_are_not_shown(home: Home) -> None:
    home.write(parent(), bot="other")
    assert home.orders().startswith("No orders of bot 'hydra'")
    home.configure(bot_name="other")
    assert "pullback" in home.orders()


def test_reading_beside_a_writing_bot_neither_waits_nor_changes_anything(home: Home) -> None:
    home.write(parent())
    bot = Database(f"sqlite:///{home.file}")
    with bot.transaction() as connection:
        connection.execute(text("UPDATE hydra_parents SET reason = 'unseen'"))
        assert "pullback" in home.orders()
    bot.close()
    before = home.file.read_bytes()
    home.orders("--cost", "--verbose")
    assert home.file.read_bytes() == before


def test_a_database_of_an_older_version_is_left_alone(home: Home) -> None:
    engine = create_engine(f"sqlite:///{home.file}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE hydra_parents (bot TEXT, key TEXT)"))
    engine.dispose()
    before = home.file.read_bytes()
    code, _, err = home.run()
    assert code == 2
    assert "start the bot once with this version" in err
    assert home.file.read_bytes() == before


@pytest.mark.parametrize(
    ("hydra", "words"),
    [
        ({"db_url": "sqlite://"}, "expected a database on disk"),
        ({"db_url": "nonsense:hunter2"}, "hydra.db_url, such as sqlite:///user_data"),
        ({"db_url": "nosuchdb://u:hunter2@127.0.0.1:1/x"}, "correct hydra.db_url"),
        ({"bot_nam": "x"}, "did you mean hydra.bot_name?"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named(
    home: Home, hydra: dict[str, Any], words: str
) -> None:
    home.configure(**hydra)
    code, _, err = home.run()
    assert code == 2
    assert words in err
    assert "hunter2" not in err


@pytest.mark.parametrize(("option", "value"), [("--days", "0"), ("--days", "x"), ("--limit", "-1")])
def test_a_number_that_is_none_is_refused(home: Home, option: str, value: str) -> None:
    with pytest.raises(SystemExit) as leaving:
        home.run(f"{option}={value}")
    assert leaving.value.code == 2
    assert f"was '{value}'" in home.capsys.readouterr().err


def test_the_guide_names_every_ending_every_state_and_every_option() -> None:
    guide = (REPOSITORY / "docs" / "orders.md").read_text(encoding="utf-8")
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    wanted = [*End, *ChildState, *(option for option in options if option != "--user-data-dir")]
    assert [word for word in wanted if f"`{word}" not in guide] == []
