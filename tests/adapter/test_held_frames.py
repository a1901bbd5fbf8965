"""Coarser candles are read once for as long as the exchange holds the same frames."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange

from hydra_ft.adapter.frames import read_bars
from hydra_ft.adapter.held_frames import HeldFrames
from hydra_ft.bars.candles import same
from hydra_ft.errors import DataError
from hydra_ft.types import Feed

PAIR, FEEDS = "BTC/USDT:USDT", frozenset({Feed.CANDLES, Feed.FUNDING})
N = 30


def candles(price: float) -> pd.DataFrame:
    dates = pd.date_range("2025-03-30", periods=N, freq="1h", tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return pd.DataFrame({"date": dates, **prices, "volume": 1.0})


def rates(rate: float) -> pd.DataFrame:
    dates = pd.date_range("2025-03-30", periods=4, freq="8h", tz="UTC")
    return pd.DataFrame({"date": dates, "funding_rate": rate})


def provider(runmode: RunMode) -> tuple[DataProvider, dict[tuple[str, str, CandleType], object]]:
    """Freqtrade's provider of an exchange that holds candles and rates, and what it holds."""
    held = {
        (PAIR, "1h", CandleType.FUTURES): candles(100.0),
        (PAIR, "1h", CandleType.FUNDING_RATE): rates(0.0001),
    }
    exchange = SimpleNamespace(_klines=held, get_option=lambda _: "1h")
    exchange.klines = lambda *asked, **named: Exchange.klines(exchange, *asked, **named)
    config = {"runmode": runmode, "candle_type_def": CandleType.FUTURES, "timeframe": "5m"}
    return DataProvider(config, exchange), held


@pytest.mark.parametrize("refreshed", [CandleType.FUTURES, CandleType.FUNDING_RATE])
def test_a_bot_reads_a_frame_again_once_the_exchange_holds_another(refreshed: CandleType) -> None:
    dp, held = provider(RunMode.DRY_RUN)
    kept = HeldFrames()
    first = kept.bars(dp, PAIR, "1h", FEEDS)
    assert same(first, read_bars(dp, PAIR, "1h", FEEDS))
    assert kept.bars(dp, PAIR, "1h", FEEDS) is first
    held[PAIR, "1h", refreshed] = (
        candles(101.0) if refreshed is CandleType.FUTURES else rates(0.0002)
    )
    fresh = kept.bars(dp, PAIR, "1h", FEEDS)
    assert same(fresh, read_bars(dp, PAIR, "1h", FEEDS))
    assert not same(fresh, first)


def test_a_listed_feed_that_is_not_held_is_asked_for_each_time() -> None:
    dp, held = provider(RunMode.LIVE)
    rows = held.pop((PAIR, "1h", CandleType.FUNDING_RATE))
    kept = HeldFrames()
    assert np.isnan(kept.bars(dp, PAIR, "1h", FEEDS).funding_rate).all()
    held[PAIR, "1h", CandleType.FUNDING_RATE] = rows
    assert np.isfinite(kept.bars(dp, PAIR, "1h", FEEDS).funding_rate).any()


def test_what_is_kept_is_kept_by_pair_timeframe_and_feeds() -> None:
    dp, held = provider(RunMode.LIVE)
    other = "ETH/USDT:USDT"
    held[other, "1h", CandleType.FUTURES] = candles(7.0)
    held[PAIR, "4h", CandleType.FUTURES] = candles(8.0)
    bare = frozenset({Feed.CANDLES})
    kept = HeldFrames()
    for _ in range(2):
        assert kept.bars(dp, PAIR, "1h", FEEDS).funding_rate is not None
        assert kept.bars(dp, PAIR, "1h", bare).funding_rate is None
        assert kept.bars(dp, other, "1h", bare).close[0] == 7.0
        assert kept.bars(dp, PAIR, "4h", bare).close[0] == 8.0
    kept.keep([other])
    assert {pair for pair, _ in kept._read} == {other}


def test_bars_are_checked_as_strictly_where_all_is_asked_at_once() -> None:
    """Every fault of candles is found by the one question that clean candles are asked."""
    dp, held = provider(RunMode.LIVE)
    frame = held[PAIR, "1h", CandleType.FUTURES]
    for column in ("open", "high", "low", "close", "volume"):
        for wrong in (np.nan, -1.0, np.inf):
            if column == "volume" and wrong == np.inf:
                continue
            torn = frame.copy()
            torn.loc[5, column] = wrong
            held[PAIR, "1h", CandleType.FUTURES] = torn
            with pytest.raises(DataError, match="row 5"):
                read_bars(dp, PAIR, "1h", FEEDS)
