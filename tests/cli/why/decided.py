"""A freqtrade home whose bot has decided something, and rows for it to have decided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionRow, DecisionStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BAR = 300_000
NOW = 1_772_366_400_000
"""2026-03-01 12:00 UTC, when a bar has closed; the tests run a minute later."""

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
RULES = '{"regime.chop_above": 0.7, "vetoes.min_reward_to_risk": 1.5}'


def choppy(first: int, bars: int = 1, pair: str = BTC, **changes: Any) -> DecisionRow:
    """A row whose first bar closed so many bars ago."""
    at = NOW - first * BAR
    values: dict[str, Any] = {
        "pair": pair,
        "at": at,
        "until": at + (bars - 1) * BAR,
        "bars": bars,
        "code": "regime_choppy",
        "codes": ("regime_choppy", "no_signal"),
        "numbers": {"chop_score": 0.82},
    }
    return DecisionRow(**(values | changes))


def entry(ago: int, pair: str = BTC, **changes: Any) -> DecisionRow:
    values: dict[str, Any] = {
        "code": "ok",
        "codes": (),
        "side": "long",
        "signal": "trend_pullback",
        "confidence": 0.74,
        "stop": 0.012,
        "target": 0.024,
        "regime": "UP",
        "bias": "LONG",
        "bias_strength": 0.4,
        "numbers": {"reward_to_risk": 1.77, "funding_z": -1.6},
    }
    return choppy(ago, pair=pair, **(values | changes))


class Desk:
    """Runs the command on a home, and writes what its bot has decided."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.database: Database | None = None
        self.configure()

    def configure(self, **config: Any) -> None:
        (self.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def store(self, file: str = "hydra.dryrun.sqlite", bot: str = "hydra") -> DecisionStore:
        self.database = Database(f"sqlite:///{self.folder / file}")
        return DecisionStore(self.database, bot)

    def why(self, *words: str) -> str:
        """What the command prints; it must succeed."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, "")
        return out

    def run(self, *words: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(["why", "--userdir", str(self.folder), *words])
        shown = self.capsys.readouterr()
        return code, shown.out, shown.err

    def refused(self, *words: str) -> str:
        """What the command says as it refuses."""
        code, out, err = self.run(*words)
        assert (code, out) == (2, "")
        return err
