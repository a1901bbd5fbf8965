"""What an operator can do to a bot of the rig, through freqtrade's own commands or by hand."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from e2e.rig import BTC, Rig
from freqtrade.enums import SignalDirection, State
from freqtrade.rpc import RPCException
from freqtrade.worker import Worker

if TYPE_CHECKING:
    from freqtrade.rpc import RPC

    from hydra_ft.types import Kind, Side

PART = 0.02
"""BTC of a forced exit of a part; its rest is above the exchange's minimum."""


def rpc(rig: Rig) -> RPC:
    """Give what Telegram's commands and the REST interface call."""
    return rig.bot.rpc._rpc


def sent(rig: Rig) -> int:
    """Count the orders that the bot has sent."""
    return rig.server.requests[("POST", "/fapi/v1/order")]


def ending(rig: Rig, kind: Kind) -> str:
    """Say how the newest parent of a kind ended; empty while it has not."""
    return [parent for parent in rig.parents() if parent.kind is kind][-1].end_reason


def cancel_on_the_exchange(rig: Rig) -> None:
    rig.bot.exchange._api.cancel_order(str(rig.working()["orderId"]), BTC)


def cancel_by_command(rig: Rig) -> None:
    rpc(rig)._rpc_cancel_open_order(rig.trade().id)


def force_exit(rig: Rig, order_type: str | None = None, **asked: float) -> None:
    # Freqtrade cancels an entry without a fill, and then says that there is nothing to exit.
    with suppress(RPCException):
        rpc(rig)._rpc_force_exit(str(rig.trade().id), order_type, **asked)


def force_exit_of_all(rig: Rig) -> None:
    rpc(rig)._rpc_force_exit("all")


def force_exit_at_market(rig: Rig) -> None:
    force_exit(rig, "market")


def force_exit_at_a_price(rig: Rig) -> None:
    force_exit(rig, "limit", price=round(rig.ask * 1.01, 1))


def force_exit_of_a_part(rig: Rig) -> None:
    force_exit(rig, amount=PART)


def force_exit_of_a_part_at_market(rig: Rig) -> None:
    force_exit(rig, "market", amount=PART)


def force_entry(rig: Rig, side: Side, **asked: Any) -> None:
    rig.bot.config["force_entry_enable"] = True
    direction = SignalDirection(side.value)
    rpc(rig)._rpc_force_entry(BTC, asked.pop("price", None), order_side=direction, **asked)


def delete(rig: Rig) -> None:
    rpc(rig)._rpc_delete(rig.trade().id)


def close_on_the_exchange(rig: Rig) -> None:
    """Bring the position to nothing with somebody's own market order."""
    held = rig.position()
    order = {"reduceOnly": True, "newClientOrderId": "web_1"}
    side = "sell" if held > 0 else "buy"
    rig.bot.exchange._api.create_order(BTC, "market", side, abs(held), None, order)


class Turns:
    """Freqtrade's own worker around the bot of a rig: states change as it changes them."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._state: State = State.RUNNING

    def turn(self, seconds: float = 1.0, *, times: int = 1) -> None:
        """Let time pass and the worker look, so many times."""
        for _ in range(times):
            self._rig.clock.shift(seconds)
            self._state = self._worker()._worker(self._state)
            if self._state is State.RELOAD_CONFIG:
                # As Worker._reconfigure: the old bot is closed, a new one reads the file.
                self._rig.bot.cleanup()
                self._rig.bot = self._rig._boot()

    def _worker(self) -> Worker:
        # Its constructor would build a bot of its own from a command line.
        worker = Worker.__new__(Worker)
        worker.freqtrade = self._rig.bot
        worker._config = self._rig.bot.config
        worker._sd_notify = None
        worker._throttle_secs = worker._heartbeat_interval = 0
        return worker
