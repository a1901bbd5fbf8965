"""Recorded trades are what trades while they last; before and after, the candles go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from exchange.recorded_tape import (
    BEGIN,
    CANDLES,
    COLUMNS,
    DAY_MS,
    FIRST_ID,
    HOUR_MS,
    MINUTE_MS,
    SYMBOL,
    TRADES,
    candle_frame,
    expect_recorded,
    frame_of,
    trade_frame,
    write_tape,
)

from loopback_exchange import Replay

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

TAPE_BEGIN, TAPE_END, END = BEGIN + HOUR_MS, BEGIN + 2 * HOUR_MS, BEGIN + 3 * HOUR_MS


def recording(folder: Path, frame: pd.DataFrame, batch: int = 65_536) -> Replay:
    """Three hours of minutes, with these trades beside them."""
    candle_frame(BEGIN, END).to_feather(folder / CANDLES)
    write_tape(folder / TRADES, frame, batch)
    return Replay(folder)


@pytest.fixture(scope="module", params=[65_536, 100], ids=["one batch", "many batches"])
def replay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Trades in the second of three hours; every third id is theirs."""
    frame = trade_frame(TAPE_BEGIN, TAPE_END, every_id=3)
    return recording(tmp_path_factory.mktemp("data"), frame, request.param)


@pytest.fixture(scope="module")
def tape() -> pd.DataFrame:
    """What ``replay`` has recorded."""
    return trade_frame(TAPE_BEGIN, TAPE_END, every_id=3)


def expect_candles(replay: Replay, start_ms: int, stop_ms: int) -> None:
    """The minutes are those of the candle file."""
    wanted = candle_frame(start_ms, stop_ms)
    got = replay.klines(SYMBOL, MINUTE_MS, start_ms, stop_ms)
    for name in COLUMNS:
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-12, err_msg=name)


def test_the_recorded_trades_are_what_trades(replay: Replay, tape: pd.DataFrame) -> None:
    found = replay.trades(SYMBOL, TAPE_BEGIN, TAPE_END)
    expect_recorded(found, replay.spec(SYMBOL), tape)
    some = tape[tape["timestamp"].between(TAPE_BEGIN + 90_500, TAPE_BEGIN + 400_499)]
    inside = replay.trades(SYMBOL, TAPE_BEGIN + 90_500, TAPE_BEGIN + 400_500)
    expect_recorded(inside, replay.spec(SYMBOL), some)
    first = replay.trades(SYMBOL, TAPE_BEGIN + 90_500, TAPE_END, limit=37)
    expect_recorded(first, replay.spec(SYMBOL), some.head(37))


def test_candles_are_sums_of_the_trades_and_equal_those_beside_them(replay: Replay) -> None:
    expect_candles(replay, TAPE_BEGIN, TAPE_END)
    row = replay.rows(SYMBOL, TAPE_BEGIN // MINUTE_MS, TAPE_BEGIN // MINUTE_MS + 1)[1][0]
    trades = replay.trades(SYMBOL, TAPE_BEGIN, TAPE_BEGIN + MINUTE_MS)
    assert row["count"] == len(trades.id)
    assert row["taker_buy"] == trades.quantity[trades.is_buy].sum()
    assert row["first_id"] == FIRST_ID


def test_where_trades_and_candle_disagree_the_trades_are_right(tmp_path: Path) -> None:
    frame = trade_frame(TAPE_BEGIN, TAPE_END)
    replay = recording(tmp_path, frame[frame["timestamp"] >= TAPE_BEGIN + 30_000])
    cut = replay.klines(SYMBOL, MINUTE_MS, TAPE_BEGIN, TAPE_BEGIN + MINUTE_MS)
    left = frame[frame["timestamp"].between(TAPE_BEGIN + 30_000, TAPE_BEGIN + 59_999)]
    assert cut["volume"][0] == pytest.approx(left["amount"].sum(), rel=1e-12)
    assert cut["open"][0] == left["price"].iloc[0]
    expect_candles(replay, TAPE_BEGIN + MINUTE_MS, END)


def test_before_and_after_the_trades_the_candles_go_on(replay: Replay) -> None:
    assert replay.span(SYMBOL) == (BEGIN // MINUTE_MS, END // MINUTE_MS)
    expect_candles(replay, BEGIN, TAPE_BEGIN)
    expect_candles(replay, TAPE_END, END)
    for start in (BEGIN, TAPE_END):
        minute = replay.trades(SYMBOL, start, start + MINUTE_MS)
        row = replay.rows(SYMBOL, start // MINUTE_MS, start // MINUTE_MS + 1)[1][0]
        assert minute.quantity.sum() == row["volume"]
        assert (minute.price[0], minute.price[-1]) == (row["open"], row["close"])


def test_ids_lead_to_the_recorded_ones_and_on_from_them(replay: Replay, tape: pd.DataFrame) -> None:
    before = replay.trades(SYMBOL, BEGIN, TAPE_BEGIN)
    after = replay.trades(SYMBOL, TAPE_END, END)
    assert before.id.tolist() == list(range(FIRST_ID - len(before.id), FIRST_ID))
    assert after.id[0] == int(tape["id"].iloc[-1]) + 1
    assert (np.diff(after.id) == 1).all()


@pytest.mark.parametrize("size", [7, 1000])
def test_pages_by_id_give_every_trade_once(replay: Replay, size: int) -> None:
    start, stop = TAPE_BEGIN - MINUTE_MS, TAPE_END + MINUTE_MS
    everything = replay.trades(SYMBOL, start, stop)
    seen, following = [], int(everything.id[0])
    while (page := replay.trades_from(SYMBOL, following, stop, size).id.tolist())[1:]:
        assert len(page) <= size
        seen += page[:-1]
        following = page[-1]
    assert [*seen, following] == everything.id.tolist()


def test_an_id_that_nobody_has_pages_on_from_the_next(replay: Replay) -> None:
    assert replay.trades_from(SYMBOL, FIRST_ID + 31, END, 2).id.tolist() == [
        FIRST_ID + 33,
        FIRST_ID + 36,
    ]
    assert len(replay.trades_from(SYMBOL, 0, END, 5).id) == 5
    assert len(replay.trades_from(SYMBOL, 2**40, END, 5).id) == 0


def test_ids_out_of_order_are_served_as_recorded(tmp_path: Path) -> None:
    frame = trade_frame(TAPE_BEGIN, TAPE_END)
    ids = frame["id"].to_numpy(dtype=object).copy()
    ids[10:14] = ids[10:14][::-1]
    edge = int((frame["timestamp"] < TAPE_BEGIN + MINUTE_MS).sum())
    ids[[edge - 1, edge]] = ids[[edge, edge - 1]]  # the two trades beside the end of a minute
    frame["id"] = ids
    replay = recording(tmp_path, frame, 12)
    expect_recorded(replay.trades(SYMBOL, TAPE_BEGIN, TAPE_END), replay.spec(SYMBOL), frame)
    for first in (10, 11, 12, 13, edge - 1, edge):
        page = replay.trades_from(SYMBOL, int(ids[first]), END, 5)
        assert page.id.astype(str).tolist() == ids[first : first + 5].tolist()


def test_the_latest_trades_end_with_the_last_one(replay: Replay, tape: pd.DataFrame) -> None:
    now = int(tape["timestamp"][150])
    past = tape[tape["timestamp"] <= now]
    expect_recorded(replay.latest_trades(SYMBOL, now, 120), replay.spec(SYMBOL), past.tail(120))
    assert replay.last_trade(SYMBOL, now).id == int(past["id"].iloc[-1])
    assert len(replay.latest_trades(SYMBOL, BEGIN - 1, 5).id) == 0


def test_nothing_of_a_minute_is_known_before_its_first_trade(tmp_path: Path) -> None:
    frame = trade_frame(TAPE_BEGIN, TAPE_END)
    minute = TAPE_BEGIN + 5 * MINUTE_MS
    late = frame["timestamp"].between(minute, minute + 20_000)
    replay = recording(tmp_path, frame[~late])
    before = frame[frame["timestamp"] < minute].iloc[-1]
    last = replay.last_trade(SYMBOL, minute + 10_000)
    assert (last.id, last.time_ms) == (int(before["id"]), before["timestamp"])
    forming = replay.candles(SYMBOL, MINUTE_MS, minute, minute + 1, minute + 10_000).arrays()
    assert [forming[name][0] for name in COLUMNS] == [before["price"]] * 4 + [0.0]
    assert forming["count"][0] == 0


def test_the_forming_candle_is_the_trades_so_far(replay: Replay, tape: pd.DataFrame) -> None:
    minute = TAPE_BEGIN + 7 * MINUTE_MS
    now = int(tape["timestamp"][(tape["timestamp"] > minute + 25_000)].iloc[0])
    seen = tape[tape["timestamp"].between(minute, now)]
    forming = replay.candles(SYMBOL, MINUTE_MS, minute, minute + 1, now).arrays()
    price, amount = seen["price"], seen["amount"]
    assert [forming[name][0] for name in COLUMNS[:4]] == [
        price.iloc[0], price.max(), price.min(), price.iloc[-1],
    ]  # fmt: skip
    assert forming["volume"][0] == pytest.approx(amount.sum(), rel=1e-12)
    assert forming["quote_volume"][0] == pytest.approx((price * amount).sum(), rel=1e-12)


def test_a_hole_in_the_trades_is_filled_from_the_candles(tmp_path: Path) -> None:
    frame = trade_frame(TAPE_BEGIN, TAPE_END)
    hole = slice(TAPE_BEGIN + 10 * MINUTE_MS, TAPE_BEGIN + 13 * MINUTE_MS)
    replay = recording(tmp_path, frame[~frame["timestamp"].between(hole.start, hole.stop - 1)])
    expect_candles(replay, BEGIN, END)
    ids = replay.trades(SYMBOL, hole.start - MINUTE_MS, hole.stop + MINUTE_MS).id
    assert (np.diff(ids) > 0).all()


def test_a_minute_for_which_the_ids_leave_no_room_was_silent(tmp_path: Path) -> None:
    frame = trade_frame(TAPE_BEGIN, TAPE_END)
    minute = TAPE_BEGIN + 10 * MINUTE_MS
    kept = frame[~frame["timestamp"].between(minute, minute + MINUTE_MS - 1)].copy()
    kept["id"] = (FIRST_ID + np.arange(len(kept))).astype(str)
    replay = recording(tmp_path, kept)
    silent = replay.klines(SYMBOL, MINUTE_MS, minute, minute + MINUTE_MS)
    last = kept[kept["timestamp"] < minute].iloc[-1]
    assert [silent[name][0] for name in COLUMNS] == [last["price"]] * 4 + [0.0]
    assert replay.last_trade(SYMBOL, minute + 30_000).id == int(last["id"])
    expect_recorded(replay.trades(SYMBOL, TAPE_BEGIN, TAPE_END), replay.spec(SYMBOL), kept)


def test_tick_and_step_are_fine_enough_for_candles_and_trades(tmp_path: Path) -> None:
    frame = trade_frame(TAPE_BEGIN, TAPE_END)
    # Only some trades of one batch are finer than the candles.
    frame.loc[105:150, ["price", "amount"]] += [0.05, 0.0004]
    replay = recording(tmp_path, frame, 100)
    spec = replay.spec(SYMBOL)
    assert (str(spec.tick), str(spec.step)) == ("0.01", "0.0001")
    found = replay.trades(SYMBOL, TAPE_BEGIN, TAPE_END)
    np.testing.assert_array_equal(spec.prices(found.price), frame["price"].round(2))
    np.testing.assert_array_equal(spec.quantities(found.quantity), frame["amount"].round(4))


def test_a_pair_may_have_trades_and_no_candles(tmp_path: Path, tape: pd.DataFrame) -> None:
    replay = Replay(write_tape(tmp_path / "futures" / TRADES, tape).parents[1])
    assert replay.span(SYMBOL) == (TAPE_BEGIN // MINUTE_MS, TAPE_END // MINUTE_MS)
    assert (str(replay.spec(SYMBOL).tick), str(replay.spec(SYMBOL).step)) == ("0.1", "0.001")
    expect_candles(replay, TAPE_BEGIN, TAPE_END)


def test_trades_of_elsewhere_are_replayed_under_the_name_that_is_given(
    tmp_path: Path, tape: pd.DataFrame
) -> None:
    path = write_tape(tmp_path / "BTC_JPY-trades.feather", tape)
    replay = Replay(trades={"XBTUSDT": path}, shift_days=10)
    assert replay.symbols == ("XBTUSDT",)
    moved = tape.assign(timestamp=tape["timestamp"] + 10 * DAY_MS)
    found = replay.trades("XBTUSDT", TAPE_BEGIN + 10 * DAY_MS, TAPE_END + 10 * DAY_MS)
    expect_recorded(found, replay.spec("XBTUSDT"), moved)


def test_five_hundred_trades_a_second_are_read_fast_and_a_few_at_a_time(tmp_path: Path) -> None:
    count = 500 * 600
    draw = np.random.default_rng(1)
    frame = frame_of(
        BEGIN + 2 * np.arange(count), FIRST_ID + np.arange(count),
        draw.choice(["buy", "sell"], count),
        60_000 + np.cumsum(draw.integers(-1, 2, count)) / 10, draw.integers(1, 99, count) / 1000,
    )  # fmt: skip
    replay = Replay(trades={SYMBOL: write_tape(tmp_path / TRADES, frame, 8192)})
    for second in range(500):
        at = BEGIN + second * 1000
        assert len(replay.trades(SYMBOL, at, at + 1000).id) == 500
        assert replay.last_trade(SYMBOL, at + 999).id == FIRST_ID + 500 * second + 499
        assert len(replay.trades_from(SYMBOL, FIRST_ID + 500 * second, at + 1, 1000).id) == 1
        assert len(replay.candles(SYMBOL, MINUTE_MS, at, at + 1, at).rows) <= 1
    tape = replay._data[SYMBOL].tape
    assert tape is not None
    # Each block of the tape is read about once; a scan for each question would read 70,000.
    assert tape._block.cache_info().misses < 3 * count / 8192
    assert tape._block.cache_info().currsize <= 8
