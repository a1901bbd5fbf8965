"""Days of a file are built once, and again where what they gave is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import made_trades

from hydra_ft.feeds.flow_build import DAY_MS, FlowBuild
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_retention import Retention, forget_old

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import Trades

PAIR = "BTC/USDT:USDT"
FIRST = 1_735_689_600_000
MINUTE = 60_000


class File:
    """Two days of trades."""

    def __init__(self) -> None:
        self.tape = made_trades(1_000, span_ms=2 * DAY_MS, start=FIRST)

    def stamps(self, _pair: str) -> IntArray:
        """Times of all trades."""
        return self.tape.time

    def trades(self, _pair: str, start: int, stop: int) -> Trades:
        """Trades of an interval."""
        begin, end = np.searchsorted(self.tape.time, (start, stop)).tolist()
        return self.tape.part(begin, end)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield opened
    opened.close()


def built(database: Database, sub_bars_from: int = 0, footprints_from: int = 0) -> list[int]:
    build = FlowBuild(
        database,
        FlowStore(database, "binance"),
        File(),
        step_ms=5 * MINUTE,
        sub_ms=MINUTE // 2,
        sub_bars_from=sub_bars_from,
        footprints_from=footprints_from,
    )
    found = sorted(build.run(PAIR, build.days(PAIR)), key=lambda one: one.day.start)
    return [one.bars for one in found]


@pytest.mark.parametrize(
    ("kept", "days", "expected"),
    [
        (Retention(), 1, [0, 0]),
        (Retention(), 40, [288, 288]),
        (Retention(), 14.5, [288, 0]),
        (Retention(), 15.5, [288, 288]),
        (Retention(sub_bar_days=0, footprint_days=30), 40, [288, 288]),
    ],
)
def test_what_was_kept_too_short_a_time_is_built_again(
    database: Database, kept: Retention, days: float, expected: list[int]
) -> None:
    first = built(database)
    assert built(database) == [0, 0]
    forget_old(database, FIRST + int(days * DAY_MS), kept)
    assert built(database) == [n and m for n, m in zip(expected, first, strict=True)]
    assert built(database) == [0, 0]


def test_what_would_be_dropped_again_is_not_built_again(database: Database) -> None:
    built(database)
    now = FIRST + 70 * DAY_MS
    forget_old(database, now)
    older = {"sub_bars_from": now - 14 * DAY_MS, "footprints_from": now - 60 * DAY_MS}
    assert built(database, **older) == [0, 0]
    older["footprints_from"] = 0
    assert 0 not in built(database, **older)
