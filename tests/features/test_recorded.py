"""What the features say of recorded books, trades and candles."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from hydra_ft.bars.candles import bars_from
from hydra_ft.bars.microprice import fitted, microprice
from hydra_ft.features import battery
from hydra_ft.features.book import depth, imbalance, order_flow_events, summed, weighted_mid
from hydra_ft.features.impact import kyle_lambda
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.scalper import hit_rates
from hydra_ft.features.vpin import bulk_buy_share, vpin
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray, IntArray

HOME = os.environ.get("HYDRA_TEST_DATA", "")
DATA = Path(HOME)
BOOK = DATA / "orderbook" / "hft_20240808"
PERP = "hft_20240808/binance/futures/BTC_USDT_USDT-trades"
SPOT = "bitflyer_201801/bitflyer/BTC_JPY-trades"
TICK = 0.1

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data"),
]


def milliseconds(dates: pd.Series) -> IntArray:
    return dates.dt.as_unit("ms").astype("int64").to_numpy()


def best() -> tuple[IntArray, list[FloatArray]]:
    """Exchange time of each change of the best prices, and bid, size, ask, size."""
    book = pd.read_feather(BOOK / "BTCUSDT_bookticker_l1.feather")
    sides = [book[name].to_numpy() for name in ("bid", "bid_qty", "ask", "ask_qty")]
    return book["transact_ms"].to_numpy(), sides


def levels() -> list[FloatArray]:
    """Bid prices, sizes, ask prices, sizes of 20 levels, one state a second."""
    book = pd.read_feather(BOOK / "BTCUSDT_book_top20_1s.feather")
    names = ("bid", "bid_qty", "ask", "ask_qty")
    return [book[[f"{name}{level}" for level in range(20)]].to_numpy() for name in names]


def trades(name: str) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Time, price, quantity and side of the aggressor."""
    tape = pd.read_feather(DATA / "trades" / f"{name}.feather")
    sides = np.where(tape["side"] == "buy", 1.0, -1.0)
    return tape["timestamp"].to_numpy(), tape["price"].to_numpy(), tape["amount"].to_numpy(), sides


def bars_of(name: str, step_ms: int) -> tuple[Bars, FloatArray]:
    """Bars of the trades, with the price carried, and what was bought less what was sold."""
    time, price, quantity, sides = trades(name)
    numbers = time // step_ms
    first = np.flatnonzero(np.diff(numbers, prepend=-1))
    rows = numbers[first] - numbers[0]
    n = int(rows[-1]) + 1
    stop = np.r_[first[1:], time.size] - 1
    carried = np.maximum.accumulate(np.where(np.isin(np.arange(n), rows), np.arange(n), 0))
    close = np.zeros(n)
    close[rows] = price[stop]
    close = close[carried]
    prices = [close.copy() for _ in range(3)]
    prices[0][rows] = price[first]
    prices[1][rows] = np.maximum.reduceat(price, first)
    prices[2][rows] = np.minimum.reduceat(price, first)
    volume, signed = np.zeros(n), np.zeros(n)
    volume[rows] = np.add.reduceat(quantity, first)
    signed[rows] = np.add.reduceat(quantity * sides, first)
    start = step_ms * (numbers[0] + np.arange(n))
    return bars_from(start, step_ms, (*prices, close), volume), signed


def explained(cause: FloatArray, effect: FloatArray) -> float:
    """R2 of a straight line, negative where it falls."""
    correlation = float(np.corrcoef(cause, effect)[0, 1])
    return correlation * abs(correlation)


def rank_correlation(left: FloatArray, right: FloatArray) -> float:
    return float(pd.Series(left).corr(pd.Series(right), method="spearman"))


# --- the book ---------------------------------------------------------------------------


@pytest.mark.parametrize("step_ms", [1000, 5000])
def test_order_flow_explains_the_moves_of_the_mid_and_better_than_the_trades_do(
    step_ms: int,
) -> None:
    """Cont, Kukanov and Stoikov found 0.65 on stocks, and 0.32 for the imbalance of trades."""
    time, (bid, bid_size, ask, ask_size) = best()
    stamps, _, quantity, sides = trades(PERP)
    start = max(time[0], stamps[0]) // step_ms * step_ms + step_ms
    edges = np.arange(start, min(time[-1], stamps[-1]), step_ms)
    flow = summed(order_flow_events(bid, bid_size, ask, ask_size), time, edges)
    traded = summed(quantity * sides, stamps, edges)
    moves = np.diff(((bid + ask) / 2)[np.searchsorted(time, edges) - 1])
    assert 0.35 < explained(flow, moves) < 0.75
    assert explained(flow, moves) > explained(traded, moves) + 0.05 > 0.05
    # It goes with the moves of its own time, and not with those after it.
    assert abs(explained(flow[:-1], moves[1:])) < 0.05


def test_every_level_of_the_book_leans_the_way_the_mid_goes() -> None:
    bid, bid_size, ask, ask_size = levels()
    flow = order_flow_events(bid, bid_size, ask, ask_size)[1:]
    moves = np.diff((bid[:, 0] + ask[:, 0]) / 2)
    ranks = [rank_correlation(flow[:, level], moves) for level in range(20)]
    assert min(ranks) > 0.5
    assert ranks[0] == max(ranks) > 0.7


def test_the_longer_queue_tells_where_the_mid_goes_within_a_second() -> None:
    bid, bid_size, ask, ask_size = levels()
    later = np.diff((bid[:, 0] + ask[:, 0]) / 2)
    queues = imbalance(bid_size[:, 0], ask_size[:, 0])[:-1]
    upper = imbalance(depth(bid, bid_size, 10), depth(ask, ask_size, 10))[:-1]
    assert rank_correlation(queues, later) > 0.25
    assert rank_correlation(upper, later) > 0.25


def test_the_microprice_is_nearer_to_what_the_mid_becomes_than_the_mid_is() -> None:
    """The table is of the first half of the recording, the comparison of the second."""
    time, book = best()
    half = time.size // 2
    table = fitted(*(side[:half] for side in book), tick=TICK)
    found = microprice(table, *book)
    bid, bid_size, ask, ask_size = book
    mid, weighted = (bid + ask) / 2, weighted_mid(bid, bid_size, ask, ask_size)
    for wait_ms in (100, 1000):
        later = np.searchsorted(time, time + wait_ms, side="right") - 1
        rows = np.flatnonzero((np.arange(time.size) >= half) & (time + wait_ms <= time[-1]))
        error = {
            name: float(np.mean((price[rows] - mid[later[rows]]) ** 2))
            for name, price in (("micro", found), ("weighted", weighted), ("mid", mid))
        }
        assert error["micro"] < error["mid"]
        assert error["micro"] < error["weighted"]
    changes = np.flatnonzero(np.diff(mid)) + 1
    rows = np.arange(half, changes[-1])
    following = mid[changes[np.searchsorted(changes, rows, side="right")]]
    nearer = np.abs(found[rows] - following) < np.abs(mid[rows] - following)
    assert 0.55 < nearer.mean() < 0.8


def test_the_table_of_the_recorded_book_rises_with_the_bid_queue() -> None:
    _, book = best()
    narrow = fitted(*book, tick=TICK).ticks[:, 0]
    assert (np.diff(narrow) > 0).all()
    assert 0.5 < narrow[-1] < 10


# --- the tape ---------------------------------------------------------------------------


def test_recorded_trade_is_more_one_sided_than_the_same_trades_in_any_order() -> None:
    time, _, quantity, sides = trades(PERP)
    bucket = float(quantity.sum()) / 100
    found = vpin(time, quantity, sides, bucket)[1]
    shuffled = np.random.default_rng(1).permutation(sides)
    chance = vpin(time, quantity, shuffled, bucket)[1]
    assert len(found) in {99, 100}
    assert 0.4 < np.nanmin(found) < np.nanmax(found) < 0.9
    assert np.nanmax(chance) < np.nanmin(found)


def test_buying_moves_the_recorded_price_up() -> None:
    bars, signed = bars_of(PERP, 1000)
    slope = kyle_lambda(np.diff(bars.close, prepend=np.nan), signed, 60)[60:]
    assert (slope > 0).mean() > 0.95


def test_bulk_classification_finds_the_side_of_recorded_minutes() -> None:
    bars, signed = bars_of(SPOT, 60_000)
    moves = pd.Series(np.diff(bars.close, prepend=np.nan))
    share = bulk_buy_share(moves.to_numpy(), moves.rolling(60).std().shift(1).to_numpy())
    known = np.isfinite(share) & (bars.volume > 0)
    true = 0.5 + 0.5 * signed[known] / bars.volume[known]
    assert np.corrcoef(share[known], true)[0, 1] > 0.4


# --- candles ----------------------------------------------------------------------------


def test_estimates_of_the_spread_follow_the_quoted_one() -> None:
    """Means over 24 minutes, beside the mean of the quotes taken each minute."""
    bars, _ = bars_of(SPOT, 60_000)
    quotes = pd.read_feather(DATA / "orderbook" / "bitflyer_201801" / "BTC_JPY_ticker_1m.feather")
    minutes = milliseconds(quotes["loaded"]) // 60_000 * 60_000
    width = (quotes["best_ask"] - quotes["best_bid"]) / quotes["best_bid"]
    quoted = pd.Series(width.to_numpy(), index=minutes).groupby(level=0).last().reindex(bars.time)
    usual = quoted.rolling(24, min_periods=12).mean().to_numpy()
    found = {name: FEATURES[name](bars) for name in ("corwin_schultz_24", "roll_spread_24")}
    for name, values in found.items():
        assert 0.5 < np.nanmean(values) / np.nanmean(usual) < 2, name
    assert rank_correlation(found["corwin_schultz_24"], usual) > 0.5
    assert rank_correlation(found["roll_spread_24"], usual) > 0.2
    assert rank_correlation(FEATURES["amihud_24"](bars), usual) > 0.3


def test_the_scalper_hardly_ever_fires_on_recorded_bars_of_ten_seconds() -> None:
    """F-B5: narrow now and lively on average is rare, so the rates are shown."""
    rates = hit_rates(bars_of(SPOT, 10_000)[0])
    assert list(rates) == ["low_vol", "narrow_rng", "high_natr", "growth_filter", "signal"]
    assert 0.05 < rates["low_vol"] < 0.12
    assert 0.08 < rates["narrow_rng"] < 0.2
    assert 0 < rates["high_natr"] < 0.01
    assert 0.4 < rates["growth_filter"] < 0.8
    assert 0 < rates["signal"] < 0.001


@pytest.mark.parametrize("pair", ["BTC", "XRP"])
def test_features_of_candles_are_sound_on_recorded_candles(pair: str) -> None:
    """P1: the battery on candles with their ties, gaps and quiet hours."""
    folder = DATA / "ohlcv" / "binance_2025mar" / "binance" / "futures"
    candles = pd.read_feather(folder / f"{pair}_USDT_USDT-5m-futures.feather").iloc[2000:2700]
    columns = [candles[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")]
    bars = bars_from(milliseconds(candles["date"]), 300_000, tuple(columns[:4]), columns[4])
    bars = replace(bars, reference=bars.open)
    named = {name: made for name, made in FEATURES.items() if made.feeds == (Feed.CANDLES,)}
    assert len(named) > 50
    assert {
        name: text for name, made in named.items() if (text := battery.faults(made, bars))
    } == {}
