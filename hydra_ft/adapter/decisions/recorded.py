"""Where a strategy writes what it decides, and what stands open meanwhile.

A bot that trades has the Hydra database: decisions, orders and sizes. A backtest has files of
its own, hyperopt nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from hydra_ft.adapter.decisions.ledger import Ledger
from hydra_ft.adapter.decisions.stage_b import StageB, TestedStageB
from hydra_ft.adapter.decisions.tested import BacktestLedger
from hydra_ft.adapter.exits.exit_callbacks import StopExits
from hydra_ft.adapter.orders.live import LiveOrders
from hydra_ft.adapter.parameters.risk_parameters import values_in_force
from hydra_ft.adapter.sizes.sized_entries import SizedEntries
from hydra_ft.adapter.start import TESTED, TRADES
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.errors import HydraError
from hydra_ft.settings import database_url
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionStore
from hydra_ft.store.orders import OrderStore

if TYPE_CHECKING:
    from collections.abc import Mapping


class RecordedEntries(SizedEntries):
    """Entries whose decisions, sizes and ends are written down."""

    def open_record(self) -> None:
        """Open what the run mode writes to; raises OperationalException where it cannot."""
        runmode = self.config.get("runmode")
        if runmode in TRADES:
            self._open_store()
        elif runmode in TESTED:
            step_ms = timeframe_ms(self.timeframe)
            ledger = BacktestLedger(self.config["user_data_dir"], step_ms, self._risk_values)
            keeps = runmode == RunMode.BACKTEST
            self.stage_b = self._stage_b(TestedStageB, ledger if keeps else None)

    def ft_bot_cleanup(self) -> None:
        """Close the store; freqtrade calls this on exit and before a reload."""
        super().ft_bot_cleanup()
        if hasattr(self, "database"):
            self.stage_b.close()
            self.database.close()

    def _open_store(self) -> None:
        try:
            url = database_url(
                self.settings, self.config["user_data_dir"], dry_run=self.config["dry_run"]
            )
            self.database = Database(url)
            store = DecisionStore(self.database, self.settings.bot_name)
            ledger = Ledger(store, timeframe_ms(self.timeframe), self._risk_values)
            self.stage_b = self._stage_b(StageB, ledger)
            if isinstance(self, LiveOrders):
                self.start_orders()
            if isinstance(self, StopExits):
                self.start_exits(OrderStore(self.database, self.settings.bot_name))
        except HydraError as error:
            raise OperationalException(str(error)) from error

    def _stage_b(self, made: type[StageB], ledger: Ledger | BacktestLedger | None) -> StageB:
        slots, step_ms = self.config["max_open_trades"], timeframe_ms(self.timeframe)
        follows = not isinstance(self, LiveOrders)
        kept = (lambda: self.rules_in_force, ledger, slots, step_ms)
        return made(*kept, follows=follows, limits=self.limit_verdict)

    def _risk_values(self) -> Mapping[str, Any]:
        """Numbers of the risk policy that apply in this run, by path."""
        return values_in_force(self.risk, sizes=self.settings.risk.enabled)
