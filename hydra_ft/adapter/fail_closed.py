"""Callbacks that refuse when they fail.

Freqtrade swallows what a callback raises and goes on with a default: an entry whose
confirmation failed is sent all the same. Here a failure refuses, in one place.
"""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade.exceptions import ExchangeError, OperationalException

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")


def fail_closed(refusal: Any) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """Return ``refusal`` from a callback that raises, and log why.

    An ``OperationalException`` passes through: it is how a strategy stops the bot.
    """

    def decorate(callback: Callable[..., _Result]) -> Callable[..., _Result]:
        @wraps(callback)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return callback(*args, **kwargs)
            except OperationalException:
                raise
            except ExchangeError as error:
                # An exchange that does not answer is no fault of the code: no traceback.
                pair = kwargs.get("pair") or getattr(kwargs.get("trade"), "pair", "")
                logger.warning("%s for %r answers %r: %s", callback.__name__, pair, refusal, error)
                return refusal
            except Exception:
                pair = kwargs.get("pair") or getattr(kwargs.get("trade"), "pair", "")
                logger.exception(
                    "%s failed for %r and answers %r: nothing is sent on a guess",
                    callback.__name__,
                    pair,
                    refusal,
                )
                return refusal

        return guarded

    return decorate
