"""Parents and attempts survive a restart, and one bot does not see another's."""

from dataclasses import replace
from pathlib import Path

import pytest

from hydra_ft.errors import StoreError
from hydra_ft.store.database import Database
from hydra_ft.store.orders import OrderStore
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side

PARENT = ParentOrder("k1", "BTC/USDT:USDT", Side.SHORT, Kind.EXIT, 0.01, 50_000.0, 5, reason="r")
ATTEMPT = Attempt("k1", "BTC/USDT:USDT", Side.SHORT, Kind.EXIT, 0.01, 50_000.0, 7)


def reopened(url: str, bot: str = "a") -> OrderStore:
    return OrderStore(Database(url), bot)


def test_an_open_parent_is_there_after_a_restart(url: str) -> None:
    reopened(url).save_parent(PARENT)
    assert reopened(url).open_parents() == [PARENT]


def test_a_parent_is_written_over_its_earlier_state(url: str) -> None:
    store = reopened(url)
    store.save_parent(PARENT)
    ended = replace(PARENT, children=3, ended_at=9, end_reason="filled")
    store.save_parent(ended)
    assert store.open_parents() == []
    assert store.parent("k1") == ended
    assert store.parents_since(0) == [ended]


def test_an_attempt_is_open_until_its_outcome_is_known(url: str) -> None:
    written = reopened(url).send(PARENT, ATTEMPT)
    assert written.id > 0
    assert reopened(url).open_attempts() == [written]
    assert reopened(url).open_parents() == [PARENT]
    placed = replace(PARENT, children=1, child="77")
    working = replace(written, state=ChildState.WORKING, order_id="77", known_at=9)
    reopened(url).save_attempt(working, placed)
    assert reopened(url).open_attempts() == []
    assert reopened(url).working_attempts() == [working]
    assert reopened(url).children("k1") == [working]
    assert reopened(url).open_parents() == [placed]
    assert reopened(url).attempts_since(7) == [working]
    assert reopened(url).attempts_since(8) == []
    assert reopened(url).is_ours("BTC/USDT:USDT", "77")
    assert not reopened(url).is_ours("ETH/USDT:USDT", "77")


def test_what_ended_long_ago_is_forgotten_and_what_is_open_is_kept(url: str) -> None:
    store = reopened(url)
    done = store.send(replace(PARENT, key="old", ended_at=20, end_reason="filled"), ATTEMPT)
    store.save_attempt(replace(done, state=ChildState.FILLED, order_id="77", known_at=9))
    pending = store.send(PARENT, ATTEMPT)
    store.forget_before(50)
    assert store.parents_since(0) == [PARENT]
    assert store.open_attempts() == [pending]
    assert store.attempts_since(0) == [pending]


def test_a_bot_sees_its_own_rows_only(url: str) -> None:
    reopened(url).send(PARENT, ATTEMPT)
    other = reopened(url, "b")
    assert (other.open_parents(), other.open_attempts(), other.parent("k1")) == ([], [], None)


def test_a_database_file_is_written_ahead_and_synced(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}").transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_an_unusable_address_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match=r"hydra\.db_url") as caught:
        Database("nosuchdb://user:geheim@host/db")
    assert "geheim" not in str(caught.value)


def test_a_folder_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="make its folder writable"):
        Database(f"sqlite:///{tmp_path / 'none' / 'hydra.sqlite'}")
