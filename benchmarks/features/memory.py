"""Peak memory over the loaded trades, each way in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

STATUS: Final = Path("/proc/self/status")
WAYS: Final = ("ours", "freqtrade")


class Peak(NamedTuple):
    """Bytes above the loaded input, for ``n`` trades."""

    n: int
    ours: int
    freqtrade: int


def measured(n: int) -> Peak:
    """Run each way on ``n`` trades in a fresh process."""
    found = {}
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.features.memory", way, str(n)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        found[way] = int(done.stdout.split()[-1])
    return Peak(n, **found)


def _kilobytes(field: str) -> int:
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def main() -> None:
    """Load, compile, reset the peak, work; print the bytes that the peak rose by."""
    way, n = sys.argv[1], int(sys.argv[2])
    from benchmarks.features import freqtrade_flow  # noqa: PLC0415 - in the child alone
    from benchmarks.features.made import candles_of, frame_of, made_trades  # noqa: PLC0415
    from benchmarks.features.order_flow import full_set  # noqa: PLC0415

    small = made_trades(20_000)
    candles = candles_of(full_set(small).bars)  # compiles, and is the frame that is filled
    freqtrade_flow.populated(frame_of(small), candles)
    trades = made_trades(n)
    frame = frame_of(trades) if way == "freqtrade" else None
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _kilobytes("VmRSS")
    if frame is None:
        full_set(trades)
    else:
        freqtrade_flow.populated(frame, candles)
    sys.stdout.write(f"{1024 * (_kilobytes('VmHWM') - before)}\n")


if __name__ == "__main__":
    main()
