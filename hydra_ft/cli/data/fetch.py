"""`hydra data fetch`: liquidations and open interest of the past, of exchange and Coinalyze."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.data.build import opened
from hydra_ft.cli.data.pairs import named
from hydra_ft.cli.why.moments import shown
from hydra_ft.errors import HydraError
from hydra_ft.feeds.coinalyze import KEY, URL, Coinalyze, shared_budget
from hydra_ft.feeds.exchange_history import ExchangeHistory
from hydra_ft.feeds.history import History, vendor_markets
from hydra_ft.store.database import Database
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hydra_ft.feeds.history import Fetched

ARCHIVE, VENDOR = "open_interest", ("liquidations", "coinalyze_open_interest")


def run(args: argparse.Namespace) -> int:
    """Fetch, pair by pair; 1 where the vendor does not have one of the pairs.

    What was fetched before the command was interrupted is kept.

    Raises
    ------
    HydraError
        When the configuration or the database cannot be read, the key is missing, or a
        service does not answer.
    """
    config, url = opened(args)
    pairs = named(args.pairs, config["exchange"].get("pair_whitelist") or [])
    client_key = _key(args.feeds)
    database = Database(url)
    try:
        absent = _fetch(args, config, pairs, database, client_key)
    finally:
        database.close()
    for pair in absent:
        print(f"{pair}: not known to Coinalyze")
    return 1 if absent else 0


def _key(feeds: Sequence[str]) -> str:
    """Return the key from the environment, where one is needed."""
    key = os.environ.get(KEY, "").strip()
    asked = [feed for feed in feeds if feed in VENDOR]
    if asked and not key:
        raise HydraError(
            f"{KEY}: expected the key of Coinalyze in the environment for {' and '.join(asked)}, "
            f"was none; make one at https://coinalyze.net and export {KEY}, or ask for "
            f"--feeds {ARCHIVE} only"
        )
    if not key.isascii() or not key.isprintable():
        # The key itself is not repeated.
        raise HydraError(
            f"{KEY}: expected letters, digits and plain dashes, was something else among them; "
            "copy the key anew from https://coinalyze.net"
        )
    return key


def _fetch(
    args: argparse.Namespace,
    config: Mapping[str, Any],
    pairs: Sequence[str],
    database: Database,
    key: str,
) -> list[str]:
    """Fetch all feeds; the pairs that the vendor does not have."""
    exchange = str(config["exchange"]["name"])
    markets = Markets(database, exchange)
    history = History(database, markets, DerivativesStore(database, markets))
    absent: list[str] = []
    if any(feed in VENDOR for feed in args.feeds):
        client = Coinalyze(key, shared_budget(database, key), url=args.coinalyze_url or URL)
        known, absent = vendor_markets(client.markets(exchange), pairs)
        now = int(time.time() * 1000)
        since = None if args.last is None else now - args.last
        calls = {
            "liquidations": history.liquidations(client, known, now, since=since),
            "coinalyze_open_interest": history.open_interest(client, known, now),
        }
        _say_all(calls[feed] for feed in args.feeds if feed in calls)
    if ARCHIVE in args.feeds:
        options = config["exchange"].get("ccxt_config", {})
        now = int(time.time() * 1000)
        _say_all([history.archive(ExchangeHistory(exchange, options), pairs, now)])
    return absent


def _say_all(parts: Iterable[Iterator[Fetched]]) -> None:
    for part in parts:
        for one in part:
            span = f", {shown(one.start)} to {shown(one.stop)}" if one.stop else ""
            print(f"{one.pair}: {one.feed.value}, {one.values} values{span}", flush=True)
