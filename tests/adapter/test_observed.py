"""What hyperopt hands to its workers: all that they decide on, and no more."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
from bars.made_columns import with_made_columns
from decisions.flow_frames import flow_frames
from decisions.heads import FULL, HEAD

from hydra_ft.adapter.decisions.observed import Observed
from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.pipeline import judge
from hydra_ft.types import Bars, Feed

COMPUTED = ("value", "footprint", "forced", "reference")
PAIR = "BTC/USDT:USDT"
FEEDS = (*FULL, Feed.TRADES, Feed.LIQUIDATIONS)


def test_a_worker_decides_the_same_without_the_columns_that_only_features_read() -> None:
    rules = replace(HEAD, feeds=FEEDS)
    frames = {name: with_made_columns(bars) for name, bars in flow_frames(16).items()}
    seen = observe(frames, rules, FEEDS)
    handed = Observed()
    handed[PAIR] = seen
    got = pickle.loads(pickle.dumps(handed))[PAIR]  # noqa: S301 - our own
    assert isinstance(got.base, Bars)
    held = [got.base, *(frame.bars for frame in got.frames.values())]
    assert [getattr(bars, name) for bars in held for name in COMPUTED] == [None] * 4 * len(held)
    assert got.base.flow is not None
    mine, theirs = judge(seen, rules), judge(got, rules)
    for one in fields(mine):
        a, b = getattr(mine, one.name), getattr(theirs, one.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
    assert mine.columns.keys() == theirs.columns.keys()
    for name, values in mine.columns.items():
        np.testing.assert_array_equal(values, theirs.columns[name])
    assert len(pickle.dumps(got)) < 0.8 * len(pickle.dumps(seen))


def test_the_columns_of_a_worker_are_read_only_in_one_piece_or_not() -> None:
    """What a signal wrote into them would be there in the next epoch."""
    frames = flow_frames(16)
    apart = np.repeat(frames["5m"].close, 2)[::2]
    frames["5m"] = replace(frames["5m"], close=apart)
    handed = Observed()
    handed[PAIR] = observe(frames, HEAD, FULL)
    got = pickle.loads(pickle.dumps(handed))[PAIR]  # noqa: S301 - our own
    assert len(got.columns) > 20
    for columns in (got.features, got.columns, got.native):
        assert [name for name, values in columns.items() if values.flags.writeable] == []
