"""A bot and its exchange in a process of their own, to be ended in earnest.

``python held_position.py <folder> begin`` opens a position, takes a part of it and waits;
``... <folder> resume`` boots on what is left in the folder and takes the target. Each tells on a
line of JSON what is known of the trade then, the second one also how it ended.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.barriers import TARGET, go, hold, left_by, price_at, price_at_r, stance, trade_of
from e2e.rig import START, Rig

from hydra_ft.types import Side
from loopback_exchange.market import Market
from loopback_exchange.server import Server


def told(rig: Rig) -> dict[str, Any]:
    """Stop, target, R, what is left of the trade, and where the market stands."""
    trade = trade_of(rig)
    parts = [order.ft_order_tag for order in trade.orders if order.ft_order_side != "buy"]
    return {
        **stance(rig),
        "stands": trade.stop_loss,
        "moved": trade.is_stop_loss_trailing,
        "held": rig.position(),
        "parts": parts,
        "bid": rig.bid,
    }


def say(content: object) -> None:
    print("TOLD", json.dumps(content), flush=True)


def begin(rig: Rig) -> None:
    """Hold a long of which a part was taken at break-even; end as freqtrade does when asked."""
    trade = hold(rig, Side.LONG)
    go(rig, price_at_r(trade, 1.1), loops=2)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    say(told(rig))
    try:
        time.sleep(100)
    except KeyboardInterrupt:
        rig.bot.cleanup()


def resume(rig: Rig, bid: float) -> None:
    """Look on for a while, then take the target."""
    rig.move(bid - rig.bid)
    rig.step(1, times=5)
    assert rig.working_orders() == []
    say(told(rig))
    go(rig, price_at(trade_of(rig), TARGET * 1.01))
    rig.until(rig.working_orders, limit=4)
    rig.fill(rig.quantity())
    say(left_by(rig))


def main(folder: Path, part: str, bid: float) -> None:
    """Run one part on the exchange of a folder."""
    later = timedelta(seconds=0 if part == "begin" else 90)
    hydra = {"bot_name": "test", "risk": {"enabled": False}}
    with Server(Market(seed=7), store=folder / "exchange.sqlite", control=True) as server:
        rig = Rig(server, folder, head="LadderHead", start=START + later, hydra=hydra)
        if part == "begin":
            begin(rig)
        else:
            resume(rig, bid)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
