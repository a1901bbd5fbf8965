"""Runs freqtrade commands, each in a process of its own, forked after the imports.

Importing freqtrade takes ten seconds and a command two: so the imports happen once. A
request is a line of JSON on the input (``argv``, ``folder``, ``environment``, ``output``),
an answer the line ``pid`` when it has begun and the line ``code`` when it has ended.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def preload() -> None:
    """Import what every command needs; no thread may be running when this returns."""
    import freqtrade.commands
    import freqtrade.freqtradebot
    import freqtrade.main
    import freqtrade.optimize.backtesting  # noqa: F401

    import hydra_ft.adapter.strategy  # noqa: F401


def run_command(request: dict[str, Any]) -> None:
    """Become the command: never returns.

    It ends as a command does, not by ``os._exit``: what freqtrade has started beside itself (a
    server of log queues, workers of a search) goes only then.
    """
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    from freqtrade.main import main

    main(request["argv"])
    sys.exit(1)  # it ends by leaving, with a code


def serve() -> None:
    """Answer requests until the input ends."""
    preload()
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run_command(json.loads(line))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
