"""A head is checked where it is declared, and says what it needs."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from annotated_types import Ge, Gt, Le
from decisions.heads import BARE, FULL, HEAD, LIGHT
from typing_extensions import Doc, get_type_hints

from hydra_ft.decisions.flow_exits import FlowExitRules
from hydra_ft.decisions.rules import (
    ClockRules,
    VetoRules,
    active_signals,
    listed,
    needed_features,
    startup_candles,
)
from hydra_ft.errors import DeclarationError
from hydra_ft.market import regime
from hydra_ft.market.bias import LIQUIDATION, BiasRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.market.scores import ChopRules
from hydra_ft.signals import trend_pullback
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Feed


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"feeds": (Feed.FUNDING,)}, "candles"),
        ({"base": "5x"}, "timeframe"),
        ({"market": "7m"}, "do not nest"),
        ({"signals": (replace(trend_pullback, needs=("ema_21_1h",)),)}, "ema_21_1h"),
        ({"signals": (replace(trend_pullback, needs=("ema_20_2h",)),)}, "ema_20_2h"),
        ({"signals": (replace(trend_pullback, uses=("nothing",)),)}, "nothing"),
    ],
)
def test_a_head_that_contradicts_itself_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(DeclarationError, match=text):
        replace(HEAD, **change)


def test_feeds_can_be_narrowed_and_candles_stay() -> None:
    assert listed(HEAD, ()) == (Feed.CANDLES,)
    assert listed(HEAD, (Feed.BOOK, Feed.FUNDING)) == (Feed.CANDLES, Feed.FUNDING)


def test_a_signal_without_its_feed_is_off() -> None:
    assert [s.name for s in active_signals(HEAD, LIGHT)] == [s.name for s in HEAD.signals]
    assert "funding_pressure" not in [s.name for s in active_signals(HEAD, BARE)]


def test_features_follow_from_signals_market_and_feeds() -> None:
    full = {tf: {f.name for f in made} for tf, made in needed_features(HEAD, FULL).items()}
    assert set(full) == {"5m", "1h", "4h"}
    assert full["5m"] == set()
    assert {"open_interest_change_24", "funding_z_168", "adx_14"} <= full["1h"]
    assert full["4h"] == {
        f"{level}_{point}_30" for level in ("higher", "lower") for point in ("high", "low")
    }
    bare = {f.name for f in needed_features(HEAD, BARE)["1h"]}
    assert not any(name.startswith(("funding", "open_interest")) for name in bare)


@pytest.mark.parametrize(
    "tree",
    [
        *(BiasRules(), RegimeRules(), ChopRules(), VetoRules(), ClockRules(), FlowExitRules()),
        *(made.rules for made in SIGNALS.values()),
    ],
    ids=lambda tree: type(tree).__name__,
)
def test_every_threshold_has_bounds_and_words_and_a_default_within(tree: object) -> None:
    """What settings and hyperopt read: the constraint stands beside the number."""
    hints = get_type_hints(type(tree), include_extras=True)
    for field in fields(tree):  # type: ignore[arg-type]
        kind, *notes = get_args(hints[field.name])
        assert any(isinstance(note, Doc) for note in notes), field.name
        value = getattr(tree, field.name)
        if kind in {int, float}:
            low = [n for n in notes if isinstance(n, Ge | Gt)]
            high = [n for n in notes if isinstance(n, Le)]
            assert low, field.name
            assert high, field.name
            assert value <= high[0].le
            assert value >= (low[0].ge if isinstance(low[0], Ge) else low[0].gt)


def test_startup_covers_every_lookback_and_leaves_30_days_usable() -> None:
    """1-05: the warm-up is derived, so documentation and code cannot disagree."""
    startup = startup_candles(HEAD)
    for features in needed_features(HEAD, FULL).values():
        assert all(startup > f.lookback for f in features)
    assert startup > regime.lookback(HEAD.regime)
    assert startup < 400
    assert max(f.lookback for f in needed_features(HEAD, FULL)["4h"]) <= 100


def test_a_column_that_no_feature_gives_is_refused_with_what_was_expected() -> None:
    with pytest.raises(DeclarationError) as refused:
        replace(HEAD, signals=(replace(trend_pullback, needs=("ema_21_1h",)),))
    for part in ("trend_pullback", "'ema_21_1h'", "a feature on one of ('5m', '1h', '4h')"):
        assert part in str(refused.value)


def test_a_bias_that_blocks_and_closes_at_once_is_allowed() -> None:
    same = replace(HEAD, bias=replace(HEAD.bias, block_from=0.7, exit_from=0.7))
    assert same.bias.exit_from == same.bias.block_from


def test_liquidations_are_read_on_the_base_bars_where_they_are_listed() -> None:
    """F-A20: the bias follows their bucket within an hour, so they are not read hourly."""
    fed = replace(HEAD, feeds=(*FULL, Feed.LIQUIDATIONS))
    found = needed_features(fed, fed.feeds)
    assert [f.name for f in found["5m"]] == [LIQUIDATION]
    assert not any(Feed.LIQUIDATIONS in f.feeds for f in found["1h"])
    assert needed_features(fed, FULL)["5m"] == ()


def test_startup_is_the_longest_lookback_the_longest_memory_and_the_alignment() -> None:
    """1-05: one bar more than the fold of the regime sees, because a turn is a difference."""
    turned = regime.lookback(HEAD.regime) + 1
    longest = max(f.lookback for made in needed_features(HEAD, FULL).values() for f in made)
    assert startup_candles(HEAD) == max(longest, turned) + 2
    quiet, mindful, long = (replace(trend_pullback, memory_bars=bars) for bars in (0, 50, 400))
    heads = (replace(HEAD, signals=(made,)) for made in (quiet, mindful, long))
    few, many, most = (startup_candles(head) for head in heads)
    # 50 bars of 5m reach into the fifth hour before; 400 of them are more than all hours.
    assert many == few + 5
    assert most == 400 + 2
    assert startup_candles(replace(HEAD, signals=())) == few
    wide = replace(HEAD, regime=replace(HEAD.regime, window_bars=48))
    short = replace(HEAD, regime=replace(HEAD.regime, window_bars=8))
    assert startup_candles(wide) >= regime.lookback(wide.regime) + 3
    assert startup_candles(short) <= startup_candles(wide)
