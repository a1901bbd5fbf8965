"""Tables of market data that no bot owns: flow bars, books, liquidations, open interest.

They have no bot column: what the market did is the same for all bots of a database. Prices
and quantities are whole ticks and lots of a grid, times are UTC milliseconds.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

from hydra_ft.store.schema import METADATA

# As in schema.py: SQLite numbers rows by itself only in an INTEGER key.
_ID = BigInteger().with_variant(Integer, "sqlite")

NO_MINUTE = "step_ms <> 60000"
"""Written out, not bound: else the index of these rows is not used."""

MARKETS = Table(
    "hydra_markets",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("exchange", String(32), nullable=False),
    Column("pair", String(64), nullable=False),
    UniqueConstraint("exchange", "pair", name="uq_hydra_markets"),
)

GRIDS = Table(
    "hydra_grids",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("tick_size", Float, nullable=False),
    Column("lot_size", Float, nullable=False),
    Column("bin_ticks", BigInteger, nullable=False),
    UniqueConstraint("tick_size", "lot_size", "bin_ticks", name="uq_hydra_grids"),
)

FLOW_BARS = Table(
    "hydra_flow_bars",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("step_ms", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("grid", BigInteger, nullable=False),
    Column("open_ticks", BigInteger, nullable=False),
    Column("high_ticks", BigInteger, nullable=False),
    Column("low_ticks", BigInteger, nullable=False),
    Column("close_ticks", BigInteger, nullable=False),
    Column("buy_lots", BigInteger, nullable=False),
    Column("sell_lots", BigInteger, nullable=False),
    Column("notional", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("buy_count", Integer, nullable=False),
    Column("max_delta_lots", BigInteger, nullable=False),
    Column("min_delta_lots", BigInteger, nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("missing_ids", BigInteger, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("disordered", Integer, nullable=False),
    Column("uncovered_ms", Integer, nullable=False),
    # The rows of a pair lie beside each other, so that its last bars are one short read.
    sqlite_with_rowid=False,
)

FOOTPRINTS = Table(
    "hydra_footprints",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("step_ms", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("grid", BigInteger, nullable=False),
    Column("missing_ids", BigInteger, nullable=False),
    Column("uncovered_ms", Integer, nullable=False),
    Column("cells", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

BOOKS = Table(
    "hydra_books",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger, nullable=False),
    Column("grid", BigInteger, nullable=False),
    Column("levels", Integer, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

LIQUIDATIONS = Table(
    "hydra_liquidations",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("side", String(8), primary_key=True),
    Column("price", Float, primary_key=True),
    Column("quantity", Float, primary_key=True),
    Column("nth", Integer, primary_key=True, autoincrement=False),
    Column("notional", Float, nullable=False),
    sqlite_with_rowid=False,
)

LIQUIDATION_MINUTES = Table(
    "hydra_liquidation_minutes",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(16), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("step_ms", Integer, nullable=False),
    Column("long_notional", Float, nullable=False),
    Column("short_notional", Float, nullable=False),
    sqlite_with_rowid=False,
)

STEPS_INDEX = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
    "CREATE INDEX IF NOT EXISTS ix_hydra_liquidation_steps"
    f" ON hydra_liquidation_minutes (market, source, step_ms) WHERE {NO_MINUTE}"
)
"""Finds what is no minute without reading them all: see migration_flow.py. As an ``Index`` of both
databases it would have SQLAlchemy import PostgreSQL's dialect at every start."""
event.listen(LIQUIDATION_MINUTES, "after_create", STEPS_INDEX)

OPEN_INTEREST = Table(
    "hydra_open_interest",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(16), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", Float),
    Column("value", Float),
    sqlite_with_rowid=False,
)

FUNDING = Table(
    "hydra_funding",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("rate", Float, nullable=False),
    sqlite_with_rowid=False,
)

COVERAGE = Table(
    "hydra_coverage",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("feed", String(16), primary_key=True),
    Column("source", String(16), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("stop", BigInteger, nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

GAPS = Table(
    "hydra_gaps",
    METADATA,
    Column("market", BigInteger, primary_key=True, autoincrement=False),
    Column("feed", String(16), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("first_id", BigInteger, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False),
    sqlite_with_rowid=False,
)

CALLS = Table(
    "hydra_calls",
    METADATA,
    Column("service", String(32), primary_key=True),
    Column("turn", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("spent", Text, nullable=False),
)

FLOW_TABLES = (
    MARKETS,
    GRIDS,
    FLOW_BARS,
    FOOTPRINTS,
    BOOKS,
    LIQUIDATIONS,
    LIQUIDATION_MINUTES,
    OPEN_INTEREST,
    FUNDING,
    COVERAGE,
    GAPS,
    CALLS,
)

__all__ = [
    "BOOKS", "CALLS", "COVERAGE", "FLOW_BARS", "FLOW_TABLES", "FOOTPRINTS", "FUNDING", "GAPS",
    "GRIDS", "LIQUIDATIONS", "LIQUIDATION_MINUTES", "MARKETS", "METADATA", "OPEN_INTEREST",
]  # fmt: skip
