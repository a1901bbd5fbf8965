"""An address is shown without what must stay secret."""

from __future__ import annotations

import pytest

from hydra_ft.errors import StoreError
from hydra_ft.store.address import shown
from hydra_ft.store.database import Database
from hydra_ft.store.sole import sole


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a/b.sqlite", "sqlite:///a/b.sqlite"),
        ("postgresql://u:hunter2@h/db", "postgresql://u:***@h/db"),
        (
            "postgresql+psycopg://h/db?user=u&password=hunter2&sslmode=require",
            "postgresql+psycopg://h/db?password=hidden&sslmode=require&user=u",
        ),
        ("postgresql://h/db?sslpassword=hunter2", "postgresql://h/db?sslpassword=hidden"),
        ("postgresql://h/db?passfile=/hunter2", "postgresql://h/db?passfile=hidden"),
        ("postgresql://h:hunter2/db?password=hunter2", "postgresql://..."),
        ("hunter2", "..."),
    ],
)
def test_no_secret_of_an_address_is_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_no_message_of_a_database_out_of_reach_holds_its_password() -> None:
    url = "postgresql+psycopg://127.0.0.1:9/db?user=u&password=hunter2&connect_timeout=1"
    with pytest.raises(StoreError) as one:
        Database(url)
    with pytest.raises(StoreError) as other, sole(url, "recorder-binance"):
        pass
    assert "hunter2" not in f"{one.value} {other.value}"
    assert "password=hidden" in str(one.value)
