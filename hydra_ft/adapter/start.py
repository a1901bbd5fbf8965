"""What is settled before a strategy runs: its settings, and whether it may start at all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from hydra_ft.adapter.configuration import check_configuration
from hydra_ft.decisions.rules import startup_candles, usual_feeds
from hydra_ft.errors import HydraError, PolicyError
from hydra_ft.execution.policy import ChasePolicies
from hydra_ft.risk.exits import gain_of
from hydra_ft.risk.policy import check_levels
from hydra_ft.settings import SECTION, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Collection

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.risk.policy import RiskPolicy
    from hydra_ft.signals.registry import SignalDeclaration
    from hydra_ft.types import Feed

logger = logging.getLogger(__name__)

TRADES = (RunMode.LIVE, RunMode.DRY_RUN)
TESTED = (RunMode.BACKTEST, RunMode.HYPEROPT)
JUDGED = (*TRADES, *TESTED)
"""Modes whose result counts; lookahead- and recursive-analysis vary the warm-up on purpose."""


def settings_of(head: type, chase: ChasePolicies, config: dict[str, Any]) -> Settings:
    """Return the settings over what a head declares; raises OperationalException."""
    if not isinstance(chase, ChasePolicies):
        msg = (
            f"expected chase of {head.__name__} to be ChasePolicies(entry=..., exit=...), "
            f"was {chase!r}; correct it in the strategy file"
        )
        raise OperationalException(msg)
    try:
        return load_settings(config.get(SECTION), chase)
    except HydraError as error:
        raise OperationalException(str(error)) from error


def feeds_in_use(rules: HeadRules, chosen: Collection[Feed] | None) -> frozenset[Feed]:
    """Return the feeds that are listed and of use to the head; those that are not are told of.

    Where none are listed they are those that freqtrade itself brings.
    """
    if chosen is None:
        return frozenset(usual_feeds(rules))
    unused = [feed for feed in chosen if feed not in rules.feeds]
    if unused:
        logger.warning(
            "hydra.feeds: expected feeds that %s can use (%s), was also %s; nothing reads it",
            rules.name,
            ", ".join(rules.feeds),
            ", ".join(unused),
        )
    return frozenset(feed for feed in rules.feeds if feed in chosen)


def refuse_unusable(
    config: dict[str, Any], chase: ChasePolicies, *, sets_stops: bool = False
) -> None:
    """Stop with every finding that fails; log the others."""
    findings = check_configuration(
        config, with_credentials=False, chase=chase, sets_stops=sets_stops
    )
    for finding in findings:
        if finding.level == "warn":
            logger.warning("%s", finding)
    failures = [str(finding) for finding in findings if finding.level == "fail"]
    if failures:
        raise OperationalException("Hydra cannot start:\n  " + "\n  ".join(failures))


def refuse_short_warmup(rules: HeadRules, config: dict[str, Any], declared: int) -> None:
    """Stop before freqtrade puts the configured count in the place of the declared one.

    Not in bot_start: freqtrade logs what that raises with a traceback, then once more.
    """
    needed = startup_candles(rules)
    count = config.get("startup_candle_count", declared)
    if count < needed:
        msg = (
            f"expected startup_candle_count of at least {needed} for {rules.name}, was "
            f"{count}; remove startup_candle_count from the configuration"
        )
        raise OperationalException(msg)


def refuse_wide_stops(rules: HeadRules, stoploss: float) -> None:
    """Stop where a signal may declare a stop beyond the head's hard limit.

    Freqtrade's ``stoploss`` is what stands until the signal's own stop does, and where that
    is lost. A signal says by ``stop_high`` how far its stop may be; one that says nothing
    is cut at the limit where it declares more.
    """
    for made in rules.signals:
        widest = float(getattr(made.rules, "stop_high", 0.0))
        if widest > abs(stoploss) + 1e-12:
            msg = (
                f"expected stop_high of {made.name} up to the stoploss of {rules.name} "
                f"({abs(stoploss):g}), was {widest:g}; set stoploss to {-widest:g} or wider, "
                "or lower stop_high"
            )
            raise OperationalException(msg)


def refuse_levels(rules: HeadRules, policy: RiskPolicy) -> None:
    """Stop where a signal's nearest stop or target cannot go with the risk policy."""
    try:
        check_signals(rules, policy)
    except PolicyError as error:
        raise OperationalException(str(error)) from error


def check_signals(rules: HeadRules, policy: RiskPolicy) -> None:
    """Compare what the signals declare at least with a policy.

    Raises
    ------
    PolicyError
        As ``check_levels``. A signal that does not say how near its stop may be is not judged.
    """
    for made in rules.signals:
        stop, target = least_levels(made)
        if policy.exits.target_r:
            target = gain_of(policy.exits.target_r, stop, policy.sizing.round_trip_fee)
        if stop and target:
            check_levels(made.name, stop, target, policy)


def least_levels(made: SignalDeclaration) -> tuple[float, float]:
    """Nearest stop of a signal, and the target that goes with it (fractions); 0 if not declared.

    Signals call them ``stop_low`` or ``stop``, and ``min_reward`` or ``reward`` times the stop,
    not beyond ``target_high``.
    """
    stop = _first(made.rules, "stop_low", "stop")
    target = stop * _first(made.rules, "min_reward", "reward")
    return stop, min(target, _first(made.rules, "target_high") or target)


def _first(rules: object, *names: str) -> float:
    return next((float(getattr(rules, name)) for name in names if hasattr(rules, name)), 0.0)
