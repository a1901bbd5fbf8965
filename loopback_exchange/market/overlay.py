"""How a tape lies over candles: which minutes are its own, and which ids the others have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.market.block import LEAST_TRADES, MINUTE
from loopback_exchange.market.recorded import fill_holes

if TYPE_CHECKING:
    from loopback_exchange.market.noise import Ints
    from loopback_exchange.market.tape import TapeMinutes

_TRADED = ("volume", "taker_buy", "count", "quote")


def lay_over(
    symbol: str, first: int, rows: np.ndarray, tape: TapeMinutes
) -> tuple[int, np.ndarray]:
    """Put the minutes of a tape in place of those of the candles.

    A minute with a recorded trade is the tape's, also where the tape begins or ends within it.
    Minutes before and after are those of the candles; their ids lead to the recorded ones and
    on from them. A minute between recorded trades that has none is the candle's as well, if it
    has volume and the recorded ids leave room for its trades: the tape has a hole there. Else
    nothing traded. Minutes that neither has are flat.

    Parameters
    ----------
    symbol : str
        Whose they are, for errors.
    first, rows : int and array of MINUTE
        First minute and minutes of the candles; none if there are no candles.

    Returns
    -------
    first, rows
        First minute and minutes of both.

    Raises
    ------
    ValueError
        When the first recorded id is too small for the trades of the candles before it.
    """
    begin, end = int(tape.minute[0]), int(tape.minute[-1]) + 1
    if len(rows):
        begin, end = min(begin, first), max(end, first + len(rows))
    whole = np.zeros(end - begin, dtype=MINUTE)
    known = np.zeros(end - begin, dtype=np.bool_)
    if len(rows):
        whole[first - begin :][: len(rows)] = rows
        known[first - begin :][: len(rows)] = True
    at = tape.minute - begin
    whole[at], known[at] = tape.rows, True
    _number_before(symbol, whole[: at[0]], int(tape.low_id.min()))
    _number(whole[at[-1] + 1 :], int(tape.high_id.max()) + 1)
    _fill_between(whole, known, at, tape)
    fill_holes(whole, np.flatnonzero(known))
    return begin, whole


def _number(rows: np.ndarray, first_id: int) -> None:
    rows["first_id"] = first_id + np.cumsum(rows["count"]) - rows["count"]


def _number_before(symbol: str, rows: np.ndarray, low_id: int) -> None:
    wanted = int(rows["count"].sum())
    if wanted > low_id:
        raise ValueError(
            f"Expected the recorded trades of {symbol} to begin with an id of at least {wanted}, "
            f"as many as the candles before them have trades; it was {low_id}. Cut the candles "
            "to the time of the trades, or add a number to all ids."
        )
    _number(rows, low_id - wanted)


def _fill_between(whole: np.ndarray, known: np.ndarray, at: Ints, tape: TapeMinutes) -> None:
    """Give the minutes between recorded ones their ids, or make them silent."""
    highest = np.maximum.accumulate(tape.high_id)
    lowest = np.minimum.accumulate(tape.low_id[::-1])[::-1]
    for gap in np.flatnonzero(np.diff(at) > 1).tolist():
        inside = slice(int(at[gap]) + 1, int(at[gap + 1]))
        rows, first_id = whole[inside], int(highest[gap]) + 1
        busy = int((rows["count"] > 0).sum())
        share = (int(lowest[gap + 1]) - first_id) // max(busy, 1)
        if busy and share >= LEAST_TRADES:
            rows["count"] = np.minimum(rows["count"], share)
        else:
            known[inside] = False
            for name in _TRADED:
                rows[name] = 0
        _number(rows, first_id)
