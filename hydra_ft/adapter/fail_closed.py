"""Callbacks that answer safely when they fail.

Freqtrade swallows what a callback raises and goes on with a default: an entry whose
confirmation failed is sent all the same. Here a failure has its own answer, in one place:
an entry is refused; an exit, which is reduce-only, is let go, for refusing it would leave
a position without a way out. A step of a loop that fails holds up no other step.
"""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade.exceptions import ExchangeError

from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")


def fail_closed(answer: Any) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """Return ``answer`` from a callback that raises, and log why."""

    def decorate(callback: Callable[..., _Result]) -> Callable[..., _Result]:
        @wraps(callback)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return callback(*args, **kwargs)
            except (ExchangeError, HydraError) as error:
                # An exchange or a disk that does not answer is no fault of the code.
                pair = kwargs.get("pair") or getattr(kwargs.get("trade"), "pair", "")
                logger.warning("%s for %r answers %r: %s", callback.__name__, pair, answer, error)
                return answer
            except Exception:
                pair = kwargs.get("pair") or getattr(kwargs.get("trade"), "pair", "")
                logger.exception("%s failed for %r, answers %r", callback.__name__, pair, answer)
                return answer

        return guarded

    return decorate
