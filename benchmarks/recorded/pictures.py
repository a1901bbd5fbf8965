"""A picture of each family of features on recorded data, for docs/features.md.

Command line: ``python -m benchmarks.recorded.pictures --out docs/pictures``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import hydra_ft.features  # noqa: F401  (fills the registry)
from benchmarks.recorded.sets import data_folder, progress, publish
from benchmarks.recorded.svg import Panel, chart
from hydra_ft.bars.candles import bars_from, part, resample, timeframe_ms
from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles as flow_candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.features.book import imbalance, order_flow_events, summed
from hydra_ft.features.documentation import PICTURES
from hydra_ft.features.impact import kyle_lambda
from hydra_ft.bars.microprice import fitted, microprice
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.vpin import vpin
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.features.registry import Feature
    from hydra_ft.types import Bars, FloatArray, IntArray

ROWS = 240
SECOND = 1000
TICK = 0.1


@dataclass(frozen=True, slots=True)
class Scene:
    """Recorded bars, and what they are."""

    title: str
    bars: Bars


def milliseconds(dates: pd.Series) -> IntArray:
    """Times of a column, UTC ms, shape (n,)."""
    return np.asarray(dates.dt.as_unit("ms"), dtype="datetime64[ms]").astype(np.int64)


def candles(path: Path, timeframe: str) -> Bars:
    """Bars of a file of freqtrade's."""
    rows = pd.read_feather(path)
    o, h, low, c, v = (
        rows[name].to_numpy(dtype=np.float64) for name in ("open", "high", "low", "close", "volume")
    )
    return bars_from(milliseconds(rows["date"]), timeframe_ms(timeframe), (o, h, low, c), v)


def hourly(data: Path, coin: str = "BTC") -> Scene:
    """A coin over a month, with the rates that were settled."""
    folder = data / "ohlcv" / "binance_2025mar" / "binance" / "futures"
    bars = resample(candles(folder / f"{coin}_USDT_USDT-5m-futures.feather", "5m"), 3_600_000)
    records = pd.read_feather(folder / f"{coin}_USDT_USDT-1h-funding_rate.feather")
    settled = pd.Series(
        records["funding_rate"].to_numpy(dtype=np.float64),
        index=milliseconds(records["date"]) // bars.step_ms * bars.step_ms,
    )
    rates = settled.reindex(bars.time).to_numpy(dtype=np.float64)
    return Scene(f"Binance {coin}/USDT:USDT, 1h", replace(bars, funding_rate=rates))


def crowded(data: Path) -> Scene:
    """SOL over a month, in which shorts crowded."""
    return hourly(data, "SOL")


def held(data: Path) -> Scene:
    """SOL over two weeks, with open interest."""
    folder = data / "ohlcv" / "okx_2026jun_sol" / "okx" / "futures"
    bars = candles(folder / "SOL_USDT_USDT-1h-futures.feather", "1h")
    records = pd.read_feather(
        data / "derivs" / "okx_sol_2026jun" / "SOL_USDT_USDT-1h-open_interest.feather"
    )
    known = pd.Series(records["oi"].to_numpy(), index=milliseconds(records["date"]))
    interest = known.reindex(bars.time).to_numpy(dtype=np.float64)
    return Scene("OKX SOL/USDT:USDT, 1h", replace(bars, open_interest=interest))


def minutes(data: Path) -> Scene:
    """Spot minutes, on which the scalper's rules are the fallback."""
    path = data / "trades" / "bitflyer_201801" / "bitflyer" / "BTC_JPY-1m.feather"
    return Scene("bitFlyer BTC/JPY, 1m", part(candles(path, "1m"), 3000, 4000))


def traded(data: Path) -> Scene:
    """Five days of spot trades, and the value that they made."""
    path = data / "trades" / "bitflyer_201801" / "bitflyer" / "BTC_JPY-trades.feather"
    rows = pd.read_feather(path)
    time, price, amount = (rows[name].to_numpy() for name in ("timestamp", "price", "amount"))
    sides = np.where(rows["side"] == "buy", 1, -1)
    trades = trades_from(rows["id"].astype("int64"), time, price, amount, sides)
    flow = flow_of(trades, TradeGrid(1.0, 1e-8), 300_000, contiguous_ids=False)
    return Scene("bitFlyer BTC/JPY, 5m", with_flow(flow_candles(flow.bars), flow))


SCENES = {
    "absorption": traded,
    "funding": crowded,
    "open_interest": held,
    "order_flow": traded,
    "scalper": minutes,
    "value": traded,
}
"""What a family is drawn on, where that is not ``hourly``."""


def family_picture(scene: Scene, family: str) -> str:
    """Draw the last 240 bars, and the features of a family by their panels."""
    members = sorted(
        (made for made in FEATURES.values() if made.family == family), key=lambda made: made.name
    )
    grouped: dict[str, list[Feature]] = defaultdict(list)
    for made in members:
        grouped[made.panel].append(made)
    price = {"close": scene.bars.close[-ROWS:]}
    price |= {made.name: made(scene.bars)[-ROWS:] for made in grouped.pop("main", [])}
    panels = [Panel("price", price)]
    for name, features in grouped.items():
        lines = {made.name: made(scene.bars)[-ROWS:] for made in features}
        panels.append(Panel(name, _lanes(lines) if features[0].units == "flag" else lines))
    return chart(f"{family.replace('_', ' ')}: {scene.title}", scene.bars.time[-ROWS:], panels)


def _lanes(flags: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Flags one above another, the first one at the top, so that none hides another."""
    return {
        name: 0.8 * values + lane
        for lane, (name, values) in zip(reversed(range(len(flags))), flags.items(), strict=True)
    }


def best(data: Path) -> tuple[IntArray, tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Time of each change of the best prices, and bid, size, ask, size."""
    rows = pd.read_feather(data / "orderbook" / "hft_20240808" / "BTCUSDT_bookticker_l1.feather")
    bid, bid_size, ask, ask_size = (
        rows[name].to_numpy() for name in ("bid", "bid_qty", "ask", "ask_qty")
    )
    return rows["transact_ms"].to_numpy(), (bid, bid_size, ask, ask_size)


def book_picture(data: Path) -> str:
    """Draw mid, order flow, queues and microprice of a book, second by second."""
    time, (bid, bid_size, ask, ask_size) = best(data)
    edges = np.arange(time[0] // SECOND + 1, time[-1] // SECOND + 1) * SECOND
    last = np.searchsorted(time, edges[1:]) - 1
    half = time.size // 2
    table = fitted(bid[:half], bid_size[:half], ask[:half], ask_size[:half], tick=TICK)
    mid = (bid + ask) / 2
    ahead = microprice(table, bid, bid_size, ask, ask_size) - mid
    flow = summed(order_flow_events(bid, bid_size, ask, ask_size), time, edges)
    drawn = {"mid": mid[last], "mid by its order flow alone": _path(flow, mid[last])}
    panels = [
        Panel("mid", drawn),
        Panel("flow", {"order flow of the second (BTC)": flow}),
        Panel("queues", {"queue imbalance": imbalance(bid_size, ask_size)[last]}),
        Panel("micro", {"microprice less mid (quote)": ahead[last]}),
    ]
    return chart("the book: Binance BTC/USDT:USDT, each second", edges[1:], panels)


def _path(flow: FloatArray, mid: FloatArray) -> FloatArray:
    """Path that the mid takes if each second it moves by the slope on order flow and no more."""
    moves, known = np.diff(mid), flow[1:]
    slope, drift = np.polyfit(known, moves, 1)
    path: FloatArray = mid[0] + np.concatenate(([0.0], np.cumsum(slope * known + drift)))
    return path


def tape_picture(data: Path) -> str:
    """Draw price, traded imbalance, VPIN and the impact of trades, second by second."""
    path = data / "trades" / "hft_20240808" / "binance" / "futures"
    rows = pd.read_feather(path / "BTC_USDT_USDT-trades.feather")
    time, price = rows["timestamp"].to_numpy(), rows["price"].to_numpy()
    quantity = rows["amount"].to_numpy()
    sides = np.where(rows["side"] == "buy", 1.0, -1.0)
    edges = np.arange(time[0] // SECOND + 1, time[-1] // SECOND + 1) * SECOND
    close = price[np.searchsorted(time, edges) - 1]
    signed = summed(quantity * sides, time, edges)
    filled, values = vpin(time, quantity, sides, float(quantity.sum()) / 200)
    known = np.searchsorted(time[filled], edges[1:]) - 1
    panels = [
        Panel("price", {"price": close[1:]}),
        Panel("signed", {"bought less sold (BTC)": signed}),
        Panel("vpin", {"VPIN, 50 buckets": np.where(known >= 0, values[known], np.nan)}),
        Panel(
            "kyle", {"Kyle's lambda, 60 s (quote per BTC)": kyle_lambda(np.diff(close), signed, 60)}
        ),
    ]
    return chart("the tape: Binance BTC/USDT:USDT, each second", edges[1:], panels)


def main() -> None:
    """Write the pictures that the page links."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    out, data = parser.parse_args().out, data_folder()
    out.mkdir(parents=True, exist_ok=True)
    special = {"book": book_picture, "tape": tape_picture}
    for name in PICTURES:
        progress(name)
        if name in special:
            page = special[name](data)
        else:
            page = family_picture(SCENES.get(name, hourly)(data), name)
        publish(page, out / f"{name}.svg")


if __name__ == "__main__":
    main()
