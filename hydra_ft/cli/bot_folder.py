"""The folder that a demo or a drill gives to its bot: a freqtrade home and its databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class BotFolder:
    """Paths below one root."""

    root: Path

    @property
    def userdir(self) -> Path:
        """Freqtrade's user_data."""
        return self.root / "user_data"

    @property
    def config_file(self) -> Path:
        """Freqtrade's configuration."""
        return self.root / "config.json"

    @property
    def exchange_file(self) -> Path:
        """State of the embedded exchange."""
        return self.root / "exchange.sqlite"

    @property
    def trades_url(self) -> str:
        """Freqtrade's database."""
        return f"sqlite:///{self.root / 'trades.sqlite'}"

    @property
    def hydra_url(self) -> str:
        """Hydra's database."""
        return f"sqlite:///{self.userdir / 'hydra.sqlite'}"
