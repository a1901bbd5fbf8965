"""The bot of the drill: freqtrade's own, in a process that is killed and started anew.

The process holds all imports already, so that a start takes a second and not fifteen. A
pause after a temporary error is 1 s here, not 30 s.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter import fail_closed
from hydra_ft.adapter.running import RunningBot, Turn

# freqtrade finds the heads by path; their imports are made ready here.
from hydra_ft.cli.drill import head
from hydra_ft.cli.drill.folder import Folder, append
from hydra_ft.cli.drill.head import crash_head, drawn, ladder_head  # noqa: F401
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from types import FrameType

    from hydra_ft.cli.drill.processes import Boot

logger = logging.getLogger(__name__)

PAUSE_AFTER_ERROR_S = 1.0
LEAST_LOOP_S = 0.25
STOPPED, NOT_STARTED = 3, 4
"""Exit codes: freqtrade stopped itself, and freqtrade did not start."""


def run(boot: Boot) -> None:
    """Run the bot until it is killed; called in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the drill alone
    signal.signal(signal.SIGTERM, _end)
    folder = Folder(boot.root)
    _log_to(folder.log_file)
    logging.getLogger(fail_closed.__name__).addHandler(_Failures(folder))
    logger.info("---- boot %d, process %d", boot.number, os.getpid())
    try:
        bot = _started(folder, boot)
    except HydraError:
        logger.exception("The bot did not start.")
        sys.exit(NOT_STARTED)
    append(folder.loops_file, {"boot": boot.number, "began": _now(), "ended": _now(), "up": True})
    sys.exit(_loop(bot, folder, boot.number))


class _Failures(logging.Handler):
    """Notes every callback that raised something that is no error of the exchange."""

    def __init__(self, folder: Folder) -> None:
        super().__init__(logging.ERROR)
        self._folder = folder

    def emit(self, record: logging.LogRecord) -> None:
        """Write the failure down, for the audit."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        text = f"{record.getMessage()}: {kind} {record.exc_info[1] if record.exc_info else ''}"
        append(self._folder.failures_file, {"at": _now(), "text": text})


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _started(folder: Folder, boot: Boot) -> RunningBot:
    arguments = {
        "config": [str(folder.config_file)],
        "user_data_dir": str(folder.userdir),
        "strategy": boot.head,
        "strategy_path": str(Path(head.__file__).parent),
        "db_url": folder.trades_url,
    }

    def prepare(strategy: Any) -> None:
        strategy.seed = boot.seed
        _obey(strategy, folder)

    return RunningBot(arguments, prepare)


def _loop(bot: RunningBot, folder: Folder, number: int) -> int:
    """Do what freqtrade's Worker does; return the exit code when the bot has stopped."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        began = _now()
        _obey(bot.strategy, folder)
        turn = bot.turn()
        if turn is Turn.STOPPED:
            return STOPPED
        if turn is Turn.FAILED:
            time.sleep(PAUSE_AFTER_ERROR_S)
            continue
        ended = _now()
        append(folder.loops_file, {"boot": number, "began": began, "ended": ended})
        time.sleep(max(0.0, LEAST_LOOP_S - (ended - began) / 1e3))
    return 0


def _obey(strategy: Any, folder: Folder) -> None:
    wishes: dict[str, Any] = json.loads(folder.wishes_file.read_text(encoding="utf-8"))
    strategy.enters, strategy.leaves = wishes["enters"], wishes["leaves"]


def _now() -> int:
    return int(time.time() * 1000)


def _log_to(path: Path) -> None:
    """Send everything that the process says to the log."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    for noisy in ("urllib3", "ccxt.base.exchange", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
