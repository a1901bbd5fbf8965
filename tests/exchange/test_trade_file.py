"""A file of trades that cannot be replayed is refused, and the refusal says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from exchange.recorded_tape import (
    BEGIN,
    CANDLES,
    HOUR_MS,
    SYMBOL,
    TRADES,
    candle_frame,
    trade_frame,
    write_tape,
)

from loopback_exchange import Replay
from loopback_exchange.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@pytest.fixture
def frame() -> pd.DataFrame:
    """Some minutes of trades."""
    return trade_frame(BEGIN, BEGIN + HOUR_MS // 6)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("side", "none", "sides buy and sell"),
        ("id", "a1b2", "ids that are whole"),
        ("price", 0.0, "prices and amounts above 0"),
        ("amount", np.nan, "prices and amounts above 0"),
        ("timestamp", BEGIN - 1, "trades in time order"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    tmp_path: Path, frame: pd.DataFrame, column: str, value: Any, words: str
) -> None:
    frame[column] = [*frame[column][:-1], value]
    for batch in (50, len(frame) - 1):  # within a piece of the file, and as a piece of its own
        path = write_tape(tmp_path / TRADES, frame, batch)
        with pytest.raises(ValueError, match=words) as refusal:
            Replay(trades={SYMBOL: path})
        assert str(path) in str(refusal.value)


def test_a_file_without_trades_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="it was empty"):
        Replay(trades={SYMBOL: write_tape(tmp_path / TRADES, frame.head(0))})


def test_a_file_without_a_column_is_refused(tmp_path: Path, frame: pd.DataFrame) -> None:
    path = write_tape(tmp_path / TRADES, frame.drop(columns="side"))
    with pytest.raises(ValueError, match="without side"):
        Replay(trades={SYMBOL: path})


def test_a_file_that_is_no_feather_is_refused(tmp_path: Path) -> None:
    (tmp_path / TRADES).write_text("timestamp,id\n")
    with pytest.raises(ValueError, match="Expected a feather file"):
        Replay(tmp_path)


def test_first_ids_that_leave_no_room_for_the_candles_before_are_refused(tmp_path: Path) -> None:
    frame = trade_frame(BEGIN + HOUR_MS, BEGIN + 2 * HOUR_MS)
    frame["id"] = np.arange(len(frame)).astype(str)
    candle_frame(BEGIN, BEGIN + HOUR_MS).to_feather(tmp_path / CANDLES)
    write_tape(tmp_path / TRADES, frame)
    with pytest.raises(ValueError, match="begin with an id of at least"):
        Replay(tmp_path)


def test_neither_folder_nor_trades_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match="folder or trades"):
        Replay()


def test_the_command_line_takes_trades_and_says_what_it_expects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--trades", "BTCUSDT"])
    assert "expected SYMBOL=FILE" in capsys.readouterr().err
    (tmp_path / TRADES).write_text("none")
    assert main(["--port", "0", "--trades", f"BTCUSDT={tmp_path / TRADES}"]) == 2
    assert "Expected a feather file" in capsys.readouterr().err
