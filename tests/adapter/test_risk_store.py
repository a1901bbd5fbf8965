"""What a bot tells, and that nobody else tells under its name unnoticed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hydra_ft.adapter.sizes.book import Own, Share
from hydra_ft.adapter.sizes.risk_store import RiskStore
from hydra_ft.settings import RiskSettings
from hydra_ft.store.database import Database
from hydra_ft.store.holdings import AccountStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOTHING = Own(Share("binance", 5_000.0), (), ())


class Bot:
    """A bot as far as it tells, and what it has said to its operator."""

    def __init__(self, folder: Path, name: str = "hydra") -> None:
        self.said: list[str] = []
        self.database = Database(f"sqlite:///{folder / 'hydra.sqlite'}")
        self.store = RiskStore(self.database, name, "USDT", RiskSettings(), self.said.append)

    def tell(self, at: int) -> None:
        self.store.tell(NOTHING, (), 0, at, again=True)


def test_two_bots_of_one_name_are_both_told_of_it_once(tmp_path: Path) -> None:
    one, two, other = Bot(tmp_path), Bot(tmp_path), Bot(tmp_path, "other")
    for at in range(1, 5):
        for bot in (one, two, other):
            bot.tell(at)
    assert other.said == []
    for bot in (one, two):
        (said,) = bot.said
        assert "Two bots that run now have the name hydra" in said


def test_a_bot_that_is_started_anew_is_no_other(tmp_path: Path) -> None:
    """However soon, and whether it has ended or crashed before."""
    for at in (1, 2, 3):
        bot = Bot(tmp_path)
        bot.tell(at)
        bot.tell(at)
        assert bot.said == []


def test_what_is_told_waits_but_a_moment_for_somebody_who_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exits come after it in the same loop."""
    monkeypatch.setattr("hydra_ft.store.database._WAIT_MS", 120_000)
    bot = Bot(tmp_path)
    other = AccountStore(Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}"), "other")
    with other.turn():
        started = time.monotonic()
        bot.tell(1)
        assert time.monotonic() - started < 60
    with other.look() as told:
        assert told.bots() == []
    bot.tell(2)
    with other.look() as told:
        assert [row.updated_at for row in told.bots()] == [2]
