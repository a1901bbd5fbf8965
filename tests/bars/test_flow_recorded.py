"""Flow bars of recorded tapes match the candles beside them, to the last lot."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bars.flow_reference import assert_bars, assert_footprint, reference
from bars.freqtrade_flow import assert_as_freqtrade, populated, trades_of

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_tables import joined, same_flow
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.types.flow import Flow, TradeGrid

HOME = os.environ.get("HYDRA_TEST_DATA", "")
MINUTE, TEN_S = 60_000, 10_000

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


@dataclass(frozen=True)
class Tape:
    """A file of trades, and how its venue counts."""

    stem: str
    suffix: str
    grid: TradeGrid
    contiguous_ids: bool = True

    def frame(self) -> pd.DataFrame:
        return pd.read_feather(Path(HOME) / "trades" / f"{self.stem}-trades.feather")

    def candles(self, timeframe: str) -> pd.DataFrame:
        file = f"{self.stem}-{timeframe}{self.suffix}.feather"
        return pd.read_feather(Path(HOME) / "trades" / file)

    def flow(self, step_ms: int = MINUTE) -> Flow:
        return folded(self, step_ms)


@cache
def folded(tape: Tape, step_ms: int) -> Flow:
    trades = trades_of(tape.frame())
    return flow_of(trades, tape.grid, step_ms, contiguous_ids=tape.contiguous_ids)


PERP_2020 = Tape(
    "tardis_20200222/binance/futures/BTC_USDT_USDT", "-futures", TradeGrid(0.01, 0.001)
)
PERP_2024 = Tape("hft_20240808/binance/futures/BTC_USDT_USDT", "-futures", TradeGrid(0.1, 0.001))
BITFLYER = Tape("bitflyer_201801/bitflyer/BTC_JPY", "", TradeGrid(1.0, 1e-8), contiguous_ids=False)
BESIDE = [
    (PERP_2020, "1m"),
    (PERP_2020, "5m"),
    (PERP_2024, "1m"),
    (BITFLYER, "1m"),
    (BITFLYER, "5m"),
]
TAPES = [PERP_2020, PERP_2024, BITFLYER]


def name_of(value: object) -> str:
    return value.stem.split("/")[0] if isinstance(value, Tape) else str(value)


@pytest.mark.parametrize(("tape", "timeframe"), BESIDE, ids=name_of)
def test_flow_bars_are_the_candles_beside_the_tape(tape: Tape, timeframe: str) -> None:
    """Prices to the last digit, volumes to the last lot.

    The candles hold sums of floats, which lie up to 2e-13 off the sum of the decimals.
    """
    candles = tape.candles(timeframe)
    bars = tape.flow(int(timeframe[:-1]) * MINUTE).bars
    time = candles["date"].dt.as_unit("ms").astype("int64").to_numpy()
    rows = np.searchsorted(bars.time, time)
    assert np.array_equal(bars.time[rows], time)
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(bars, name)[rows], candles[name].to_numpy()), name
    volume = candles["volume"].to_numpy()
    lots = np.rint(volume / tape.grid.lot_size).astype(np.int64)
    assert np.array_equal((bars.buy_lots + bars.sell_lots)[rows], lots)
    assert np.abs(bars.volume[rows] - volume).max() < 1e-12
    # What the candles leave out are the intervals without a trade, and nothing else.
    assert np.array_equal(np.flatnonzero(~bars.empty), rows)


@pytest.mark.parametrize("tape", TAPES, ids=name_of)
def test_every_trade_of_the_tape_is_counted_once(tape: Tape) -> None:
    bars = tape.flow().bars
    frame = tape.frame()
    assert bars.count.sum() == len(frame)
    assert bars.buy_count.sum() == (frame["side"] == "buy").sum()
    assert bars.duplicates.sum() == bars.late.sum() == bars.missing_ids.sum() == 0


@pytest.mark.parametrize("tape", [PERP_2020, PERP_2024], ids=name_of)
def test_contiguous_ids_prove_the_perp_tapes_whole(tape: Tape) -> None:
    """The catalogue: 0 jumps. So last less first, plus one, is the count, bar by bar."""
    bars = tape.flow().bars
    busy = ~bars.empty
    assert np.array_equal((bars.last_id - bars.first_id + 1)[busy], bars.count[busy])
    assert np.array_equal(bars.first_id[busy][1:], bars.last_id[busy][:-1] + 1)


def test_first_and_last_bar_of_the_tapes_are_partly_uncovered() -> None:
    """The catalogue: the first and the last candle are partial."""
    assert PERP_2020.flow().bars.uncovered_ms[[0, -1]].tolist() == [2_111, 12_271]
    assert PERP_2024.flow().bars.uncovered_ms[[0, -1]].tolist() == [16_322, 356]
    for tape in TAPES:
        assert tape.flow().bars.uncovered_ms[1:-1].sum() == 0


def test_a_silence_of_bitflyer_is_bars_without_volume_where_the_candles_have_a_hole() -> None:
    """The longest one lasts 1,223.5 s; the candles leave such minutes out, 109 in all."""
    bars = BITFLYER.flow().bars
    assert bars.empty.sum() == 109
    assert len(bars) == len(BITFLYER.candles("1m")) + 109
    assert np.all(np.diff(bars.time) == MINUTE)
    still = np.flatnonzero(bars.empty)
    assert np.array_equal(bars.close_ticks[still], bars.close_ticks[still - 1])
    runs = np.split(still, np.flatnonzero(np.diff(still) > 1) + 1)
    assert max(map(len, runs)) * MINUTE <= 1_223_500 < (max(map(len, runs)) + 2) * MINUTE


def test_bitflyer_ids_are_neither_contiguous_nor_in_order_and_still_none_is_taken_for_another() -> (
    None
):
    """Ids of all its markets are drawn from one sequence, and lag behind by up to 166."""
    ids = trades_of(BITFLYER.frame()).id
    assert (np.diff(ids) < 0).sum() == 44_355
    assert (np.maximum.accumulate(ids) - ids).max() == 166
    assert BITFLYER.flow().bars.duplicates.sum() == 0
    assert BITFLYER.flow().bars.disordered.sum() == 0  # by time they are in order


def test_auctions_without_a_side_are_not_on_the_tape_and_would_be_refused() -> None:
    """The README: executions without time or side were dropped."""
    assert set(BITFLYER.frame()["side"].unique()) == {"buy", "sell"}


@pytest.mark.parametrize("tape", [PERP_2020, PERP_2024], ids=name_of)
def test_every_count_of_the_perp_tapes_is_that_of_plain_python(tape: Tape) -> None:
    flow, trades = tape.flow(), trades_of(tape.frame())
    expected = reference(trades, tape.grid, MINUTE)
    assert_bars(flow.bars, expected)
    assert_footprint(flow.footprint, expected)


@pytest.mark.parametrize("tape", [PERP_2020, PERP_2024], ids=name_of)
def test_the_order_flow_of_the_perp_tapes_is_freqtrades(tape: Tape) -> None:
    bars = tape.flow().bars
    assert_as_freqtrade(populated(tape.frame(), bars, "1m", 1.0), bars)


def test_freqtrades_own_sample_gives_freqtrades_own_order_flow() -> None:
    frame = pd.read_csv(
        Path(HOME) / "trades/freqtrade_testdata/public_trades_list.csv", index_col=0
    )
    bars = flow_of(trades_of(frame), TradeGrid(0.01, 0.001), MINUTE).bars
    assert bars.count.sum() == len(frame) == 1_000
    assert_as_freqtrade(populated(frame, bars, "1m", 0.5), bars)


@pytest.mark.parametrize("tape", TAPES, ids=name_of)
def test_a_tape_in_chunks_is_the_tape(tape: Tape) -> None:
    trades = trades_of(tape.frame())
    folder, parts = FlowFolder(tape.grid, MINUTE, contiguous_ids=tape.contiguous_ids), []
    random = np.random.default_rng(5)
    cuts = np.sort(random.integers(0, len(trades), 400))
    for start, stop in zip([0, *cuts], [*cuts, len(trades)], strict=True):
        folder.fold(trades.part(int(start), int(stop)))
        if stop > 0:
            parts.append(folder.advance(int(trades.time[stop - 1])))
    parts.append(folder.finish(int(trades.time[-1]) + 1))
    pieces, whole = joined(parts), tape.flow()
    assert same_flow(pieces.bars, whole.bars)
    assert same_flow(pieces.sub_bars, whole.sub_bars)
    for name in ("offsets", "bin", "buy", "sell"):
        found, wanted = getattr(pieces.footprint, name), getattr(whole.footprint, name)
        assert np.array_equal(found, wanted), name


def test_bitflyers_days_are_those_of_japan_in_utc() -> None:
    """The README: times were JST. Five days from midnight there are 15:00 to 15:00 UTC."""
    time = pd.to_datetime(BITFLYER.flow(5 * MINUTE).bars.time[[0, -1]], unit="ms", utc=True)
    japan = time.tz_convert("Asia/Tokyo")
    assert [str(t) for t in japan] == ["2018-01-21 00:00:00+09:00", "2018-01-25 23:55:00+09:00"]


def test_a_thin_spot_tape_of_small_prices_is_counted_as_well() -> None:
    """XRP/ETH: prices of 0.0014 in steps of 1e-8, whole coins, five days in hours."""
    tape = Tape("freqtrade_testdata/XRP_ETH", "", TradeGrid(1e-8, 1.0))
    flow, trades = tape.flow(60 * MINUTE), trades_of(tape.frame())
    expected = reference(trades, tape.grid, 60 * MINUTE)
    assert_bars(flow.bars, expected)
    assert_footprint(flow.footprint, expected)
    assert flow.bars.missing_ids.sum() == 0
    assert_as_freqtrade(populated(tape.frame(), flow.bars, "1h", 1e-6), flow.bars)


def test_ten_second_bars_add_up_to_the_minutes() -> None:
    for tape in TAPES:
        flow = tape.flow()
        lead = int(flow.sub_bars.time[0] - flow.bars.time[0]) // TEN_S
        lots = np.r_[np.zeros(lead, dtype=np.int64), flow.sub_bars.buy_lots]
        assert np.array_equal(lots.reshape(-1, 6).sum(axis=1), flow.bars.buy_lots)
