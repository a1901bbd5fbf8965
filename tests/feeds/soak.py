"""`hydra record` under load and faults, for as long as one likes: every trade is accounted for.

``python -m feeds.soak --seconds 600`` (in tests/) starts the embedded exchange and the recorder
in processes of their own, fifty pairs at 1,000 trades a second over real ccxt.pro into SQLite
or (``--postgres``) a PostgreSQL server: with lost and doubled events, broken, refused, silent
and slow lines, a stop, a kill -9, and a burst of 5,000 trades a second. Then it asks the
exchange what was traded, and compares that with the database.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.soak_account import Calls, compare
from store import postgres
from waiting import wait_until

from hydra_ft.store.database import Database
from loopback_exchange import freqtrade_exchange_config, symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {
    "feeds": ["trades"],
    "refetch_per_minute": 1_200,  # one exchange, one user: no limit of an IP to share
    "silence_s": 6.0,
    "quiet_s": 3.0,
    "report_every_s": 5,
}
BURST_S = 10
SETTLE_S = 20
"""How long all goes well at the end, so that what was traded before has closed."""
MEGABYTE = 1 << 20
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def exchange(count: int, per_second: float) -> Iterator[tuple[Calls, int]]:
    """An embedded exchange in its own process: calls to it, and its process id."""
    command = [sys.executable, "-m", "loopback_exchange", "--port", "0", "--control"]
    command += ["--load", str(per_second), "--symbols", *symbols(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Calls(process.stdout.readline().strip()), process.pid
    finally:
        process.terminate()
        process.wait(60)


@dataclass
class Run:
    """One process of the recorder: what it took, second by second, and how it ended."""

    process: subprocess.Popen[bytes]
    log: Path
    ending: str
    memory: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def begun(self) -> None:
        """Return once it records: compiling for this machine takes a while, once."""

        def is_recording() -> bool:
            said = self.log.read_text(encoding="utf-8")
            assert self.process.poll() is None, said
            return " recording " in said

        wait_until(is_recording, 180, every_s=0.1)

    def look(self) -> None:
        """Note memory (MB) and CPU time (s); raises AssertionError where it has ended."""
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        self.memory.append(memory_of(self.process.pid))
        self.cpu_s.append(cpu_of(self.process.pid))

    def end(self) -> None:
        """Kill it, or ask it to stop; raises AssertionError where it does not end well."""
        self.process.send_signal(signal.SIGKILL if self.ending == "kill -9" else signal.SIGTERM)
        code = self.process.wait(60)
        expected = -signal.SIGKILL if self.ending == "kill -9" else 0
        assert code == expected, (code, self.log.read_text(encoding="utf-8")[-3000:])

    def told(self) -> list[str]:
        """Lines about its memory and CPU, and the last one that it wrote of itself."""
        after = min(20, len(self.memory) // 4)
        middle = len(self.memory) // 2
        used = (self.cpu_s[-1] - self.cpu_s[after]) / max(1, len(self.cpu_s) - 1 - after)
        said = [line for line in self.log.read_text(encoding="utf-8").splitlines() if "|" in line]
        used_mb = ", ".join(
            f"{name} {value:.0f} MB"
            for name, value in (
                (f"after {after} s", self.memory[after]),
                ("in the middle", self.memory[middle]),
                ("at the end", self.memory[-1]),
                ("most", max(self.memory)),
            )
        )
        return [
            f"{len(self.memory)} s until {self.ending}: memory {used_mb}; CPU {used:.0%} of a core",
            f"  {said[-1][20:] if said else 'no line yet'}",
        ]


def memory_of(pid: int) -> float:
    """Resident memory of a process (MB)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def cpu_of(pid: int) -> float:
    """CPU time of a process (s)."""
    numbers = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / TICKS_A_SECOND


@dataclass
class Soak:
    """The recorder's processes on one folder and database, and what goes wrong around them."""

    folder: Path
    url: str
    calls: Calls
    rate: float
    burst: float
    runs: list[Run] = field(default_factory=list)

    def configure(self, count: int) -> None:
        """Write the configuration."""
        pairs = [f"{name.removesuffix('USDT')}/USDT:USDT" for name in symbols(count)]
        config = {
            "trading_mode": "futures",
            "dry_run": True,
            "exchange": freqtrade_exchange_config(self.calls.url) | {"pair_whitelist": pairs},
            "hydra": {"recorder": SETTINGS, "db_url": self.url},
        }
        (self.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def record(self, seconds: int, ending: str, burst_at: int = -1) -> None:
        """Record for a while, with something that goes wrong every few seconds."""
        log = self.folder / f"record{len(self.runs)}.log"
        command = [sys.executable, "-m", "hydra_ft.cli.main", "record"]
        with log.open("wb") as said:
            process = subprocess.Popen(
                [*command, "--userdir", str(self.folder)], stdout=said, stderr=subprocess.STDOUT
            )
        run = Run(process, log, ending)
        self.runs.append(run)
        try:
            self._follow(run, seconds, burst_at)
            run.end()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(60)

    def _follow(self, run: Run, seconds: int, burst_at: int) -> None:
        run.begun()
        began = time.monotonic()
        for second in range(seconds):
            if second in (burst_at, burst_at + BURST_S) and burst_at >= 0:
                self.calls.post("load", per_second=self.burst if second == burst_at else self.rate)
            if run.ending != "the end":
                self._disturb(second)
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
            run.look()

    def _disturb(self, second: int) -> None:
        match second % 32:
            case 2:
                self.calls.post("streams", drop_share=0.002, twice_share=0.005, delay_s=0.0)
            case 8:
                self.calls.post("streams", disconnect=True)
            case 16:
                self.calls.post("streams", silence_s=2.0)
            case 24:
                self.calls.post("streams", disconnect=True, refuse_s=2.0)
            case 31:
                self.calls.post("streams", delay_s=0.3)

    def run(self, seconds: int) -> None:
        """Record with a stop after a tenth and a kill -9 near the end; the burst is in between."""
        first, last = max(15, seconds // 10), max(15, seconds // 10)
        middle = max(15, seconds - first - last)
        self.record(first, "SIGTERM")
        time.sleep(2.0)
        self.record(middle, "kill -9", burst_at=middle // 2 - BURST_S // 2)
        time.sleep(2.0)
        self.record(last, "SIGTERM")
        self.calls.post("streams", clear=True)
        self.calls.post("load", per_second=100)
        self.record(SETTLE_S, "the end")


def main(argv: list[str] | None = None) -> int:
    """Soak, compare, and say so; returns 0, or raises AssertionError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=float, default=1_000)
    parser.add_argument("--burst", type=float, default=5_000)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="where the database and the logs stay")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own")
    chosen = parser.parse_args(argv)
    with ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'hydra.sqlite'}"
        if chosen.postgres:
            url = stack.enter_context(postgres.server())
        calls, pid = stack.enter_context(exchange(chosen.pairs, chosen.rate))
        soak = Soak(folder, url, calls, chosen.rate, chosen.burst)
        soak.configure(chosen.pairs)
        before, began = calls.sent(), time.monotonic()
        soak.run(chosen.seconds)
        report(soak, calls.sent() - before, time.monotonic() - began, cpu_of(pid))
        stack.callback((database := Database(url)).close)
        for name, count in compare(calls, database).items():
            print(f"{name}: {count:,}")
    print("every trade was counted once, or lies in a gap that is told of")
    return 0


def report(soak: Soak, sent: int, seconds: float, cpu_s: float) -> None:
    """Print what each process took, and what was sent."""
    for run in soak.runs:
        print("\n".join(run.told()))
    kind = soak.url.partition(":")[0]
    print(
        f"{kind}: {sent:,} trades sent in {seconds:.0f} s, the exchange used {cpu_s:.0f} s of CPU"
    )


if __name__ == "__main__":
    sys.exit(main())
