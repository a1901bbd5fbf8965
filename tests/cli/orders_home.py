"""A freqtrade home with a Hydra database, and orders to put into it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.install import EXAMPLE
from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.events import Event, EventStore
from hydra_ft.store.orders import OrderStore
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
NOW = int(time.time() * 1000)
DAY = 86_400_000


class Home:
    """A freqtrade home whose bot has left a database behind."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.file = folder / "hydra.dryrun.sqlite"
        self.configure()

    def configure(self, **hydra: Any) -> None:
        config = json.loads((self.folder / EXAMPLE).read_text(encoding="utf-8"))
        (self.folder / "config.json").write_text(json.dumps(config | {"hydra": hydra}))

    def orders(self, *words: str) -> str:
        """What the command prints; it must succeed."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, "")
        return out

    def run(self, *words: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(["orders", "--userdir", str(self.folder), *words])
        shown = self.capsys.readouterr()
        return code, shown.out, shown.err

    def document(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.orders("--json", *words))
        return found

    def write(
        self,
        parent: ParentOrder,
        *children: Attempt,
        events: tuple[Event, ...] = (),
        bot: str = "hydra",
    ) -> None:
        database = Database(f"sqlite:///{self.file}")
        store = OrderStore(database, bot)
        store.save_parent(parent)
        for child in children:
            store.send(parent, child)
        EventStore(database, bot).record(events)
        database.close()


def parent(key: str = "btc|1", **changes: Any) -> ParentOrder:
    """Buy 10 at 100 decided, 100.1 on arrival; ended after two minutes."""
    base = ParentOrder(
        key=key,
        pair=BTC,
        side=Side.LONG,
        kind=Kind.ENTRY,
        quantity=10.0,
        arrival_price=100.1,
        decided_at=NOW - 600_000,
        reason="pullback",
        children=2,
        ended_at=NOW - 480_000,
        end_reason="filled",
        decision_price=100.0,
        end_price=100.5,
    )
    return replace(base, **changes)


def child(of: ParentOrder, order_id: str, **changes: Any) -> Attempt:
    base = Attempt(
        parent_key=of.key,
        pair=of.pair,
        side=of.side,
        kind=of.kind,
        quantity=of.quantity,
        price=100.0,
        sent_at=of.decided_at,
        state=ChildState.CANCELLED,
        order_id=order_id,
        known_at=of.decided_at + 1000,
        done_at=of.decided_at + 5000,
    )
    return replace(base, **changes)


def filled(of: ParentOrder, order_id: str, price: float, **changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "state": ChildState.FILLED,
        "filled": of.quantity,
        "average_price": price,
        "price": price,
        "done_at": of.decided_at + 30_000,
    }
    return child(of, order_id, **values | changes)


def requoted() -> tuple[ParentOrder, Attempt, Attempt]:
    """Four of ten filled by the first child, the rest by its requote, at a fee of 0.3."""
    whole = parent()
    first = child(whole, "771", filled=4.0, average_price=100.0, maker_quantity=4.0, fee_quote=0.1)
    second = filled(whole, "772", 100.2, quantity=6.0, filled=6.0, fee_quote=0.2)
    return whole, first, second
