"""What `hydra doctor` says of recorded feeds: is each one kept, how old is it, who records it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.adapter.recorded.feeds import RECORDED
from hydra_ft.cli.data.status import STALE_MS, length
from hydra_ft.errors import StoreError
from hydra_ft.settings import SECTION, load_settings
from hydra_ft.store.flow_coverage import OWN
from hydra_ft.store.flow_schema import COVERAGE, FLOW_BARS, GAPS, MARKETS
from hydra_ft.store.flow_status import statuses
from hydra_ft.store.read_only import ReadOnlyDatabase, file_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.store.flow_status import FeedStatus

    Line = tuple[str, str, str]

_SHOWN: Final = 5
"""Pairs that are named at most."""


def feed_lines(config: Mapping[str, Any], rules: HeadRules | None, url: str) -> Iterator[Line]:
    """Yield level, name and detail: one line for what is of no use, one for each recorded feed.

    Without ``rules`` every feed that is listed is taken to be of use.
    """
    settings = load_settings(config.get(SECTION))
    listed = settings.feeds or ()
    useless = [feed for feed in listed if rules is not None and feed not in rules.feeds]
    if rules is not None and useless:
        usable = ", ".join(rules.feeds)
        detail = f"expected feeds that {rules.name} can use ({usable}); it was also "
        yield "warn", "hydra.feeds", f"{detail}{', '.join(useless)}, which nothing reads; remove it"
    used = [feed for feed in listed if feed in RECORDED and feed not in useless]
    if not used:
        return
    try:
        found = _statuses(url)
    except StoreError as error:
        yield "warn", "hydra.feeds", str(error)
        return
    exchange = config["exchange"]
    pairs = [str(pair) for pair in exchange.get("pair_whitelist") or ()]
    named = [] if any(re.search(r"[^\w/:.-]", pair) for pair in pairs) else pairs
    for feed in used:
        kept = [one for one in found if (one.exchange, one.feed) == (exchange["name"], feed.value)]
        own = [one for one in kept if one.source == OWN]
        level, detail = _told(own, named, config, in_bot=settings.recorder.in_bot)
        yield level, f"feed {feed}", detail + _history(kept)


def _statuses(url: str) -> list[FeedStatus]:
    """What is kept; nothing where there is no database yet, which is not made either."""
    file = file_of(url)
    if file is not None and not file.exists():
        return []
    database = ReadOnlyDatabase(url, (MARKETS, COVERAGE, GAPS, FLOW_BARS))
    try:
        return statuses(database) if database.has_tables else []
    finally:
        database.close()


def _told(
    kept: Collection[FeedStatus], named: Collection[str], config: Mapping[str, Any], *, in_bot: bool
) -> tuple[str, str]:
    record = f"run: hydra record --userdir {config['user_data_dir']}"
    if not kept:
        if in_bot:
            return (
                "warn",
                "nothing is recorded yet; the bot does it, and trades once enough is kept",
            )
        change = f"{record}, or set hydra.recorder.in_bot to true"
        return "warn", f"it is listed, but nothing is recorded and nobody records; {change}"
    now = int(time.time() * 1000)
    newest = {pair: max(one.stop for one in kept if one.pair == pair) for pair in _pairs(kept)}
    age = max(0, now - max(newest.values()))
    is_recorded = age <= STALE_MS
    until = f"kept of {len(newest)} pairs, the newest ended {length(age)} ago"
    lacking = [
        pair
        for pair in named
        if pair not in newest or (is_recorded and now - newest[pair] > STALE_MS)
    ]
    if lacking and not in_bot:
        shown = ", ".join(lacking[:_SHOWN]) + ", ..." * (len(lacking) > _SHOWN)
        change = "start hydra record anew" if is_recorded else record
        return "warn", f"{until}; not recorded: {shown}, which trades nothing; {change}"
    if is_recorded:
        return "ok", f"{until}: a recorder is at work"
    if in_bot:
        return "ok", f"{until}; the bot records it"
    return "warn", f"{until}, and nobody records; before the bot trades {record}"


def _history(kept: Collection[FeedStatus]) -> str:
    """Say what was fetched of others' histories: no recorder made it, and none goes on with it."""
    now = int(time.time() * 1000)
    of: dict[str, list[FeedStatus]] = {}
    for one in kept:
        if one.source != OWN:
            of.setdefault(one.source, []).append(one)
    return "".join(
        f"; history of {source}: {len(_pairs(found))} pairs, "
        f"the newest ended {length(max(0, now - max(one.stop for one in found)))} ago"
        for source, found in sorted(of.items())
    )


def _pairs(kept: Collection[FeedStatus]) -> set[str]:
    return {one.pair for one in kept}
