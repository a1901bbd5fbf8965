"""One pair's decisions of a backtest as a file of columns, in Arrow's file format (feather).

Floats and indices are stored with 32 bits, other whole numbers as they are; the words that
indices stand for are in the file's own metadata, so that a file can be read by itself.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pyarrow as pa

from hydra_ft.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

WORDS = b"hydra_words"
AGAIN = "run freqtrade backtesting with a Hydra strategy again"

# Level 1 takes two milliseconds for 9,000 bars; one thread is enough and costs less.
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of shape (n,) by name, ordered by ``at``, and the words of indices by column."""

    values: Mapping[str, np.ndarray[Any, Any]]
    words: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return int(self.values["at"].shape[0])


def write(path: Path, columns: Columns) -> None:
    """Write columns; a reader sees the old file or the new one, never a part.

    Raises
    ------
    StoreError
        When the columns differ in length, or the file cannot be written.
    """
    lengths = {name: len(values) for name, values in columns.values.items()}
    if len(set(lengths.values())) > 1:
        raise StoreError(f"expected columns of one length, was {lengths}; correct the caller")
    arrays = {
        name: pa.array(_narrow(values, is_index=name in columns.words))
        for name, values in columns.values.items()
    }
    words = json.dumps({name: list(some) for name, some in columns.words.items()})
    write_table(path, pa.table(arrays).replace_schema_metadata({WORDS: words}))


def _narrow(values: np.ndarray[Any, Any], *, is_index: bool) -> np.ndarray[Any, Any]:
    if values.dtype == np.bool_:
        return values.astype(np.int8)
    if is_index:
        return values.astype(np.int32)
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def write_table(path: Path, table: Any) -> None:
    """Write an Arrow table beside its place, then move it there.

    Raises
    ------
    StoreError
        When the folder or the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    with _told(path, "a file that can be written", "make its folder writable"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                pa.OSFile(str(draft), "wb") as sink,
                pa.ipc.new_file(sink, table.schema, options=_OPTIONS) as writer,
            ):
                writer.write_table(table)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def read_table(path: Path) -> Any:
    """Read an Arrow table.

    Raises
    ------
    StoreError
        When the file is missing or is none.
    """
    with (
        _told(path, "the decisions of a backtest", AGAIN),
        pa.OSFile(str(path), "rb") as source,
        pa.ipc.open_file(source) as reader,
    ):
        return reader.read_all()


def read(path: Path) -> Columns:
    """Read the columns of a pair.

    Raises
    ------
    StoreError
        When the file is missing, is none, or lacks the columns that every one has.
    """
    table = read_table(path)
    with _told(path, "the decisions of a backtest", AGAIN):
        values = {name: table.column(name).to_numpy() for name in table.column_names}
        columns = Columns(values, json.loads(table.schema.metadata[WORDS]))
        for name, some in columns.words.items():
            if name in values and len(columns) and int(values[name].max()) >= len(some):
                raise IndexError(f"{name} has an index beyond its {len(some)} words")
        if "code" not in values or "code" not in columns.words:
            raise KeyError("code")
    return columns


@contextmanager
def _told(path: Path, expected: str, change: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise StoreError(
            f"expected {expected} in {path}, was {type(error).__name__} ({error}); {change}"
        ) from error
