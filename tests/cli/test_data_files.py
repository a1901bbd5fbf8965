"""Files of trades are not all alike: ids missing, repeated, or no numbers; rows out of order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import picked
from cli.data_home import BTC, DAY, ETH, MINUTE, START, Data, assert_bars, three_days, whole

from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from cli.orders_home import Home


@pytest.fixture
def data(home: Home) -> Data:
    return Data(home)


def test_trades_without_ids_count_each(data: Data) -> None:
    """Freqtrade's own reader takes those of one moment for the same trade."""
    trades = three_days()
    at = np.repeat(trades.time[::2], 2)
    doubled = trades_from(trades.id, at, trades.price, trades.quantity, trades.side)
    data.download(BTC, doubled, id=None)
    assert data.build().startswith(f"{BTC}: 3 days built, 4000 trades")
    bars = data.bars()
    assert bars.count.sum() == 4_000
    assert set(bars.first_id.tolist()) == {NO_ID}


def test_trades_that_are_twice_in_a_file_count_once(data: Data) -> None:
    trades = three_days()
    names = ("id", "time", "price", "quantity", "side")
    twice = trades_from(*(np.r_[getattr(trades, n), getattr(trades, n)[:100]] for n in names))
    data.download(BTC, twice)
    data.build()
    assert data.bars().count.sum() == 4_000
    data.download(ETH, twice, id=[f"{i:08x}-uuid" for i in twice.id.tolist()])
    data.build("--pairs", "ETH")
    assert data.bars(ETH).count.sum() == 4_000


def test_rows_out_of_order_are_read_in_order(data: Data) -> None:
    trades = three_days()
    order = np.random.default_rng(1).permutation(len(trades))
    data.download(BTC, picked(trades, order))
    assert data.build().startswith(f"{BTC}: 3 days built, 4000 trades")
    assert_bars(data.bars(), whole(trades).bars)


def test_trades_that_are_missing_over_midnight_are_missed(data: Data) -> None:
    """Days are built one by one, and still the ids of one follow those of the other."""
    trades = three_days()
    midnight = START + DAY
    lost = np.abs(trades.time - midnight) < 5 * MINUTE
    assert lost.any()
    data.download(BTC, picked(trades, np.flatnonzero(~lost)))
    data.build()
    bars = data.bars()
    assert bars.missing_ids.sum() == lost.sum()
    assert bars.time[bars.missing_ids > 0][0] >= midnight
    (status,) = data.status()
    assert (status["gaps"], status["longest_gap_ms"] >= 9 * MINUTE) == (1, True)


def test_ids_that_do_not_follow_the_days_lose_no_trade(data: Data) -> None:
    """Of the trades around midnight the later one may have the lower id."""
    trades = three_days()
    first = int(np.searchsorted(trades.time, START + DAY))
    ids = trades.id.copy()
    ids[first - 1 : first + 1] = ids[first - 1 : first + 1][::-1]
    columns = (trades.time, trades.price, trades.quantity, trades.side)
    data.download(BTC, trades_from(ids, *columns))
    data.build()
    bars = data.bars()
    assert (bars.count.sum(), bars.duplicates.sum()) == (4_000, 0)
