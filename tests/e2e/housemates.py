"""Several whole bots on one account of the embedded exchange and one Hydra database.

Each has its own freqtrade database. Freqtrade keeps its connection in its classes, so the bots of
one process take turns: whoever is asked for something is connected first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2e.rig import Rig
from freqtrade.persistence import Trade, init_db

from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionStore
from hydra_ft.store.holdings import AccountStore

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.store.decisions import DecisionRow
    from loopback_exchange.server import Server


class Housemate(Rig):
    """One of the bots; ``beside`` is the first, whose clock they share."""

    def __init__(
        self,
        server: Server,
        home: Path,
        name: str,
        beside: Housemate | None = None,
        **config: Any,
    ) -> None:
        self.name = name
        self.url = f"sqlite:///{home / 'hydra.sqlite'}"
        hydra = {"bot_name": name, "db_url": self.url, **config.pop("hydra", {})}
        start = {} if beside is None else {"start": beside.clock_now(), "pinned": False}
        folder = home / name
        super().__init__(server, folder, head="SizedHead", hydra=hydra, **start, **config)
        if beside is not None:
            beside.clock = self.clock
            self.bid, self.ask = beside.bid, beside.ask

    def _config(self) -> dict[str, Any]:
        config = super()._config()
        prefix = dict.fromkeys(("swap", "future", "spot"), f"hydra-{self.name}-")
        config["exchange"]["ccxt_config"]["options"]["broker"] = prefix
        return config

    def awake(self) -> Housemate:
        """Connect freqtrade's classes with the database of this bot."""
        Trade.session.remove()
        init_db(f"sqlite:///{self.folder / 'trades.sqlite'}")
        return self

    def step(self, seconds: float = 1.0, *, times: int = 1) -> None:
        """Let time pass and this bot look, so many times."""
        self.awake()
        super().step(seconds, times=times)

    def trade(self, pair: str = "BTC/USDT:USDT") -> Trade | None:
        """Open trade of a pair in the books of this bot."""
        self.awake()
        return super().trade(pair)

    def passes(self, pair: str) -> list[DecisionRow]:
        """Rows of the bars of a pair that may trade, oldest first."""
        store = DecisionStore(Database(self.url), self.name)
        return [row for row in store.since(0, pair) if row.code == "ok"]

    def account(self) -> AccountStore:
        """What the bots tell each other."""
        return AccountStore(Database(self.url), "reader")
