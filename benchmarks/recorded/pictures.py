"""A picture of each family of features on recorded data, for docs/features.md.

Command line: ``python -m benchmarks.recorded.pictures --out docs/pictures``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import hydra_ft.features  # noqa: F401  (fills the registry)
from benchmarks.recorded.scenes import ROWS, SCENES, Scene, hourly
from benchmarks.recorded.sets import data_folder, progress, publish
from benchmarks.recorded.svg import Panel, chart
from hydra_ft.bars.microprice import fitted, microprice
from hydra_ft.features.book import imbalance, order_flow_events, summed
from hydra_ft.features.documentation import PICTURES
from hydra_ft.features.impact import kyle_lambda
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.vpin import vpin

if TYPE_CHECKING:
    from hydra_ft.features.registry import Feature
    from hydra_ft.types import FloatArray, IntArray

SECOND = 1000
TICK = 0.1


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
