"""One bot in a process of its own: it loops, and tells how much memory it holds.

``python -m benchmarks.memory.bot CONFIG STRATEGY FOLDER LOOPS`` writes one line of JSON for each
look. Nothing of Hydra is imported here, so that a bot without it is one.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import freqtrade.freqtradebot as freqtrade_bot
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State

CANDLE_S, SETTLED_S = 300, 5


def held_mb(name: str) -> float:
    """Memory (MB of 1e6 bytes) that the system says this process holds, ``VmRSS`` or ``VmHWM``."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"expected {name} in /proc/self/status, it is not there; this needs Linux")


def tell(at: str, **more: Any) -> None:
    """Write one look."""
    look = {"at": at, "rss_mb": held_mb("VmRSS"), "peak_mb": held_mb("VmHWM"), **more}
    sys.stdout.write(json.dumps(look) + "\n")
    sys.stdout.flush()


def until_next_candle() -> None:
    """Wait until a candle has closed since now, and its successor has begun."""
    time.sleep(CANDLE_S - time.time() % CANDLE_S + SETTLED_S)


def analysed(bot: freqtrade_bot.FreqtradeBot) -> dict[str, int]:
    """How many pairs are analysed, and their fewest rows and columns."""
    pairs = bot.active_pair_whitelist
    frames = [bot.dataprovider.get_analyzed_dataframe(pair, "5m")[0] for pair in pairs]
    filled = [frame for frame in frames if len(frame)]
    return {
        "pairs": len(filled),
        "rows": min((len(frame) for frame in filled), default=0),
        "columns": min((frame.shape[1] for frame in filled), default=0),
    }


def main(config_file: str, strategy: str, folder: str, loops: str) -> None:
    """Start a bot in dry-run, and let it loop over so many candles."""
    tell("imported")
    arguments = {
        "config": [config_file],
        "user_data_dir": str(Path(config_file).parent / strategy),
        "strategy": strategy,
        "strategy_path": folder,
        "db_url": f"sqlite:///{Path(config_file).parent / strategy}.sqlite",
    }
    config = Configuration(arguments, RunMode.DRY_RUN).get_config()
    bot = freqtrade_bot.FreqtradeBot(config)
    bot.startup()
    bot.state = State.RUNNING
    tell("started")
    for loop in range(int(loops)):
        if loop:
            until_next_candle()
        begun, spent = time.monotonic(), time.process_time()
        bot.process()
        loop_s, loop_cpu_s = time.monotonic() - begun, time.process_time() - spent
        tell(f"loop {loop + 1}", loop_s=loop_s, loop_cpu_s=loop_cpu_s, **analysed(bot))
    bot.cleanup()


if __name__ == "__main__":
    main(*sys.argv[1:])
