"""The ledger of the last backtest: columns instead of rows, because it must cost next to nothing.

``run.json`` in the folder says what was tested and in which folder beside it the files are: a
new run takes the place of an earlier one at once.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from uuid import uuid4

import pyarrow as pa

from hydra_ft.errors import StoreError
from hydra_ft.store.decision_row import Counts, DecisionRow, Tally, counted
from hydra_ft.store.tested_file import AGAIN, Columns, read, read_table, write, write_table
from hydra_ft.store.tested_rows import Outcome, covering, joined, of_bars, tallied

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np

FOLDER = ("hydra", "backtest")
"""Where the ledger stands in freqtrade's user_data directory."""

_END = 2**62
_RUN, _OUTCOMES, _ENDING = "run.json", "outcomes.feather", ".feather"


class TestedLedger:
    """Decisions of one backtest; reading raises StoreError where files are missing or broken."""

    __test__ = False  # pytest: not a test, whatever the name says

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun: Path | None = None
        self._outcomes: dict[str, dict[int, Outcome]] | None = None

    def begin(self, rules_json: str, strategy: str, started_at: int) -> None:
        """Take the place of an earlier run; ``started_at`` in UTC ms, rules as one JSON object."""
        place = self._folder / f"run-{started_at}-{uuid4().hex[:8]}"
        run = {"strategy": strategy, "started_at": started_at, "files": place.name}
        draft = self._folder / f".{place.name}"
        try:
            place.mkdir(parents=True)
            draft.write_text(json.dumps(run | {"rules": json.loads(rules_json)}), encoding="utf-8")
            draft.replace(self._folder / _RUN)
        except OSError as error:
            raise StoreError(
                f"expected a folder that can be written at {self._folder}, was {error.strerror}; "
                "make it writable"
            ) from error
        self._begun = place
        for earlier in self._folder.glob("run-*"):
            if earlier != place:
                shutil.rmtree(earlier, ignore_errors=True)

    def write(
        self,
        pair: str,
        columns: Mapping[str, np.ndarray[Any, Any]],
        words: Mapping[str, Sequence[str]],
    ) -> None:
        """Write what was decided on each bar of a pair, arrays of shape (n,).

        ``at`` is the close of the bar (UTC ms, ascending). ``code``, ``failing`` (codes
        joined by commas), ``signal``, ``regime``, ``bias`` and ``entry_state`` are indices
        into their words; a negative one counts from the end (BIAS may be NEUTRAL, LONG,
        SHORT), but means none in ``signal``. ``side`` is -1, 0 or +1, ``light`` 0 or 1.
        All other columns are numbers by their name, NaN where not known.
        """
        write(self._files() / f"{quote(pair, safe='')}{_ENDING}", Columns(columns, words))

    def write_outcomes(self, rows: Iterable[tuple[str, int, str, tuple[str, ...], str]]) -> None:
        """Write what became of bars, in place of what was written before.

        Each is (pair, at, outcome, outcomes, detail), as in ``DecisionStore.note_outcomes``.
        """
        every = [(pair, at, out, ",".join(outs), text) for pair, at, out, outs, text in rows]
        columns = list(zip(*every, strict=True)) or [()] * 5
        kinds = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.string())
        names = ("pair", "at", "outcome", "outcomes", "detail")
        arrays = [pa.array(c, type=kind) for c, kind in zip(columns, kinds, strict=True)]
        write_table(self._files() / _OUTCOMES, pa.table(dict(zip(names, arrays, strict=True))))
        self._outcomes = None

    def pairs(self) -> list[str]:
        """Return the pairs that were tested, by name."""
        found = (path for path in self._files().glob(f"*{_ENDING}") if path.name != _OUTCOMES)
        return sorted(unquote(path.name.removesuffix(_ENDING)) for path in found)

    def rows(self, pair: str, start: int = 0, end: int | None = None) -> list[DecisionRow]:
        """Return the decisions on bars that closed from start to end (UTC ms), oldest first.

        Equal neighbours share a row, as they do live.
        """
        columns = of_bars(self._read(pair), start, end)
        return joined(pair, columns, self._outcomes_of(pair))

    def since(self, at: int, pair: str | None = None) -> list[DecisionRow]:
        """Return the rows of bars that closed at or after a time (UTC ms), oldest first."""
        found = [row for name in self._named(pair) for row in self.rows(name, at)]
        return sorted(found, key=lambda row: (row.at, row.pair))

    def covering(self, pair: str, at: int) -> DecisionRow | None:
        """Return the row that stands for a time (UTC ms), else the last one before it."""
        return covering(pair, self._read(pair), self._outcomes_of(pair), at)

    def last(self, pair: str) -> DecisionRow | None:
        """Return the newest row of a pair."""
        return self.covering(pair, _END)

    def ended_at(self, pair: str | None = None) -> int:
        """Close of the newest bar of a pair or of any (UTC ms), 0 without bars."""
        closes = [self._read(name).values["at"] for name in self._named(pair)]
        return max((int(at[-1]) for at in closes if len(at)), default=0)

    def tallies(self, since: int = 0, pair: str | None = None) -> list[Tally]:
        """Count the bars that closed at or after a time (UTC ms)."""
        found: Counter[tuple[str, str, str]] = Counter()
        for name in self._named(pair):
            found.update(tallied(of_bars(self._read(name), since), self._outcomes_of(name)))
        return [Tally(*key, bars) for key, bars in sorted(found.items())]

    def counts(self, since: int = 0, pair: str | None = None) -> Counts:
        """Bars since a time (UTC ms) by first code, and those that may trade by outcome."""
        return counted(self.tallies(since, pair))

    @property
    def strategy(self) -> str:
        """Name of the strategy that was tested."""
        return str(self._run()["strategy"])

    @property
    def started_at(self) -> int:
        """When the backtest began (UTC ms)."""
        return int(self._run()["started_at"])

    @property
    def rules(self) -> dict[str, Any]:
        """Thresholds that were in force."""
        return dict(self._run()["rules"])

    def rules_at(self, _at: int) -> str:
        """Thresholds in force at a time (UTC ms) as JSON; in a backtest they do not change."""
        return json.dumps(self.rules)

    def _named(self, pair: str | None) -> list[str]:
        return self.pairs() if pair is None else [pair]

    def _files(self) -> Path:
        return self._begun or self._folder / str(self._run()["files"])

    def _run(self) -> dict[str, Any]:
        path = self._folder / _RUN
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StoreError(
                f"expected the ledger of a backtest in {self._folder}, was none; run freqtrade "
                "backtesting with a Hydra strategy first"
            ) from error
        except (OSError, ValueError) as error:
            raise StoreError(
                f"expected the ledger of a backtest in {path}, was {error}; {AGAIN}"
            ) from error
        if not isinstance(run, dict) or not {"files", "strategy", "started_at", "rules"} <= {*run}:
            raise StoreError(f"expected a run of a backtest in {path}, was {run!r}; {AGAIN}")
        return run

    def _read(self, pair: str) -> Columns:
        return read(self._files() / f"{quote(pair, safe='')}{_ENDING}")

    def _outcomes_of(self, pair: str) -> Mapping[int, Outcome]:
        """Outcomes of a pair's bars; a backtest without any entry has no file of them."""
        if self._outcomes is None:
            path = self._files() / _OUTCOMES
            self._outcomes = {}
            for row in read_table(path).to_pylist() if path.exists() else ():
                every = tuple(row["outcomes"].split(",")) if row["outcomes"] else ()
                found = Outcome(row["outcome"], every, row["detail"])
                self._outcomes.setdefault(row["pair"], {})[row["at"]] = found
        return self._outcomes.get(pair, {})
