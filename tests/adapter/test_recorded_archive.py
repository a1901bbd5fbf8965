"""Open interest of the archive goes before freqtrade's own, and never replaces it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from adapter.recorded_tape import FIVE, HOUR, PAIR, START, flat_candles

from hydra_ft.adapter.recorded.archive import with_archived
from hydra_ft.store.database import Database
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    store = DerivativesStore(opened, Markets(opened, "binance"))
    times = range(START + HOUR, START + 4 * HOUR, FIVE)
    own = [(time, float(i), None) for i, time in enumerate(times)]
    store.put_open_interest(PAIR, "exchange", own, step_ms=FIVE)
    vendor = [(START + i * HOUR, None, 60_000.0 * (100 + i)) for i in range(6)]
    store.put_open_interest(PAIR, "coinalyze", vendor, step_ms=HOUR)
    yield opened
    opened.close()


def test_each_bar_gets_the_value_of_its_open_where_it_has_none(database: Database) -> None:
    """The exchange's own is nearer than a vendor's, and freqtrade's is nearest."""
    known = np.array([np.nan, np.nan, np.nan, np.nan, np.nan, 7.5, 8.5])
    bars = replace(flat_candles(START + 7 * HOUR, 7, HOUR), open_interest=known)
    found = with_archived(bars, database, "binance", PAIR).open_interest
    assert found is not None
    assert found.tolist() == [100.0, 0.0, 12.0, 24.0, 104.0, 7.5, 8.5]
    assert np.isnan(known[0])


def test_a_hole_in_what_freqtrade_has_stays_one(database: Database) -> None:
    """A bot that trades knows nothing there either: the test of the day must block as it did."""
    known = np.array([np.nan, 7.5, np.nan, 8.5, np.nan, np.nan, np.nan])
    bars = replace(flat_candles(START + 7 * HOUR, 7, HOUR), open_interest=known)
    found = with_archived(bars, database, "binance", PAIR).open_interest
    np.testing.assert_array_equal(found, [100.0, 7.5, np.nan, 8.5, np.nan, np.nan, np.nan])


def test_other_pairs_and_bars_without_the_feed_stay_as_they_are(database: Database) -> None:
    bars = flat_candles(START + 7 * HOUR, 7, HOUR)
    assert with_archived(bars, database, "binance", PAIR) is bars
    unknown = replace(bars, open_interest=np.full(7, np.nan))
    found = with_archived(unknown, database, "binance", "ETH/USDT:USDT").open_interest
    assert found is not None
    assert np.isnan(found).all()
