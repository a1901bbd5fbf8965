"""The ledger of a backtest: what was written as columns is read as the rows of the live one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_ft.errors import HydraError
from hydra_ft.store.tested import TestedLedger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BAR = 300_000
PAIR = "BTC/USDT:USDT"
WORDS = {
    "code": ("ok", "regime_choppy", "no_signal"),
    "failing": ("", "regime_choppy,no_signal", "no_signal"),
    "signal": ("trend_pullback", "range_fade"),
    "regime": ("CHOPPY", "RANGING", "UP", "DOWN"),
    "bias": ("NEUTRAL", "LONG", "SHORT"),
    "entry_state": ("WAITING", "PULLBACK_READY", "EXTENDED"),
}


def columns(code: Sequence[int], **changes: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Bars 1, 2, ... with these codes; those that may trade are longs of the first signal."""
    codes = np.array(code, dtype=np.int16)
    enters = codes == 0
    n = len(codes)
    base = {
        "at": np.arange(1, n + 1, dtype=np.int64) * BAR,
        "code": codes,
        "failing": codes,
        "signal": np.where(enters, 0, -1).astype(np.int16),
        "side": enters.astype(np.int8),
        "regime": np.where(enters, 2, 0).astype(np.int8),
        "bias": np.full(n, -1, dtype=np.int8),
        "entry_state": np.zeros(n, dtype=np.int8),
        "confidence": np.where(enters, 0.75, np.nan),
        "trend": np.full(n, 0.5),
        "chop_score": np.linspace(0.0, 1.0, n),
    }
    return base | changes


@pytest.fixture
def ledger(tmp_path: Path) -> TestedLedger:
    made = TestedLedger(tmp_path / "hydra" / "backtest")
    made.begin('{"regime.chop_above": 0.7}', "HydraFlow", 77)
    return made


def test_equal_bars_share_a_row_and_bars_that_may_trade_have_their_own(
    ledger: TestedLedger,
) -> None:
    ledger.write(PAIR, columns([1, 1, 0, 0, 2]), WORDS)
    rows = ledger.rows(PAIR)
    assert [(r.code, r.at // BAR, r.until // BAR, r.bars) for r in rows] == [
        ("regime_choppy", 1, 2, 2),
        ("ok", 3, 3, 1),
        ("ok", 4, 4, 1),
        ("no_signal", 5, 5, 1),
    ]
    entry = rows[1]
    assert (entry.signal, entry.side, entry.confidence) == ("trend_pullback", "long", 0.75)
    assert (entry.regime, entry.bias, entry.trend) == ("UP", "SHORT", 0.5)
    assert entry.numbers == {"chop_score": 0.5}
    assert (rows[0].signal, rows[0].side, rows[0].confidence) == ("", "", None)
    assert rows[0].codes == ("regime_choppy", "no_signal")


@pytest.mark.parametrize("name", ["regime", "bias", "entry_state", "side", "light", "failing"])
def test_bars_that_differ_in_anything_shown_do_not_share_a_row(
    ledger: TestedLedger, name: str
) -> None:
    ledger.write(PAIR, columns([1, 1, 1], **{name: np.array([0, 0, 1], dtype=np.int8)}), WORDS)
    assert [row.bars for row in ledger.rows(PAIR)] == [2, 1]


def test_only_the_asked_bars_are_joined(ledger: TestedLedger) -> None:
    ledger.write(PAIR, columns([1] * 9), WORDS)
    (row,) = ledger.rows(PAIR, 3 * BAR, 5 * BAR)
    assert (row.at, row.until, row.bars) == (3 * BAR, 5 * BAR, 3)
    assert ledger.rows(PAIR, 10 * BAR) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 45))
def test_rows_and_counts_have_every_bar_once(
    tmp_path_factory: pytest.TempPathFactory, code: list[int], start: int
) -> None:
    ledger = TestedLedger(tmp_path_factory.mktemp("tested"))
    ledger.begin("{}", "S", 1)
    ledger.write(PAIR, columns(code), WORDS)
    first, second = ledger.counts(start * BAR)
    rows = ledger.since(start * BAR)
    bars = len([bar for bar in range(1, len(code) + 1) if bar >= start])
    assert sum(row.bars for row in rows) == sum(first.values()) == bars
    assert sum(second.values()) == first.get("ok", 0)


def test_the_row_that_covers_a_time_is_found_or_the_last_before(ledger: TestedLedger) -> None:
    ledger.write(PAIR, columns([1, 1, 0, 2]), WORDS)
    found = [ledger.covering(PAIR, bar * BAR + 1) for bar in (0, 2, 3, 99)]
    assert [row and row.at // BAR for row in found] == [None, 1, 3, 4]
    newest = ledger.last(PAIR)
    assert newest is not None
    assert newest.at == 4 * BAR


def test_what_became_of_entries_is_read_with_their_bars(ledger: TestedLedger) -> None:
    ledger.write(PAIR, columns([0, 0, 0, 1]), WORDS)
    ledger.write("ETH/USDT:USDT", columns([0]), WORDS)
    became = [
        (PAIR, BAR, "filled", (), ""),
        (PAIR, 2 * BAR, "no_slot", ("no_slot", "spread"), "3 of 3"),
    ]
    ledger.write_outcomes(became)
    rows = ledger.rows(PAIR)
    assert [(r.outcome, r.outcomes, r.detail) for r in rows[:3]] == [
        ("filled", (), ""),
        ("no_slot", ("no_slot", "spread"), "3 of 3"),
        ("", (), ""),
    ]
    assert ledger.counts() == (
        {"ok": 4, "regime_choppy": 1},
        {"filled": 1, "no_slot": 1, "": 2},
    )
    assert ledger.counts(pair="ETH/USDT:USDT")[1] == {"": 1}
    ledger.write_outcomes([])
    assert ledger.counts()[1] == {"": 4}


def test_another_process_reads_what_was_written(ledger: TestedLedger, tmp_path: Path) -> None:
    ledger.write(PAIR, columns([0, 1]), WORDS)
    read = TestedLedger(tmp_path / "hydra" / "backtest")
    assert read.pairs() == [PAIR]
    assert (read.strategy, read.started_at, read.rules) == (
        "HydraFlow",
        77,
        {"regime.chop_above": 0.7},
    )
    assert read.rows(PAIR) == ledger.rows(PAIR)


def test_a_new_run_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    ledger = TestedLedger(tmp_path)
    ledger.begin("{}", "Old", 1)
    ledger.write(PAIR, columns([1]), WORDS)
    ledger.begin("{}", "New", 2)
    assert (ledger.pairs(), ledger.strategy) == ([], "New")
    assert len(list(tmp_path.glob("run-*"))) == 1
    assert list(tmp_path.glob(".*")) == []


def test_a_run_that_was_replaced_does_not_write_into_the_new_one(tmp_path: Path) -> None:
    old, new = TestedLedger(tmp_path), TestedLedger(tmp_path)
    old.begin("{}", "Old", 1)
    new.begin("{}", "New", 2)
    old.write(PAIR, columns([1]), WORDS)
    assert TestedLedger(tmp_path).pairs() == []


def test_without_a_backtest_it_says_to_run_one(tmp_path: Path) -> None:
    with pytest.raises(HydraError, match="run freqtrade backtesting with a Hydra strategy first"):
        TestedLedger(tmp_path).pairs()


def test_a_broken_file_is_named_with_what_to_do(ledger: TestedLedger, tmp_path: Path) -> None:
    ledger.write(PAIR, columns([1]), WORDS)
    (file,) = tmp_path.rglob("*.feather")
    whole = file.read_bytes()
    for broken in (b"", b"nonsense", whole[: len(whole) // 2]):
        file.write_bytes(broken)
        with pytest.raises(HydraError, match=r"BTC%2FUSDT%3AUSDT.* run freqtrade backtesting"):
            ledger.rows(PAIR)
    with pytest.raises(HydraError, match="run freqtrade backtesting"):
        ledger.rows("NONE/USDT:USDT")


@pytest.mark.parametrize("text", ["", "[]", '{"files": "x"}'])
def test_a_broken_run_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(HydraError, match=r"run\.json.* run freqtrade backtesting"):
        TestedLedger(tmp_path).pairs()


def test_an_index_without_a_word_is_a_broken_file(ledger: TestedLedger) -> None:
    ledger.write(PAIR, columns([1, 2]), WORDS | {"code": ("ok", "regime_choppy")})
    with pytest.raises(HydraError, match="beyond its 2 words"):
        ledger.rows(PAIR)


def test_columns_of_different_lengths_are_refused(ledger: TestedLedger) -> None:
    with pytest.raises(HydraError, match="columns of one length"):
        ledger.write(PAIR, columns([1, 1], trend=np.zeros(3)), WORDS)
