"""What bots of one database tell each other of their positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hydra_ft.store.database import Database
from hydra_ft.store.holdings import HoldingRow, HoldingStore
from hydra_ft.store.sizes import SizeRow, SizeStore
from hydra_ft.types import Side

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hydra.sqlite'}"


def row(bot: str, pair: str = "BTC/USDT:USDT", at: int = 1000) -> HoldingRow:
    return HoldingRow(bot, pair, Side.SHORT, "Head", 100.0, 0.01, -2.0, 50.0, at)


def test_two_bots_on_one_file_see_each_other_and_not_themselves(url: str) -> None:
    one, two = (HoldingStore(Database(url), bot) for bot in ("one", "two"))
    one.put([row("one"), row("one", "ETH/USDT:USDT")])
    two.put([row("two")])
    assert two.of_others() == [row("one"), row("one", "ETH/USDT:USDT")]
    assert one.of_others() == [row("two")]
    one.put([])
    assert two.of_others() == []


def test_what_is_too_old_does_not_count_and_is_dropped_with_its_name(url: str) -> None:
    one, two = (HoldingStore(Database(url), bot) for bot in ("one", "two"))
    one.put([row("one", at=1000)])
    assert two.of_others(since=1001) == []
    assert two.forget_before(1001) == [row("one", at=1000)]
    assert two.of_others() == []


def test_sizes_are_kept_by_bot_and_pair_the_newest_first(url: str) -> None:
    store = SizeStore(Database(url), "one")
    for at in (1, 2, 3):
        store.put(SizeRow("BTC", at, "ok", {"risk": at}))
    store.put(SizeRow("BTC", 3, "below_min", {"risk": 0}))
    assert [(made.at, made.code) for made in store.last("BTC", 2)] == [(3, "below_min"), (2, "ok")]
    assert SizeStore(Database(url), "two").last("BTC", 5) == []
    store.forget_before(3)
    assert [made.at for made in store.last("BTC", 5)] == [3]
    assert store.pairs() == ["BTC"]
