"""A database of an earlier version is brought up to this one, and loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import create_engine

from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionRow, DecisionStore
from hydra_ft.store.events import Event, EventStore
from hydra_ft.store.flow_coverage import OWN, Proof, Stretch, cover, covered
from hydra_ft.store.flow_derivatives import DerivativesStore, put_minutes
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.orders import OrderStore
from hydra_ft.types import ChildState, Feed

OLD = """
CREATE TABLE hydra_parents (bot VARCHAR(16) NOT NULL, key VARCHAR(128) NOT NULL,
  pair VARCHAR(64) NOT NULL, side VARCHAR(8) NOT NULL, kind VARCHAR(8) NOT NULL,
  quantity FLOAT NOT NULL, arrival_price FLOAT NOT NULL, decided_at BIGINT NOT NULL,
  reason VARCHAR(255) NOT NULL, children INTEGER NOT NULL, child VARCHAR(64) NOT NULL,
  cancelling VARCHAR(64) NOT NULL, last_quoted_at BIGINT NOT NULL, urgent BOOLEAN NOT NULL,
  ended_at BIGINT NOT NULL, end_reason VARCHAR(64) NOT NULL, PRIMARY KEY (bot, key));
CREATE TABLE hydra_attempts (id INTEGER NOT NULL, bot VARCHAR(16) NOT NULL,
  parent_key VARCHAR(128) NOT NULL, pair VARCHAR(64) NOT NULL, side VARCHAR(8) NOT NULL,
  kind VARCHAR(8) NOT NULL, quantity FLOAT NOT NULL, price FLOAT NOT NULL,
  sent_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, outcome VARCHAR(32) NOT NULL,
  order_id VARCHAR(64) NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_hydra_attempts_open ON hydra_attempts (bot, closed_at);
INSERT INTO hydra_parents VALUES
  ('a', 'old', 'BTC/USDT:USDT', 'long', 'entry', 0.1, 50.0, 5, 'r', 1, '7', '', 6, false, 9,
   'filled'),
  ('a', 'new', 'BTC/USDT:USDT', 'long', 'entry', 0.1, 50.0, 5, 'r', 0, '', '', 6, false, 0, '');
INSERT INTO hydra_attempts VALUES
  (1, 'a', 'old', 'BTC/USDT:USDT', 'long', 'entry', 0.1, 50.0, 6, 8, 'placed', '7'),
  (2, 'a', 'new', 'BTC/USDT:USDT', 'long', 'entry', 0.1, 50.0, 6, 0, '', '');
"""

OLD_DECISIONS = """
CREATE TABLE hydra_decisions (bot VARCHAR(16) NOT NULL, pair VARCHAR(64) NOT NULL,
  at BIGINT NOT NULL, code VARCHAR(64) NOT NULL, codes VARCHAR(512) NOT NULL,
  side VARCHAR(8) NOT NULL, signal VARCHAR(64) NOT NULL, strength FLOAT,
  regime VARCHAR(16) NOT NULL, bias VARCHAR(16) NOT NULL, light BOOLEAN NOT NULL,
  PRIMARY KEY (bot, pair, at));
INSERT INTO hydra_decisions VALUES
  ('a', 'P', 300, 'ok', '', 'long', 's', 0.75, 'UP', 'LONG', true),
  ('a', 'P', 600, 'warmup', 'warmup,no_signal', '', '', NULL, 'CHOPPY', 'NEUTRAL', false);
"""

SOURCES = ("vendor", OWN)


@pytest.fixture
def old(url: str) -> str:
    """Address of a database as the first version left it, on each kind of server."""
    made = create_engine(url)
    script = OLD + OLD_DECISIONS
    if made.dialect.name == "postgresql":
        script = script.replace("id INTEGER NOT NULL", "id BIGSERIAL NOT NULL")
        script += "SELECT setval('hydra_attempts_id_seq', 2);"
    with made.begin() as connection:
        for statement in filter(str.strip, script.split(";")):
            connection.exec_driver_sql(statement)
    made.dispose()
    return url


def test_what_was_open_is_open_and_what_was_done_is_done(old: str) -> None:
    store = OrderStore(Database(old), "a")
    assert [parent.key for parent in store.open_parents()] == ["new"]
    assert [attempt.state for attempt in store.open_attempts()] == [ChildState.WRITTEN]
    assert store.working_attempts() == []
    assert [(a.order_id, a.state, a.known_at) for a in store.children("old")] == [
        ("7", ChildState.WORKING, 8)
    ]


def test_an_old_parent_declares_no_exits_and_a_new_one_keeps_its_own(old: str) -> None:
    store = OrderStore(Database(old), "a")
    (parent,) = store.open_parents()
    assert (parent.stop, parent.target, parent.max_hold_s) == (0.0, 0.0, 0)
    store.save_parent(replace(parent, stop=0.012, target=0.02, max_hold_s=3600))
    (again,) = OrderStore(Database(old), "a").open_parents()
    assert (again.stop, again.target, again.max_hold_s) == (0.012, 0.02, 3600)


def test_old_endings_are_not_told_again(old: str) -> None:
    assert OrderStore(Database(old), "a").unreported_parents() == []


def test_a_migrated_database_takes_new_rows_and_opens_again(old: str) -> None:
    for _ in range(2):
        database = Database(old)
        store = OrderStore(database, "a")
        parent = store.open_parents()[0]
        sent = store.send(parent, store.open_attempts()[0])
        assert sent in store.open_attempts()
        EventStore(database, "a").record([Event("new", 7, "requote", "8", "50 to 51")])
        database.close()
    assert len(EventStore(Database(old), "a").of("new")) == 2


def test_an_old_decision_stands_for_its_one_bar_and_keeps_its_confidence(old: str) -> None:
    store = DecisionStore(Database(old), "a")
    first, second = store.since(0)
    assert first == DecisionRow(
        "P", 300, 300, 1, "ok", (), "long", "s", 0.75, regime="UP", bias="LONG", light=True
    )
    assert (second.bars, second.codes, second.confidence) == (1, ("warmup", "no_signal"), None)


def test_migrated_decisions_take_new_rows_and_are_migrated_once(old: str) -> None:
    store = DecisionStore(Database(old), "a")
    store.extend([("P", 600, 1200, 3)])
    store.note_outcomes([("P", 300, "spread", ("spread",), "")])
    store.record([store.since(0)[0], DecisionRow("P", 1500, 1500, 1, "warmup", ("warmup",))])
    again = DecisionStore(Database(old), "a")
    assert again.since(0) == store.since(0)
    assert again.counts() == ({"ok": 1, "warmup": 4}, {"spread": 1})


def test_hours_of_liquidations_under_the_name_of_minutes_are_no_longer_calm(url: str) -> None:
    """An earlier version covered their time by minutes, none of which were there."""
    hour, pair = 3_600_000, "BTC/USDT:USDT"
    database = Database(url)
    markets = Markets(database, "binance")
    store, number = DerivativesStore(database, markets), markets.number(pair)
    sums = [(i * hour, 5.0 + i, 1.0) for i in range(4)]
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP INDEX ix_hydra_liquidation_steps")
        put_minutes(connection, number, sums, "vendor", hour)
        proofs = [Proof(number, Feed.LIQUIDATIONS, Stretch(0, 4 * hour), s) for s in SOURCES]
        cover(connection, proofs)
    fetched = [(3 * hour, 9.0, 1.0)]
    span = (3 * hour, 4 * hour)
    store.put_liquidation_history(pair, "vendor", fetched, covered=span, step_ms=hour)
    store.put_liquidation_history(pair, "other", [(60_000, 2.0, 1.0)], covered=(0, hour))
    for _ in range(2):
        store = DerivativesStore(Database(url), markets)
        hours = store.liquidation_minutes(pair, 0, 9 * hour, "vendor", hour)
        assert hours.columns["long_notional"].tolist() == [5.0, 6.0, 7.0, 9.0]
        assert len(store.liquidation_minutes(pair, 0, 9 * hour, "other")) == 1
        with database.transaction() as connection:
            feed = Feed.LIQUIDATIONS
            spans = {
                source: [
                    (s.start, s.stop) for s in covered(connection, number, feed, source=source)
                ]
                for source in (*SOURCES, "vendor/3600s", "other")
            }
            rows = connection.exec_driver_sql("SELECT source FROM hydra_liquidation_minutes")
            assert "vendor" not in rows.scalars().all()
        assert spans == {
            "vendor": [], OWN: [(0, 4 * hour)], "vendor/3600s": [span], "other": [(0, hour)],
        }  # fmt: skip
    database.close()
