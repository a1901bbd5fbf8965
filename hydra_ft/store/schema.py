"""Tables of the Hydra database; every row carries the name of the bot that wrote it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()

# SQLite numbers rows by itself only in an INTEGER key, PostgreSQL needs BIGINT for many.
_ID = BigInteger().with_variant(Integer, "sqlite")

PARENTS = Table(
    "hydra_parents",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("pair", String(64), nullable=False),
    Column("side", String(8), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("quantity", Float, nullable=False),
    Column("arrival_price", Float, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("reason", String(255), nullable=False),
    Column("children", Integer, nullable=False),
    Column("child", String(64), nullable=False),
    Column("cancelling", String(64), nullable=False),
    Column("last_quoted_at", BigInteger, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("end_reason", String(64), nullable=False),
    Column("decision_price", Float, nullable=False, default=0.0),
    Column("end_price", Float, nullable=False, default=0.0),
    Column("rejections", Integer, nullable=False, default=0),
    Column("rejected_at", BigInteger, nullable=False, default=0),
    Column("reported_at", BigInteger, nullable=False, default=0),
    Column("stop", Float, nullable=False, default=0.0),
    Column("target", Float, nullable=False, default=0.0),
    Column("max_hold_s", Integer, nullable=False, default=0),
)

ATTEMPTS = Table(
    "hydra_attempts",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("bot", String(16), nullable=False),
    Column("parent_key", String(128), nullable=False),
    Column("pair", String(64), nullable=False),
    Column("side", String(8), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("quantity", Float, nullable=False),
    Column("price", Float, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("state", String(32), nullable=False, default="written"),
    Column("order_id", String(64), nullable=False, default=""),
    Column("mid", Float, nullable=False, default=0.0),
    Column("filled", Float, nullable=False, default=0.0),
    Column("average_price", Float, nullable=False, default=0.0),
    Column("fee_quote", Float, nullable=False, default=0.0),
    Column("maker_quantity", Float, nullable=False, default=0.0),
    Column("known_at", BigInteger, nullable=False, default=0),
    Column("done_at", BigInteger, nullable=False, default=0),
    Index("ix_hydra_attempts_open", "bot", "known_at"),
    Index("ix_hydra_attempts_order", "bot", "pair", "order_id"),
    Index("ix_hydra_attempts_sent", "bot", "sent_at"),
    Index("ix_hydra_attempts_sent_by_all", "sent_at"),
    Index("ix_hydra_attempts_parent", "bot", "parent_key"),
)

EVENTS = Table(
    "hydra_events",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("bot", String(16), nullable=False),
    Column("parent_key", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("order_id", String(64), nullable=False, default=""),
    Column("detail", String(255), nullable=False, default=""),
    Index("ix_hydra_events_parent", "bot", "parent_key"),
    Index("ix_hydra_events_at", "bot", "at"),
)

DECISIONS = Table(
    "hydra_decisions",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("pair", String(64), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("bars", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("codes", Text, nullable=False),
    Column("side", String(8), nullable=False),
    Column("signal", String(64), nullable=False),
    Column("confidence", Float),
    Column("stop", Float),
    Column("target", Float),
    Column("regime", String(16), nullable=False),
    Column("regime_confidence", Float),
    Column("bias", String(16), nullable=False),
    Column("bias_strength", Float),
    Column("trend", Float),
    Column("entry_state", String(16), nullable=False, default="WAITING"),
    Column("light", Boolean, nullable=False),
    Column("numbers", Text, nullable=False, default=""),
    Column("outcome", String(64), nullable=False, default=""),
    Column("outcomes", Text, nullable=False, default=""),
    Column("detail", String(255), nullable=False, default=""),
    Index("ix_hydra_decisions_until", "bot", "until"),
    # The key alone is half of a small row, and a rowid would store it twice.
    sqlite_with_rowid=False,
)

RULES = Table(
    "hydra_rules",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("rules", Text, nullable=False),
)

BOTS = Table(
    "hydra_bots",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("account", String(128), nullable=False),
    Column("exchange", String(64), nullable=False),
    Column("balance", Float, nullable=False),
    Column("wallet", Float),
    Column("updated_at", BigInteger, nullable=False),
    Column("instance", String(32), nullable=False, default=""),
)

HOLDINGS = Table(
    "hydra_holdings",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("pair", String(64), primary_key=True),
    Column("side", String(8), primary_key=True),
    Column("head", String(64), nullable=False),
    Column("notional", Float, nullable=False),
    Column("stop_distance", Float, nullable=False),
    Column("profit", Float, nullable=False),
    Column("stake", Float, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_hydra_holdings_updated", "updated_at"),
)

RESERVATIONS = Table(
    "hydra_reservations",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("pair", String(64), primary_key=True),
    Column("side", String(8), primary_key=True),
    Column("head", String(64), nullable=False),
    Column("notional", Float, nullable=False),
    Column("risk", Float, nullable=False),
    Column("stake", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("is_sent", Boolean, nullable=False),
)

RESULTS = Table(
    "hydra_results",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("trade", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("profit", Float, nullable=False),
    Index("ix_hydra_results_at", "at"),
)

PAUSES = Table(
    "hydra_pauses",
    METADATA,
    Column("account", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("why", String(255), nullable=False),
    Column("open_profit", Float, nullable=False, default=0.0),
)

TURNS = Table(
    "hydra_turns",
    METADATA,
    Column("name", String(16), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""Whoever counts up the one row of a name is alone until its transaction ends."""

SIZES = Table(
    "hydra_sizes",
    METADATA,
    Column("bot", String(16), primary_key=True),
    Column("pair", String(64), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("size", Text, nullable=False),
)
