"""How often the scalper's criteria hold on recorded data, and what its signals came to.

Command line: ``python -m benchmarks.recorded.scalper --into docs/scalp.md``, which replaces the
part of the page between its two marks.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import hydra_ft.features  # noqa: F401  (fills the registry)
from benchmarks.execution.tables import table
from benchmarks.recorded.sets import data_folder, progress, publish, wrapped
from hydra_ft.bars.candles import bars_from, timeframe_ms
from hydra_ft.bars.flow_tables import candles as traded_candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.decisions.rules import VetoRules
from hydra_ft.features.registry import FEATURES
from hydra_ft.signals.scalp import HOLD_BARS, TTL_BARS, ScalpRules, flags
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_ft.types import Bars, FloatArray, IntArray

FINE_MS, MINUTE_MS = 10_000, 60_000
BEGIN, END = "<!-- made by benchmarks.recorded.scalper -->", "<!-- end of what is made -->"
NAMES = ("low_vol", "narrow_rng", "high_natr", "growth_filter", "signal")
EASIER = (0.006, 0.004, 0.003, 0.002, 0.001)
"""Ranges of a bar above which a market may count as lively."""
COST = VetoRules().round_trip_cost


@dataclass(frozen=True, slots=True)
class Market:
    """Recorded bars of one market; ``hours`` is how long they last."""

    name: str
    bars: Bars

    @property
    def hours(self) -> float:
        """Length of the recording."""
        return len(self.bars) * self.bars.step_ms / 3_600_000


def from_trades(path: Path, grid: TradeGrid) -> Bars:
    """Bars of 10 s of a file of trades."""
    rows = pd.read_feather(path)
    sides = np.where(rows["side"] == "buy", 1, -1)
    time, price, amount = (rows[name].to_numpy() for name in ("timestamp", "price", "amount"))
    trades = trades_from(rows["id"].astype("int64"), time, price, amount, sides)
    return traded_candles(flow_of(trades, grid, MINUTE_MS, contiguous_ids=False).sub_bars)


def from_candles(path: Path) -> Bars:
    """Bars of a minute of a file of candles."""
    rows = pd.read_feather(path)
    time = np.asarray(rows["date"].dt.as_unit("ms"), dtype="datetime64[ms]").astype(np.int64)
    o, h, low, c, v = (
        rows[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")
    )
    return bars_from(time, timeframe_ms("1m"), (o, h, low, c), v)


def markets(data: Path) -> list[Market]:
    """Everything that is recorded in trades, and minutes of a few coins."""
    trades, future = data / "trades", "BTC_USDT_USDT-trades.feather"
    spot = trades / "bitflyer_201801" / "bitflyer"
    early = trades / "tardis_20200222" / "binance" / "futures" / future
    late = trades / "hft_20240808" / "binance" / "futures" / future
    found = [
        Market("bitFlyer BTC/JPY 2018-01", from_trades(spot / "BTC_JPY-trades.feather", JPY)),
        Market("Binance BTC perp 2020-02-22", from_trades(early, USDT)),
        Market("Binance BTC perp 2024-08-08", from_trades(late, USDT)),
        Market("bitFlyer BTC/JPY 2018-01", from_candles(spot / "BTC_JPY-1m.feather")),
    ]
    folder = data / "ohlcv" / "binance_2025may" / "binance" / "futures"
    for path in sorted(folder.glob("*_USDT_USDT-1m-futures.feather")):
        coin = path.name.partition("_")[0]
        found.append(Market(f"Binance {coin} perp 2025-05", from_candles(path)))
    return found


JPY, USDT = TradeGrid(1.0, 1e-8), TradeGrid(0.01, 0.001)


def share(values: FloatArray) -> str:
    """Share of the known flags that are 1, in per cent; a dash where none is known."""
    known = values[np.isfinite(values)]
    return f"{100 * known.mean():.3g} %" if known.size else "-"


def hit_table(found: Iterable[Market]) -> str:
    """How often each criterion held, and all of them."""
    head = ("market", "bar", "hours", "bars", *NAMES[:4], "all four", "signals")
    rows = []
    for market in found:
        flagged = list(flags(market.bars, ScalpRules()).values())
        known = int(np.isfinite(flagged[-1]).sum())
        rows.append(
            (
                market.name,
                f"{market.bars.step_ms // 1000} s",
                f"{market.hours:.3g}",
                str(known),
                *(share(values) for values in flagged),
                str(int(np.nansum(flagged[-1]))),
            )
        )
    return table(head, rows)


def lively_table(found: Iterable[Market]) -> str:
    """Signals where less is taken for a lively market; the other criteria as they are."""
    head = ("market", "bar", "median range", "99 %", *(f"above {100 * x:g} %" for x in EASIER))
    rows = []
    for market in found:
        natr = FEATURES["natr_mean_20"](market.bars)
        counts = [
            np.nansum(flags(market.bars, ScalpRules(min_natr=least))["signal"]) for least in EASIER
        ]
        rows.append(
            (
                market.name,
                f"{market.bars.step_ms // 1000} s",
                *(f"{100 * np.nanpercentile(natr, part):.3f} %" for part in (50, 99)),
                *(f"{count:.0f}" for count in counts),
            )
        )
    return table(head, rows)


def counted(closes: IntArray) -> np.ndarray:
    """Whether a minute closes while the signal of a bar that closes at a time (ms) lives."""
    waits = -closes % MINUTE_MS
    return np.asarray(waits < TTL_BARS * FINE_MS)


def missed_table(market: Market) -> str:
    """Signals of 10 s that no minute counts, by how lively the market must be."""
    head = ("range above", "signals", "in no minute", "spells", "in no minute")
    rows = []
    for least in EASIER:
        fires = flags(market.bars, ScalpRules(min_natr=least))["signal"] == 1
        row = np.flatnonzero(fires)
        hit = counted(market.bars.time[row] + FINE_MS)
        spell = np.cumsum(np.diff(row, prepend=-2) > 1)
        spells = [hit[spell == number].any() for number in np.unique(spell)]
        rows.append(
            (
                f"{100 * least:g} %",
                str(row.size),
                _part(int((~hit).sum()), row.size),
                str(len(spells)),
                _part(len(spells) - sum(map(int, spells)), len(spells)),
            )
        )
    return table(head, rows)


def _part(some: int, of: int) -> str:
    return f"{some} ({100 * some / of:.0f} %)" if of else "-"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How signals ended, one after another, and what each brought after costs."""

    target: int
    stop: int
    time: int
    net: tuple[float, ...]


def outcomes(bars: Bars, rules: ScalpRules) -> Outcomes:
    """Enter at the close of each signal's bar while nothing is held; a stop comes first in a bar.

    No regime, no bias, no clock: what the rule alone does.
    """
    fires = flags(bars, rules)["signal"] == 1
    natr = FEATURES["natr_mean_20"](bars)
    ends = {"target": 0, "stop": 0, "time": 0}
    net: list[float] = []
    free_from = 0
    for row in np.flatnonzero(fires).tolist():
        if row < free_from or row + HOLD_BARS >= len(bars):
            continue
        stop = float(np.clip(rules.stop_factor * natr[row], rules.stop_low, rules.stop_high))
        how, gain, after = _walked(bars, row, stop, rules.reward * stop)
        ends[how] += 1
        net.append(gain - COST)
        free_from = row + after
    return Outcomes(net=tuple(net), **ends)


def _walked(bars: Bars, row: int, stop: float, target: float) -> tuple[str, float, int]:
    """How an entry at the close of a row ends, its gain, and after how many bars."""
    entry = bars.close[row]
    later = slice(row + 1, row + 1 + HOLD_BARS)
    stopped = bars.low[later] <= entry * (1 - stop)
    reached = bars.high[later] >= entry * (1 + target)
    either = np.flatnonzero(stopped | reached)
    if not either.size:
        return "time", float(bars.close[row + HOLD_BARS] / entry - 1), HOLD_BARS
    first = int(either[0])
    return ("stop", -stop, first + 1) if stopped[first] else ("target", target, first + 1)


def outcome_table(found: Iterable[Market]) -> str:
    """What signals came to where there were any."""
    head = ("market", "bar", "entries", "target", "stop", "time", "mean net", "error of the mean")
    rows = []
    for market in found:
        ended = outcomes(market.bars, ScalpRules())
        if not ended.net:
            continue
        net = np.array(ended.net)
        error = net.std(ddof=1) / math.sqrt(net.size) if net.size > 1 else math.nan
        rows.append(
            (
                market.name,
                f"{market.bars.step_ms // 1000} s",
                *(str(n) for n in (net.size, ended.target, ended.stop, ended.time)),
                f"{100 * net.mean():+.3f} %",
                "-" if math.isnan(error) else f"{100 * error:.3f} %",
            )
        )
    return table(head, rows)


def report(found: Sequence[Market]) -> str:
    """The part of the page that is made."""
    spot = found[0]
    rules = replace(ScalpRules(), min_natr=EASIER[-1])
    many = int((flags(spot.bars, rules)["signal"] == 1).sum())
    return "\n\n".join(
        (
            BEGIN,
            wrapped(
                "Share of the bars, out of warm-up, at which each criterion held, with the "
                "thresholds as they ship. On minutes the criteria are `low_vol_1m` and so on."
            ),
            hit_table(found),
            wrapped(
                "Signals where a smaller range is taken for lively (`min_natr`), the other three "
                "criteria as they are; and the mean range of 20 bars itself."
            ),
            lively_table(found),
            wrapped(
                f"Signals of 10 s on {spot.name} that had outlived their two bars when their "
                "minute closed, so that no entry came of them. A spell is a run of signals without "
                f"a bar between. The last row has {many} signals and says most."
            ),
            missed_table(spot),
            wrapped(
                "What the rule alone came to: an entry at the close of each signal's bar, without "
                "regime, bias or clock, a stop before a target within one bar, and "
                f"{100 * COST:g} % of costs. Markets without a signal are left out."
            ),
            outcome_table(found),
            END,
        )
    )


def replaced(page: str, made: str) -> str:
    """Return a page with the part between the marks exchanged; raises ValueError without marks."""
    before, mark, rest = page.partition(BEGIN)
    _, closing, after = rest.partition(END)
    if not mark or not closing:
        raise ValueError(f"expected {BEGIN!r} and {END!r} in the page, were not there")
    return before + made + after


def main() -> None:
    """Make the tables, and put them into a page or on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, help="the page; standard output without it")
    into: Path | None = parser.parse_args().into
    progress("reading recorded trades and minutes")
    made = report(markets(data_folder()))
    publish(f"{made}\n" if into is None else replaced(into.read_text("utf-8"), made), into)


if __name__ == "__main__":
    main()
