"""A recorder under load and faults, for as long as one likes: every trade is accounted for.

``python -m feeds.soak --seconds 600`` (in tests/) starts the embedded exchange in a process of
its own, records fifty pairs at 1,000 trades a second through real ccxt.pro into a SQLite
store, with lost and doubled events, broken and silent lines, one restart, and a burst of 5,000
trades a second; then it asks the exchange what was traded, and compares.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feeds.recording import KeepingSink

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.recorder import Recorder, RecorderHealth
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_session import client_of
from hydra_ft.store.database import Database
from hydra_ft.types import Feed
from loopback_exchange import ccxt_urls, symbols

SUB_MS = 10_000
POLICY = {"step_ms": 20_000, "silence_s": 6.0, "refetch_per_minute": 1_200, "backoff_cap_s": 5.0}
MEGABYTE = 1 << 20


@dataclass
class StoredSink(KeepingSink):
    """A store, and beside it the account of what it was given."""

    inner: Any = None

    def resume(self, venue: str, pair: str) -> Any:
        """Where the store was left."""
        return self.inner.resume(venue, pair)

    def write(self, batch: Any) -> None:
        """Store, then keep account."""
        self.inner.write(batch)
        super().write(batch)


@dataclass
class Exchange:
    """The embedded exchange in its own process, and calls to it."""

    url: str = ""
    process: Any = None

    def start(self, count: int, per_second: float) -> None:
        """Start it on a free port."""
        command = [sys.executable, "-m", "loopback_exchange", "--port", "0", "--control"]
        command += ["--load", str(per_second), "--symbols", *symbols(count)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def post(self, name: str, **body: Any) -> None:
        """Set its load or its faults."""
        request = urllib.request.Request(  # noqa: S310 - 127.0.0.1
            f"{self.url}/_control/{name}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=20).read()  # noqa: S310

    def get(self, path: str) -> Any:
        """Ask it."""
        return json.load(urllib.request.urlopen(self.url + path, timeout=20))  # noqa: S310

    def traded(self, symbol: str, first: int, last: int) -> list[tuple[int, int, float, bool]]:
        """Id, time, quantity and whether the taker bought, of every trade."""
        found: list[tuple[int, int, float, bool]] = []
        while first <= last:
            query = f"symbol={symbol}&fromId={first}&limit=1000"
            part = self.get(f"/fapi/v1/aggTrades?{query}")
            found += [(one["a"], one["T"], float(one["q"]), not one["m"]) for one in part]
            first = part[-1]["a"] + 1
        return [one for one in found if one[0] <= last]


@dataclass
class Watch:
    """Memory and delay over time."""

    memory: list[float] = field(default_factory=list)
    began_cpu_s: float = 0.0

    def look(self) -> None:
        """Note how much memory is in use (MB)."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        self.memory.append(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE)


async def phase(one: Recorder, seconds: float, watch: Watch, act: Any) -> RecorderHealth:
    """Run a recorder for a while, doing something every second."""
    running = asyncio.ensure_future(one.run())
    for second in range(round(seconds)):
        await asyncio.sleep(1.0)
        await asyncio.to_thread(act, second)
        watch.look()
        if running.done():
            break
    one.stop()
    await running
    return one.health()


def faults(exchange: Exchange, seconds: float, per_second: float, burst: float) -> Any:
    """What goes wrong, second by second: something every eight seconds."""
    burst_at = round(seconds * 0.6)

    def act(second: int) -> None:
        if second == burst_at:
            exchange.post("load", per_second=burst)
        elif second == burst_at + 10:
            exchange.post("load", per_second=per_second)
        match second % 32:
            case 8:
                exchange.post("streams", disconnect=True)
            case 16:
                exchange.post("streams", silence_s=2.0)
            case 24:
                exchange.post("streams", disconnect=True, refuse_s=2.0)
            case 31:
                exchange.post("streams", delay_s=0.3)
            case 2:
                exchange.post("streams", drop_share=0.002, twice_share=0.005, delay_s=0.0)

    return act


def ending(exchange: Exchange) -> Any:
    """Let all go well, until what has come is closed."""

    def act(second: int) -> None:
        if second == 0:
            exchange.post("streams", clear=True)
            exchange.post("load", per_second=100)

    return act


def compare(exchange: Exchange, sink: KeepingSink, lot_sizes: dict[str, float]) -> dict[str, int]:
    """Compare each sub-bar with what was traded; raises AssertionError for what is not right."""
    totals: dict[str, int] = defaultdict(int)
    for symbol, (_, newest) in exchange.get("/_control/load").items():
        pair = f"{symbol.removesuffix('USDT')}/USDT:USDT"
        rows = {t: row for (name, t), row in sink.sub_bars.items() if name == pair}
        begin = min(row[4] for row in rows.values() if row[1])
        real = summed(exchange.traded(symbol, begin, newest), lot_sizes[pair])
        gaps = sink.gaps_of(pair)
        last = max(rows)
        for start in sorted(t for t in real if t <= last):
            expected, row = real[start], rows.get(start, (start, 0, 0, 0, -1, -1, SUB_MS))
            lacking = expected[0] - row[1]
            near = [g for g in gaps if g.start < start + SUB_MS and g.stop >= start]
            told = sum(max(gap.missing, 0) for gap in near)
            totals["sent"] += expected[0]
            totals["counted"] += row[1]
            totals["lacking"] += lacking
            assert 0 <= lacking <= told, (pair, start, expected, row, gaps)
            if row[6] == 0:
                assert (row[1], row[2], row[3]) == expected, (pair, row, expected)
                totals["whole bars"] += 1
            totals["bars"] += 1
        totals["told missing"] += sum(gap.missing for gap in gaps if gap.missing > 0)
        totals["gaps"] += len(gaps)
    return totals


def summed(trades: list[tuple[int, int, float, bool]], lot: float) -> dict[int, tuple[int, ...]]:
    """Count, bought and sold lots of each sub-bar."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, moment, quantity, bought in trades:
        sums = found[moment // SUB_MS * SUB_MS]
        sums[0] += 1
        sums[1 if bought else 2] += round(quantity / lot)
    return {start: tuple(sums) for start, sums in found.items()}


async def soak(exchange: Exchange, chosen: argparse.Namespace, sink: StoredSink) -> None:
    """Record with a restart in the middle, and say how it went."""
    policy = RecorderPolicy(**POLICY)
    config = {
        "enableRateLimit": False,
        "urls": {"api": ccxt_urls(exchange.url)},
        "options": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
    }
    pairs = [f"{name.removesuffix('USDT')}/USDT:USDT" for name in symbols(chosen.pairs)]
    watch, half = Watch(), chosen.seconds / 2

    def made() -> Recorder:
        return Recorder(
            BINANCE, pairs, lambda: client_of("binance", config, policy), sink, policy,
            feeds=(Feed.TRADES,), chance=random.Random(1),
        )  # fmt: skip

    began, cpu = time.monotonic(), time.process_time()
    act = faults(exchange, half, chosen.rate, chosen.burst)
    healths = [await phase(made(), half, watch, act)]
    await asyncio.sleep(2.0)
    healths.append(await phase(made(), half, watch, act))
    used = (time.process_time() - cpu) / (time.monotonic() - began)
    healths.append(await phase(made(), 25, watch, ending(exchange)))
    report(healths, watch, used)


def report(healths: list[RecorderHealth], watch: Watch, used: float) -> None:
    """Print what the recorders say of themselves."""
    for health in healths:
        (feed,) = health.feeds
        sums = {
            name: sum(getattr(pair, name) for pair in health.pairs)
            for name in ("counted", "duplicates", "late", "refetched", "missing", "held")
        }
        print(
            f"connections {feed.connections}, losses {feed.losses}, refused {feed.refused}, "
            f"overflows {feed.overflows}, calls {health.refetch_calls} "
            f"(failed {health.refetch_failures}), dropped batches {health.dropped}, {sums}"
        )
    tenth = max(1, len(watch.memory) // 10)
    early, late = watch.memory[2 * tenth], watch.memory[-1]
    print(f"CPU {used:.0%} of a core, most memory {max(watch.memory):.0f} MB")
    print(f"memory after a fifth {early:.1f} MB, at the end {late:.1f} MB")


def main(argv: list[str] | None = None) -> int:
    """Soak, compare, and say so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=1_000)
    parser.add_argument("--burst", type=float, default=5_000)
    parser.add_argument("--pairs", type=int, default=50)
    chosen = parser.parse_args(argv)
    exchange = Exchange()
    try:
        exchange.start(chosen.pairs, chosen.rate)
        with tempfile.TemporaryDirectory() as folder:
            store = FlowSink(Database(f"sqlite:///{folder}/flow.sqlite"), step_ms=20_000)
            sink = StoredSink(keeps_batches=False, inner=store)
            asyncio.run(soak(exchange, chosen, sink))
            for name, count in compare(exchange, sink, lot_sizes(exchange)).items():
                print(f"{name}: {count:,}")
            store.close()
    finally:
        if exchange.process is not None:
            exchange.process.terminate()
            exchange.process.wait(10)
    print(f"own peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print("every trade was counted once, or lies in a gap that is told of")
    return 0


def lot_sizes(exchange: Exchange) -> dict[str, float]:
    """Lot size of each pair."""
    listed = exchange.get("/fapi/v1/exchangeInfo")["symbols"]
    return {
        f"{one['baseAsset']}/USDT:USDT": float(
            next(f["stepSize"] for f in one["filters"] if f["filterType"] == "LOT_SIZE")
        )
        for one in listed
    }


if __name__ == "__main__":
    sys.exit(main())
