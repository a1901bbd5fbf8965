"""What the two databases say differently; each is imported where it is first spoken."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from hydra_ft.errors import StoreError

SPOKEN: Final = ("sqlite", "postgresql")


def insert_of(dialect: str) -> Any:
    """Insert of a database that can answer a row that is there already.

    PostgreSQL's takes a tenth of a second to import, which a start without it is spared. Raises
    StoreError for another database.
    """
    if dialect not in SPOKEN:
        raise StoreError(
            f"hydra.db_url: expected sqlite or postgresql, was {dialect}; "
            "what Hydra stores is kept in these"
        )
    return import_module(f"sqlalchemy.dialects.{dialect}").insert
