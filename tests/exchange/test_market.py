"""The generated market: it joins, stays sane, moves like a market, and is fast to read."""

from __future__ import annotations

import numpy as np
import pytest

from loopback_exchange import DEFAULT_SYMBOLS, Market
from loopback_exchange.market.block import DAY, common_day, day_block
from loopback_exchange.market.specs import spec_of

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START = 20_400 * DAY_MS


@pytest.fixture(scope="module")
def market() -> Market:
    """The market of seed 7."""
    return Market(7)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT"])
def test_a_day_opens_where_the_day_before_closed(symbol: str) -> None:
    for seed in range(5):
        for day in (17_000, 20_399, 25_000):
            before, after = (
                day_block(seed, spec_of(symbol), one, common_day(seed, one))
                for one in (day, day + 1)
            )
            assert before["close"][-1] == after["open"][0]
            assert (before["close"][:-1] == before["open"][1:]).all()
            assert before["first_id"][-1] + before["count"][-1] == after["first_id"][0]


def test_candles_hold_their_open_and_close_between_low_and_high(market: Market) -> None:
    rows = market.days_of("SOLUSDT", START, 5)
    assert (rows["low"] <= np.minimum(rows["open"], rows["close"])).all()
    assert (rows["high"] >= np.maximum(rows["open"], rows["close"])).all()
    assert (rows["low"] > 0).all()
    assert ((rows["taker_buy"] > 0) & (rows["taker_buy"] < rows["volume"])).all()
    assert len(np.unique(rows["count"])) > 10


@pytest.mark.parametrize("seed", [1, 7, 23])
def test_prices_stay_in_a_sane_band_for_years(seed: int) -> None:
    days = range(17_800, 17_800 + 20 * 365, 45)
    for symbol in ("BTCUSDT", "DOGEUSDT"):
        spec = spec_of(symbol)
        closes = [
            day_block(seed, spec, day, common_day(seed, day))["close"][-1] for day in days[::4]
        ]
        ratio = np.array(closes) * float(spec.tick) / spec.start_price
        assert 0.1 < ratio.min() < ratio.max() < 10


def test_bitcoin_moves_two_to_three_percent_a_day_and_trends(market: Market) -> None:
    close = np.log(
        np.asarray(market.klines("BTCUSDT", HOUR_MS, START, START + 120 * DAY_MS)["close"])
    )
    daily = np.diff(close[::24]).std()
    assert 0.018 < daily < 0.032
    # A trend of 4 to 24 hours that is large against the noise of an hour.
    move = np.abs(close[12:] - close[:-12])
    assert np.quantile(move, 0.9) > 0.02
    assert np.mean(move > 0.015) > 0.15


def test_volatility_comes_in_clusters(market: Market) -> None:
    close = np.asarray(market.klines("BTCUSDT", 5 * MINUTE_MS, START, START + 20 * DAY_MS)["close"])
    size = np.abs(np.diff(np.log(close)))
    assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.15
    assert ((size / size.std()) ** 4).mean() > 5


def test_symbols_share_a_common_factor(market: Market) -> None:
    returns = [
        np.diff(
            np.log(np.asarray(market.klines(name, HOUR_MS, START, START + 30 * DAY_MS)["close"]))
        )
        for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    ]
    correlation = np.corrcoef(returns)
    assert correlation[np.triu_indices(3, 1)].min() > 0.4
    assert correlation[np.triu_indices(3, 1)].max() < 0.98


def test_funding_persists_leans_with_the_trend_and_leaves_its_mean(market: Market) -> None:
    times, rates = market.funding("BTCUSDT", START, START + 120 * DAY_MS)
    close = np.log(
        np.asarray(market.klines("BTCUSDT", 8 * HOUR_MS, START, START + 120 * DAY_MS)["close"])
    )
    score = (rates - rates.mean()) / rates.std()
    assert len(times) == 360
    assert np.corrcoef(rates[1:], rates[:-1])[0, 1] > 0.6
    # A candle that opens with a settlement closes eight hours after it.
    assert np.corrcoef(rates[4:], close[3:-1] - close[:-4])[0, 1] > 0.3
    assert 0.15 < np.mean(np.abs(score) > 1) < 0.5
    assert np.abs(rates).max() < 0.003


def test_open_interest_moves_and_joins_over_days(market: Market) -> None:
    rows = market.days_of("ETHUSDT", START, 10)
    change = np.diff(np.log(rows["open_interest"]))
    assert np.abs(change).max() < 0.05
    assert rows["open_interest"].max() / rows["open_interest"].min() > 1.05


def test_liquidations_hit_longs_when_the_price_falls(market: Market) -> None:
    rows = market.days_of("BTCUSDT", START, 20)
    falls = rows["close"] < rows["open"]
    assert rows["long_liquidations"][falls].sum() > 0
    assert rows["long_liquidations"][~falls].sum() == 0
    assert rows["short_liquidations"][falls].sum() == 0


def test_another_seed_is_another_market() -> None:
    first, second = (Market(seed).last_trade("BTCUSDT", START).price for seed in (1, 2))
    assert first != second


def test_an_epoch_shift_moves_the_market_but_not_the_clock(market: Market) -> None:
    shift_s = -37 * 86_400 + 5 * 3_600 + 120
    shifted = Market(7, epoch_shift_s=shift_s)
    at = START + 7 * HOUR_MS + 1234
    ours = shifted.klines("BTCUSDT", 5 * MINUTE_MS, at - HOUR_MS, at)
    minutes = market.klines("BTCUSDT", MINUTE_MS, int(ours["open_time"][0]) + shift_s * 1000, at)
    assert ours["open_time"][0] % (5 * MINUTE_MS) == 0
    assert ours["open"][0] == minutes["open"][0]
    assert (
        shifted.last_trade("BTCUSDT", at).id == market.last_trade("BTCUSDT", at + shift_s * 1000).id
    )
    trades = shifted.trades("BTCUSDT", at - MINUTE_MS, at)
    assert at - MINUTE_MS <= trades.time_ms[0] < at
    paged = shifted.trades_from("BTCUSDT", int(trades.id[0]), at, 5)
    assert (paged.time_ms == trades.time_ms[:5]).all()


def test_hours_are_the_same_under_a_shift_that_is_no_whole_hour() -> None:
    plain, odd = Market(7), Market(7, epoch_shift_s=60)
    at = START + 3 * HOUR_MS
    hour = odd.candles("BTCUSDT", HOUR_MS, at, at + 1).rows[0]
    minutes = plain.candles("BTCUSDT", MINUTE_MS, at + MINUTE_MS, at + HOUR_MS + MINUTE_MS).rows
    assert hour["volume"] == minutes["volume"].sum()


def test_a_shift_of_seconds_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number of minutes; it was 61"):
        Market(7, epoch_shift_s=61)


def test_any_further_symbol_is_generated_from_its_name() -> None:
    names = [*DEFAULT_SYMBOLS, "AVAXUSDT", "1000PEPEUSDT"]
    market = Market(7, names)
    assert market.symbols == tuple(names)
    spec = market.spec("AVAXUSDT")
    price = market.last_trade("AVAXUSDT", START).price * float(spec.tick)
    assert 0.1 < price / spec.start_price < 10
    assert 1e-6 < float(spec.tick) / price < 1e-3


@pytest.mark.parametrize("name", ["avaxusdt", "AVAX", "USDT", "AVAX/USDT"])
def test_a_name_that_is_no_symbol_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="upper-case base and USDT"):
        Market(7, [name])


def test_weeks_begin_on_mondays(market: Market) -> None:
    opened = market.klines("BTCUSDT", 7 * DAY_MS, START, START + 14 * DAY_MS)["open_time"]
    assert (np.asarray(opened) // DAY_MS % 7 == 4).all()  # 1970-01-01 was a Thursday


def test_a_day_block_has_1440_minutes_and_no_surprise() -> None:
    block = day_block(1, spec_of("BTCUSDT"), 20_000, common_day(1, 20_000))
    assert block.shape == (DAY,)
    for name in block.dtype.names or ():
        assert np.isfinite(block[name]).all()
