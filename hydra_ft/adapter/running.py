"""A bot in this process, loop by loop: what freqtrade's Worker does, without its pauses.

For drills: freqtrade's own command waits 30 s after an error that may pass.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Any

import ccxt
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.exceptions import FreqtradeException, OperationalException, TemporaryError
from freqtrade.freqtradebot import FreqtradeBot

from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.strategy import HydraStrategy

logger = logging.getLogger(__name__)


class Turn(Enum):
    """How one loop of the bot ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class RunningBot:
    """Freqtrade's bot in live mode, started from a configuration.

    ``prepare`` is called with the strategy before anything is looked at.

    Raises
    ------
    HydraError
        When freqtrade does not start; the message is freqtrade's.
    """

    def __init__(self, arguments: dict[str, Any], prepare: Callable[[HydraStrategy], None]) -> None:
        try:
            config = Configuration(arguments, RunMode.LIVE).get_config()
            # Over plain HTTP ccxt keeps the error table of futures to itself.
            table = ccxt.binance().exceptions["linear"]["exact"]
            config["exchange"]["ccxt_config"]["exceptions"] = {"exact": table}
            self._bot = FreqtradeBot(config)
            prepare(self._bot.strategy)
            self._bot.startup()
        except FreqtradeException as error:
            raise HydraError(f"expected freqtrade to start, it said: {error}") from error
        self._bot.state = State.RUNNING

    @property
    def strategy(self) -> HydraStrategy:
        """The strategy that the bot runs."""
        strategy: HydraStrategy = self._bot.strategy
        return strategy

    def turn(self) -> Turn:
        """Let the bot go through one loop."""
        try:
            self._bot.process()
        except TemporaryError as error:
            logger.warning("Error: %s", error)
            return Turn.FAILED
        except OperationalException:
            logger.exception("OperationalException. The bot stops.")
            return Turn.STOPPED
        return Turn.DONE
