"""Orders to the streams from another process, over the control route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loopback_exchange.errors import ApiError, Code

if TYPE_CHECKING:
    from loopback_exchange.streams.hub import Hub

STREAM_CALLS = frozenset({"load", "tick", "streams", "liquidate"})
_SHARES = ("drop_share", "twice_share", "delay_s")


def stream_call(hub: Hub, method: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer ``/_control/load``, ``tick``, ``streams`` and ``liquidate``.

    ``POST load`` takes per_second and symbols; ``POST tick`` symbol and own_ticks; ``POST
    streams`` any of drop_share, twice_share, delay_s, drop_next, silence_s, freeze_s, refuse_s,
    disconnect and clear; ``GET load`` gives the ids that were traded, first and last by symbol.
    """
    match method, name:
        case "POST", "load":
            hub.start_load(float(body["per_second"]), body.get("symbols"))
        case "POST", "tick":
            hub.change_tick(body["symbol"], int(body["own_ticks"]))
        case "GET", "load":
            return _ids(hub)
        case "POST", "streams":
            _set_faults(hub, body)
        case "GET", "streams":
            faults = hub.faults
            connected = sum(hub.connected.values())
            return {"dropped": faults.dropped, "doubled": faults.doubled, "connected": connected}
        case "POST", "liquidate":
            hub.liquidate(body["symbol"], body["price"], body["quantity"], is_long=body["is_long"])
        case _:
            raise ApiError(Code.NO_SUCH_PATH, path=name, method=method)
    return {}


def _ids(hub: Hub) -> dict[str, Any]:
    load = hub.load
    ranges = {symbol: load.ids(symbol) for symbol in load.symbols} if load else {}
    return {symbol: [ids.start, ids.stop - 1] for symbol, ids in ranges.items()}


def _set_faults(hub: Hub, body: dict[str, Any]) -> None:
    faults = hub.faults
    if body.get("clear"):
        faults.clear()
    for name in _SHARES:
        if name in body:
            setattr(faults, name, float(body[name]))
    for name, act in (
        ("silence_s", faults.silence),
        ("freeze_s", faults.freeze),
        ("refuse_s", faults.refuse),
    ):
        if name in body:
            act(float(body[name]))
    if "drop_next" in body:
        faults.drop_next(int(body["drop_next"]))
    if body.get("disconnect"):
        hub.disconnect()
