"""A real decision on recorded data, sent, chased and filled by the replayed market."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from commands.recorded_market import (
    HEADS,
    LIGHT,
    MARKS,
    SET,
    decisions_on,
    entries,
    pair_of,
    rules,
)
from e2e.rig import Rig

from hydra_ft.types import Side
from loopback_exchange import Replay, Server

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.decisions.pipeline import Decisions

pytestmark = MARKS
CANDLES, CANDLE_S, LOOP_S = 3, 300, 5
BEFORE_S = 30
COMPARED = 200
"""Newest bars of the bot's frame whose decisions must be those of the recording."""

CASES = (("BTCUSDT", Side.SHORT), ("ETHUSDT", Side.LONG), ("BNBUSDT", Side.LONG))


@pytest.fixture(scope="module")
def market() -> Replay:
    return Replay(SET)


def moment(market: Replay, symbol: str, side: Side) -> tuple[Decisions, int]:
    """Decisions on a symbol, and the middle one of its entries that stand long enough."""
    decisions = decisions_on(market, symbol)
    found = [row for row in entries(decisions, CANDLES) if decisions.side[row] == side.sign]
    assert found, symbol
    return decisions, found[len(found) // 2]


@pytest.mark.parametrize(("symbol", "side"), CASES)
def test_three_recorded_candles_are_traded_as_decided(
    market: Replay, symbol: str, side: Side, tmp_path: Path
) -> None:
    decisions, row = moment(market, symbol, side)
    closes_s = int(decisions.time[row]) / 1e3 + CANDLE_S
    with Server(market, control=True) as server:
        rig = Rig(
            server,
            tmp_path,
            head="HydraFlow",
            heads=HEADS,
            pairs=(pair_of(symbol),),
            start=datetime.fromtimestamp(closes_s - BEFORE_S, tz=UTC),
            pinned=False,
            stake_amount=2000,
            hydra={"bot_name": "test", "feeds": list(LIGHT)},
        )
        try:
            trade_candles(rig, side)
            expect_the_same_bars(rig, decisions)
        finally:
            rig.close()


def trade_candles(rig: Rig, side: Side) -> None:
    """Nothing before the candle has closed; then an entry, filled by the recorded trades."""
    (pair,) = rig.pairs
    rig.step(LOOP_S, times=BEFORE_S // LOOP_S - 1)
    assert rig.parents() == []
    filled = False
    for _ in range(CANDLES * CANDLE_S // LOOP_S):
        rig.step(LOOP_S)
        rig.check_books()
        filled = filled or rig.position(pair) * side.sign > 0
    first = min(rig.parents(), key=lambda parent: parent.decided_at)
    assert filled, [(p.end_reason, p.requotes) for p in rig.parents()]
    assert first.side is side
    assert first.reason.endswith("|light")
    print(f"{pair} {side}: {[(p.kind, p.end_reason, p.children) for p in rig.parents()]}")


def expect_the_same_bars(rig: Rig, decisions: Decisions) -> None:
    """Parity: the bot's newest analysed bars carry the codes of the recording."""
    frame, _ = rig.bot.dataprovider.get_analyzed_dataframe(rig.pairs[0], rules().base)
    frame = frame.tail(COMPARED)
    times = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
    rows = np.searchsorted(decisions.time, times)
    assert list(decisions.time[rows]) == list(times)
    assert len(set(decisions.code[rows])) > 2
    for name, expected in (
        ("hydra_code", decisions.code),
        ("hydra_regime", decisions.regime),
        ("hydra_bias", decisions.bias),
    ):
        np.testing.assert_array_equal(frame[name].to_numpy(), expected[rows], err_msg=name)
