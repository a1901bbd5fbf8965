"""The folder of a drill: a freqtrade home, the state of the exchange, and what was recorded."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.bot_folder import BotFolder
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARK = ".hydra-drill"


@dataclass(frozen=True, slots=True)
class Folder(BotFolder):
    """Paths of one drill."""

    @classmethod
    def create(cls, root: Path) -> Folder:
        """Make the folder anew; refuse one that no drill made."""
        root = root.resolve()
        if root.exists() and any(root.iterdir()):
            if not (root / _MARK).exists():
                raise HydraError(
                    f"expected {root} to be free for the drill, was a folder of yours; "
                    "give another --folder"
                )
            shutil.rmtree(root)
        made = cls(root)
        (made.userdir / "data").mkdir(parents=True)
        (root / _MARK).touch()
        return made

    @property
    def log_file(self) -> Path:
        """Log of the bot, all boots one after the other."""
        return self.root / "bot.log"

    @property
    def journal_file(self) -> Path:
        """Every event of the exchange, a JSON object a line."""
        return self.root / "journal.jsonl"

    @property
    def loops_file(self) -> Path:
        """Every boot and every loop of the bot that came to its end."""
        return self.root / "loops.jsonl"

    @property
    def failures_file(self) -> Path:
        """Every callback that raised, and what."""
        return self.root / "failures.jsonl"

    @property
    def strikes_file(self) -> Path:
        """Every fault that struck."""
        return self.root / "strikes.jsonl"

    @property
    def runs_file(self) -> Path:
        """Every time span during which a bot process was there, and every span of quiet."""
        return self.root / "runs.jsonl"

    @property
    def wishes_file(self) -> Path:
        """What the bot shall do: enter, leave."""
        return self.root / "wishes.json"

    def wish(self, *, enters: bool, leaves: bool) -> None:
        """Tell the bot whether it may enter and leave from its next loop on."""
        new = self.wishes_file.with_suffix(".new")
        new.write_text(json.dumps({"enters": enters, "leaves": leaves}), encoding="utf-8")
        new.replace(self.wishes_file)


def append(path: Path, record: dict[str, Any]) -> None:
    """Add one record to a file of JSON lines; it is there on return."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, default=str) + "\n")


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read a file of JSON lines; a last line that a dying process left half is dropped."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def now_ms() -> int:
    """Read the clock, UTC ms."""
    return int(time.time() * 1000)
