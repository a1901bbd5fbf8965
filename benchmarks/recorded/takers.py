"""Where thresholds of order flow stand: hours of a coin by side of takers, five days of a tape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.recorded.standing import BIAS_SIZE, Threshold
from hydra_ft.bars.candles import bars_from, part, timeframe_ms
from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.decisions.flow_exits import exit_features, flow_reversed, value_rejected
from hydra_ft.features.registry import selected
from hydra_ft.market.bias import FLOW_FAR, FLOW_NEAR, NEEDS, bias_columns
from hydra_ft.market.scores import FLIPS
from hydra_ft.types import Bars, Feed, FlowColumns, Side
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import FloatArray, IntArray

HOURS = "1h"
TAKERS = "derivs/okx_sol_2026jun/SOL_USDT_USDT-1h-taker_volume.feather"
CANDLES = "ohlcv/okx_2026jun_sol/okx/futures/SOL_USDT_USDT-1h-futures.feather"
RATES = "ohlcv/okx_2026jun_sol/okx/futures/SOL_USDT_USDT-1h-funding_rate.feather"
TAPE = "trades/bitflyer_201801/bitflyer/BTC_JPY-trades.feather"
TAPE_GRID = TradeGrid(1.0, 1e-8)
WITHOUT, WITH = (Feed.CANDLES, Feed.FUNDING), (Feed.CANDLES, Feed.FUNDING, Feed.TRADES)
NEAR, FAR = (f"size of {name}" for name in NEEDS[Feed.TRADES])


@dataclass(frozen=True, slots=True)
class Takers:
    """What was measured: ``columns`` by name on the hours, ``tape_bars`` and the exits on them.

    ``exits`` counts bars of the tape by tag and side; ``known`` those at which both can be told.
    """

    span: tuple[int, int]
    hours: int
    columns: Mapping[str, FloatArray]
    tape_bars: int
    known: int
    exits: Mapping[str, tuple[int, int]]


def measured(data: Path, head: HeadRules) -> Takers:
    """Read both recordings and compare them with the rules of a head."""
    bars = hours_of(data)
    columns = {made.name: made(bars) for made in selected((FLIPS, *_bias_names()))}
    without, with_ = (bias_columns(columns, head.bias, feeds) for feeds in (WITHOUT, WITH))
    shown = {FLIPS: columns[FLIPS]}
    sizes = zip((NEAR, FAR), NEEDS[Feed.TRADES], strict=True)
    shown |= {name: np.abs(columns[of]) for name, of in sizes}
    both = np.isfinite(without.score + with_.score)
    shown |= {
        f"{BIAS_SIZE} {name} trades": np.abs(found.score[both])
        for name, found in (("without", without), ("with", with_))
    }
    tape = tape_of(data)
    known, exits = _exits(tape, head)
    span = (int(bars.time[0]), int(bars.time[-1]) + bars.step_ms)
    return Takers(span, len(bars), shown, len(tape), known, exits)


def _bias_names() -> list[str]:
    return [name for feed in WITH for name in NEEDS[feed]]


def _times(frame: pd.DataFrame) -> IntArray:
    return np.asarray(frame["date"].dt.as_unit("ms").astype("int64").to_numpy())


def hours_of(data: Path) -> Bars:
    """Hourly candles of SOL on OKX with funding and what takers bought and sold, in quote."""
    frame, rates, takers = (pd.read_feather(data / name) for name in (CANDLES, RATES, TAKERS))
    step = timeframe_ms(HOURS)
    # A row of the venue's is stamped with the end of its hour.
    sides = takers.set_index(_times(takers) - step)
    time = _times(frame)
    columns = [frame[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")]
    settled = pd.Series(rates["funding_rate"].to_numpy(float), index=_times(rates) // step * step)
    bars = bars_from(
        time,
        step,
        (columns[0], columns[1], columns[2], columns[3]),
        columns[4],
        funding_rate=settled.reindex(time).to_numpy(float),
    )
    bought, sold = (sides[name].reindex(time).to_numpy(float) for name in ("buyVol", "sellVol"))
    nothing = np.full(len(bars), np.nan)
    whole = np.isfinite(bought + sold).astype(float)
    flow = FlowColumns(
        bought, sold, nothing, nothing, nothing, nothing, nothing, whole, np.zeros(len(bars))
    )
    return replace(part(bars, 0, -1), flow=flow[0:-1])


def tape_of(data: Path) -> Bars:
    """Bars of 5m of BTC/JPY on bitFlyer with their flow and value."""
    frame = pd.read_feather(data / TAPE)
    side = np.where(frame["side"] == "buy", 1, -1)
    trades = trades_from(
        frame["id"].astype("int64"), frame["timestamp"], frame["price"], frame["amount"], side
    )
    flow = flow_of(trades, TAPE_GRID, timeframe_ms("5m"), contiguous_ids=False)
    return with_flow(candles(flow.bars), flow)


def _exits(bars: Bars, head: HeadRules) -> tuple[int, dict[str, tuple[int, int]]]:
    """Bars at which both exits can be told, and those at which each asks, longs and shorts."""
    rules = head.flow_exits
    columns = {made.name: made(bars) for made in selected(exit_features(rules))}
    known = int(np.isfinite(np.sum(list(columns.values()), axis=0)).sum())
    columns["close"] = bars.close
    asked = {"value_rejected": value_rejected, "flow_reversal": flow_reversed}
    counts = {
        tag: (
            int(found(columns, Side.LONG, rules).sum()),
            int(found(columns, Side.SHORT, rules).sum()),
        )
        for tag, found in asked.items()
    }
    return known, counts


def flow_thresholds(head: HeadRules) -> list[Threshold]:
    """Thresholds of order flow, each with the measured column that it is compared with."""
    chop = head.regime.chop
    found = [
        Threshold("chop.flips_none", chop.flips_none, FLIPS),
        Threshold("chop.flips_full", chop.flips_full, FLIPS),
    ]
    for name, column, (least, slope) in (("4 h", NEAR, FLOW_NEAR), ("24 h", FAR, FLOW_FAR)):
        found.append(Threshold(f"takers of {name} begin", least, column))
        found.append(Threshold(f"takers of {name} are full", 0.5 / slope, column))
    return found
