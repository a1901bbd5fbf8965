"""A head is checked where it is declared, and says what it needs."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from annotated_types import Ge, Gt, Le
from decisions.heads import BARE, FULL, HEAD, LIGHT
from typing_extensions import Doc, get_type_hints

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
from hydra_ft.market.bias import BiasRules
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
        *(BiasRules(), RegimeRules(), ChopRules(), VetoRules(), ClockRules()),
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
