"""The ledger of a backtest: whole columns a pair, and the outcomes when its last candle opens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.decisions.reasons import CODES
from hydra_ft.decisions.thresholds import values_of
from hydra_ft.store.tested import FOLDER, TestedLedger
from hydra_ft.types import Bias, EntryState, Regime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hydra_ft.adapter.decisions.ledger import Noted
    from hydra_ft.decisions.pipeline import Decisions, HeadRules


class BacktestLedger:
    """Writes the decisions of a backtest, and what became of those that may trade.

    ``risk`` gives the numbers of the risk policy in force, by path.
    """

    def __init__(
        self, user_data_dir: Path, step_ms: int, risk: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._risk = risk
        self._files = TestedLedger(user_data_dir.joinpath(*FOLDER))
        self._step_ms = step_ms
        self._outcomes: dict[tuple[str, int], Noted] = {}

    def begin(self, rules: HeadRules, now: int) -> None:
        """Put an empty ledger in the place of the last one."""
        self._files.begin(json.dumps({**values_of(rules), **self._risk()}), rules.name, now)

    def write(self, pair: str, decisions: Decisions, first: int = 0) -> None:
        """Write the bars of a pair from a row on."""
        combos, failing = _combinations(decisions)
        words: dict[str, Sequence[str]] = {
            "code": CODES,
            "failing": combos,
            "signal": [made.name for made in decisions.rules.signals],
            "regime": [state.name for state in Regime],
            "bias": [Bias(value).name for value in (-1, 0, 1)],
            "entry_state": [state.name for state in EntryState],
        }
        columns = self._columns(decisions, failing)
        self._files.write(pair, {name: c[first:] for name, c in columns.items()}, words)

    def _columns(self, decisions: Decisions, failing: np.ndarray) -> Mapping[str, np.ndarray]:
        candidate = decisions.candidate
        return {
            "at": decisions.time + self._step_ms,
            "code": decisions.code,
            "failing": failing,
            "signal": candidate.signal,
            "side": candidate.side,
            "confidence": candidate.confidence,
            "stop": candidate.stop,
            "target": candidate.target,
            "regime": decisions.regime,
            "regime_confidence": decisions.regime_confidence,
            "bias": decisions.bias + 1,
            "bias_strength": decisions.bias_strength,
            "trend": decisions.trend,
            "entry_state": decisions.entry_state,
            "light": np.full(len(decisions), decisions.light),
            **decisions.numbers,
        }

    def note(self, pair: str, at: int, codes: tuple[str, ...], detail: str = "") -> None:
        """Note what became of a bar that may trade."""
        self._outcomes[pair, at] = (pair, at, codes[0], codes, detail)

    def flush(self, _now: int) -> None:
        """Write the outcomes that were noted so far."""
        self._files.write_outcomes(list(self._outcomes.values()))


def _combinations(decisions: Decisions) -> tuple[list[str], np.ndarray]:
    """Comma-joined failing codes that occur, and the index of each bar into them."""
    packed = np.packbits(decisions.failing, axis=1)
    as_one = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, index = np.unique(as_one, return_index=True, return_inverse=True)
    words = [
        ",".join(CODES[code] for code in np.flatnonzero(decisions.failing[row])) for row in first
    ]
    return words, index.astype(np.int32)
