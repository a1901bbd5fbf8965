"""What a head is put together from: the callbacks of its exits, and those of its orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from hydra_ft.adapter.edges.live_edges import LiveEdges
from hydra_ft.adapter.edges.tested_hits import TestedHits
from hydra_ft.adapter.exits.exit_callbacks import StopExits, exit_callbacks
from hydra_ft.adapter.exits.exit_reasons import NamedExits
from hydra_ft.adapter.exits.tested_exits import in_backtests
from hydra_ft.adapter.orders.backtest import BacktestOrders
from hydra_ft.adapter.orders.live import LiveOrders
from hydra_ft.adapter.recorded.live_feeds import LiveFeeds, is_wanted
from hydra_ft.adapter.start import TESTED, TRADES, settings_of
from hydra_ft.signals.scalp import ScalpRules

if TYPE_CHECKING:
    from hydra_ft.adapter.strategy import HydraStrategy
    from hydra_ft.settings import Settings


def parts_of(head: type[HydraStrategy], config: dict[str, Any]) -> tuple[type, ...]:
    """Return the classes that a head lacks in this run mode, first of all its exits."""
    settings = settings_of(head, head.chase, config)
    route = order_route(config, settings)
    fed = (LiveFeeds,) if config.get("runmode") in TRADES and is_wanted(settings) else ()
    if head.risk is not None:
        _refuse_own_exits(head)
    exits = exit_callbacks(head.risk, head.rules)
    if config.get("runmode") in TESTED:
        exits = in_backtests(exits)
    if exits:
        exits = (NamedExits, *exits)
    parts = (*_told(head, config), *fed, *exits, *([route] if route else []))
    return tuple(part for part in parts if not issubclass(head, part))


def _told(head: type[HydraStrategy], config: dict[str, Any]) -> tuple[type, ...]:
    """Return what tells of the scalper's signal, outermost: it looks once the loop has begun."""
    if not any(isinstance(made.rules, ScalpRules) for made in head.rules.signals):
        return ()
    runmode = config.get("runmode")
    return (LiveEdges,) if runmode in TRADES else (TestedHits,) if runmode in TESTED else ()


def _refuse_own_exits(head: type[HydraStrategy]) -> None:
    """Stop where a head brings callbacks that its risk policy would put out of force."""
    for name in ("custom_stoploss", "custom_roi"):
        own = getattr(head, name) is not getattr(IStrategy, name)
        if own and not issubclass(head, StopExits):
            msg = (
                f"expected {head.__name__} without {name}, as its risk policy sets stops and "
                f"targets, but it has one; remove {name}, or set risk to None"
            )
            raise OperationalException(msg)


def has_own_steps(head: type, base: type) -> bool:
    """Whether a class outside the pack, derived from ``base``, decides on entries or exits itself.

    Its frame then holds no signals beforehand: they would stay where the class sets none.
    """
    derived = head.__mro__[: head.__mro__.index(base)]
    return any(
        name in vars(made)
        for made in derived
        if not made.__module__.startswith("hydra_ft.")
        for name in ("populate_entry_trend", "populate_exit_trend")
    )


def order_route(config: dict[str, Any], settings: Settings) -> type | None:
    """Return the class whose callbacks place the orders; None for plain freqtrade."""
    if not settings.chase.enabled:
        return None
    if config.get("runmode") in TRADES:
        return LiveOrders
    tested = config.get("runmode") in TESTED and settings.chase.backtest
    return BacktestOrders if tested else None
