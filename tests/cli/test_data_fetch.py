"""`hydra data fetch`: the past, from the exchange and from Coinalyze."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from feeds.coinalyze_server import KEY, Coinalyze, Fault

from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets
from loopback_exchange import Market, Server, freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.orders_home import Home

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def vendor() -> Iterator[Coinalyze]:
    with Coinalyze(now_ms) as running:
        yield running


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COINALYZE_API_KEY", KEY)
    return KEY


def configure(home: Home, exchange: dict[str, Any]) -> None:
    file = home.folder / "config.json"
    config = json.loads(file.read_text())
    config["exchange"] = {**config["exchange"], **exchange}
    file.write_text(json.dumps(config))


def fetch(home: Home, vendor: Coinalyze, *words: str) -> tuple[int, str, str]:
    home.capsys.readouterr()
    given = ["--userdir", str(home.folder), "--coinalyze-url", vendor.url]
    code = main(["data", "fetch", *given, *words])
    shown = home.capsys.readouterr()
    return code, shown.out, shown.err


LIQUIDATIONS = ("--feeds", "liquidations")


def test_liquidations_of_the_pairs_are_fetched_and_kept(
    home: Home, vendor: Coinalyze, key: str
) -> None:
    configure(home, {"pair_whitelist": [BTC, ETH]})
    minute = (now_ms() - 30 * MINUTE) // MINUTE * MINUTE
    vendor.liquidated["BTCUSDT_PERP.A"] = [(minute, 5.0, 6.0)]
    code, out, err = fetch(home, vendor, *LIQUIDATIONS)
    assert (code, err) == (0, "")
    assert f"{BTC}: liquidations, 1 values, " in out
    assert f"{ETH}: liquidations, 0 values\n" in out
    database = Database(f"sqlite:///{home.file}")
    store = DerivativesStore(database, Markets(database, "binance"))
    found = store.liquidation_minutes(BTC, 0, now_ms(), source="coinalyze")
    database.close()
    assert (found.time.tolist(), found.columns["short_notional"].tolist()) == ([minute], [6.0])
    assert KEY not in out + home.file.read_bytes().decode(errors="replace")


def test_a_pair_that_the_vendor_does_not_have_is_named(
    home: Home, vendor: Coinalyze, key: str
) -> None:
    code, out, _err = fetch(home, vendor, *LIQUIDATIONS, "--pairs", BTC, "XYZ/USDT:USDT")
    assert code == 1
    assert out.endswith("XYZ/USDT:USDT: not known to Coinalyze\n")


def test_a_key_with_a_pasted_dash_is_refused_in_words(
    home: Home, vendor: Coinalyze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINALYZE_API_KEY", "k\N{EN DASH}1")
    code, out, err = fetch(home, vendor, "--pairs", BTC)
    assert code == 2
    assert "COINALYZE_API_KEY: expected letters, digits and plain dashes" in err
    assert "k\N{EN DASH}1" not in out + err


def test_without_a_key_nothing_is_asked(
    home: Home, vendor: Coinalyze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COINALYZE_API_KEY", raising=False)
    code, _out, err = fetch(home, vendor, "--pairs", BTC)
    assert code == 2
    assert "COINALYZE_API_KEY: expected the key of Coinalyze in the environment" in err
    assert vendor.asked == []
    assert not home.file.exists()


def test_a_key_that_is_refused_is_not_shown(home: Home, vendor: Coinalyze, key: str) -> None:
    vendor.faults.append(Fault(401, f"wrong: {KEY}"))
    code, out, err = fetch(home, vendor, *LIQUIDATIONS, "--pairs", BTC)
    assert code == 2
    assert "expected the key to be accepted" in err
    assert KEY not in out + err


def test_open_interest_is_archived_without_any_key(
    home: Home, vendor: Coinalyze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COINALYZE_API_KEY", raising=False)
    monkeypatch.setattr(
        "hydra_ft.feeds.exchange_history.ExchangeHistory.__init__.__kwdefaults__", {"days": 3}
    )
    with Server(Market(seed=7), api_key="loopback") as server:
        configure(home, freqtrade_exchange_config(server.url))
        code, out, err = fetch(home, vendor, "--feeds", "open_interest", "--pairs", BTC)
        assert (code, err) == (0, "")
        code, again, err = fetch(home, vendor, "--feeds", "open_interest", "--pairs", BTC)
        assert (code, err) == (0, "")
    values = [int(text.split(", ")[1].split()[0]) for text in (out, again)]
    assert values[0] > 2 * 288
    assert values[1] <= 3


@pytest.mark.parametrize(
    ("whitelist", "names", "said"),
    [
        ([".*/USDT:USDT"], (), "which has '.*/USDT:USDT'; name them"),
        ([], ("BTC",), "which is empty; name them"),
        ([ETH], ("BTC",), f"was 'BTC'; nearest are {ETH}"),
    ],
)
def test_pairs_that_nobody_named_are_asked_for(
    home: Home, vendor: Coinalyze, key: str, whitelist: list[str], names: tuple[str, ...], said: str
) -> None:
    configure(home, {"pair_whitelist": whitelist})
    words = ("--pairs", *names) if names else ()
    code, _out, err = fetch(home, vendor, *LIQUIDATIONS, *words)
    assert code == 2
    assert said in err
