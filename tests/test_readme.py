"""The commands of the README bring what they need."""

from __future__ import annotations

from pathlib import Path

from hydra_ft.adapter.heads import load_rules
from hydra_ft.decisions.rules import usual_feeds
from hydra_ft.types import Feed

ROOT = Path(__file__).parents[1]


def test_what_is_downloaded_before_a_backtest_is_all_that_the_head_reads() -> None:
    """A feed that nobody downloaded stops every bar."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("### Backtest it")[2].partition("\n### ")[0]
    commands = [line.split() for line in section.splitlines() if line.startswith("freqtrade ")]
    *downloads, test = [words[1] for words in commands]
    assert (set(downloads), test) == ({"download-data"}, "backtesting")
    rules = load_rules("HydraFlow", ROOT / "strategies")
    # Funding rates come with the candles of futures.
    apart = set(usual_feeds(rules)) - {Feed.CANDLES, Feed.FUNDING}
    candles = next(words for words in commands if "--candle-types" not in words)
    assert set(rules.timeframes) <= set(candles)
    brought = [words for words in commands if "--candle-types" in words]
    assert {words[words.index("--candle-types") + 1] for words in brought} == apart
    assert all(rules.market in words for words in brought)
