"""The tables of figures on the page of the results: one column a run, one line a figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.execution.tables import plain, table
from benchmarks.recorded.positions import grouped

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.execution.intervals import Interval
    from benchmarks.recorded.backtests import Run, SetResult
    from benchmarks.recorded.positions import Group, Position

    Line = tuple[str, Callable[[Run], str]]


def percent(value: float, digits: int = 2) -> str:
    """Give a ratio in percent; a dash where there is none."""
    return "-" if math.isnan(value) else f"{100 * value:.{digits}f} %"


def number(value: float, digits: int = 2) -> str:
    """Give a number; a dash where there is none."""
    if math.isnan(value):
        return "-"
    return "no loss" if math.isinf(value) else f"{value:.{digits}f}"


def over_drawdown(run: Run) -> float:
    """Net return over the largest drawdown; NaN without one."""
    fall = run.account.drawdown
    return run.account.net_ratio / fall if fall else math.nan


def _interval(figure: Interval) -> str:
    return "-" if math.isnan(figure.value) else plain(figure)


_OUTCOME: tuple[Line, ...] = (
    ("largest drawdown", lambda run: percent(run.account.drawdown)),
    ("drawdown of closed trades", lambda run: percent(run.account.closed_drawdown)),
    ("worst day", lambda run: percent(run.risked.day)),
    ("worst day, to its lowest close", lambda run: percent(run.risked.within_day)),
    ("trades", lambda run: f"{run.account.count}"),
    ("long, short", lambda run: f"{run.account.longs}, {run.account.count - run.account.longs}"),
    ("won", lambda run: f"{run.account.won}"),
    ("profit factor", lambda run: number(run.account.profit_factor)),
    ("fees, USDT", lambda run: number(run.account.fees_quote)),
    ("funding received, USDT", lambda run: number(run.account.funding_quote)),
)

_RISK: tuple[Line, ...] = (
    ("risk at the stop, mean, of the equity", lambda run: percent(run.risked.mean_share)),
    ("risk at the stop, greatest", lambda run: percent(run.risked.greatest_share)),
    ("worst trade, of the equity", lambda run: percent(run.risked.worst_share)),
    ("worst trade, R", lambda run: number(run.risked.worst_r)),
    ("closed by their first stop", lambda run: f"{run.risked.stopped}"),
    ("result at it, median, R", lambda run: number(run.risked.stop_r[0], 3)),
    ("result at it, worst, R", lambda run: number(run.risked.stop_r[1], 3)),
    ("at the worst price of the candle, median, R", lambda run: number(run.risked.candle_r[0])),
    ("at the worst price of the candle, worst, R", lambda run: number(run.risked.candle_r[1])),
    ("greatest stake, USDT", lambda run: number(run.risked.greatest_stake_quote, 0)),
    (
        "greatest position, of the equity",
        lambda run: percent(run.risked.greatest_notional_share, 1),
    ),
    ("exposure", lambda run: percent(run.account.exposure, 1)),
    ("held, of the wallet", lambda run: percent(run.risked.held_share, 1)),
)

_UNIT: tuple[Line, ...] = (
    ("mean trade, R", lambda run: _interval(run.risked.mean_r)),
    ("all trades, R", lambda run: number(run.risked.sum_r)),
    ("result of a unit risked, R", lambda run: number(run.risked.weighted_r)),
    ("mean trade, of the position", lambda run: percent(run.account.mean_ratio)),
    ("return over drawdown", lambda run: number(over_drawdown(run))),
)


def outcome_table(result: SetResult) -> str:
    """What came of each way of trading."""
    rows = [
        ("net return", *(percent(run.account.net_ratio) for run in result.runs)),
        ("less the haircut", *(_less_haircut(result, run) for run in result.runs)),
    ]
    return _table(result, rows, _OUTCOME)


def risk_table(result: SetResult) -> str:
    """What was bet, and what the worst of it cost."""
    return _table(result, [], _RISK)


def unit_table(result: SetResult) -> str:
    """What came of it for what was risked."""
    return _table(result, [], _UNIT)


def _table(result: SetResult, rows: list[tuple[str, ...]], lines: tuple[Line, ...]) -> str:
    rows += [(name, *(line(run) for run in result.runs)) for name, line in lines]
    return table(("", *(run.name for run in result.runs)), rows)


def _less_haircut(result: SetResult, run: Run) -> str:
    if run.chase is None:
        return "-"
    return percent(run.account.net_ratio - run.chase.haircut_quote / result.wallet)


def groups_table(name: str, result: SetResult, key: Callable[[Position], str]) -> str:
    """Groups of the trades of the head as it ships, and of those with freqtrade's stakes."""
    own, other = (
        {group.name: group for group in grouped(run.positions, key)} for run in result.runs[:2]
    )
    names = [*own, *(name for name in other if name not in own)]
    if not names:
        return "No trades."
    heads = ("trades", "won", "mean, R", "sum, R", "sum, USDT")
    beside = ("trades", "mean, R", "sum, USDT")
    rows = [
        (group or "none", *_cells(own.get(group)), *_beside(other.get(group))) for group in names
    ]
    return table((name, *heads, *(f"{result.runs[1].name}: {beside[0]}", *beside[1:])), rows)


def _cells(group: Group | None) -> tuple[str, ...]:
    if group is None:
        return ("0", *"----")
    counts = (f"{group.count}", f"{group.won}", number(group.mean_r), number(group.sum_r))
    return (*counts, number(group.profit_quote))


def _beside(group: Group | None) -> tuple[str, ...]:
    if group is None:
        return ("0", "-", "-")
    return (f"{group.count}", number(group.mean_r), number(group.profit_quote))
