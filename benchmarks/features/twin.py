"""Sixty feature columns as strategies usually compute them: talib.abstract, pandas, one by one.

The formulas are those of Hydra's features, averages cut to a window included; what differs is
the way: Series for arrays, and a column of the frame at a time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import talib.abstract as ta

if TYPE_CHECKING:
    from collections.abc import Iterator

    # What numpy makes of a Series is one, too; the stubs of pandas do not say so.
    Frame: TypeAlias = Any
    Column: TypeAlias = Any


def _decayed(values: Column, q: float, window: int) -> Column:
    """Mean of the last values with weights q**age: two exponential means of all that was."""
    ages = values.notna().cumsum()
    sums = values.ewm(alpha=1 - q, adjust=True).mean() * (1 - q**ages) / (1 - q)
    cut = sums - q**window * sums.shift(window).fillna(0.0)
    return (cut * (1 - q) / (1 - q**window)).where(ages >= window)


def _wilder(values: Column, period: int = 14) -> Column:
    return _decayed(values, 1 - 1 / period, 8 * period)


def _averages(frame: Frame) -> Iterator[tuple[str, Column]]:
    close = frame["close"]
    for span in (20, 50):
        yield f"ema_{span}", _decayed(close, 1 - 2 / (span + 1), 4 * span)
    for window in (10, 100, 200):
        yield f"sma_{window}", ta.SMA(frame, timeperiod=window)
    for window in (4, 24):
        yield f"high_{window}", ta.MAX(frame["high"], timeperiod=window)
        yield f"low_{window}", ta.MIN(frame["low"], timeperiod=window)
    for bars in (1, 4, 24, 48, 50):
        yield f"change_{bars}", close / close.shift(bars) - 1


def _ranges(frame: Frame) -> Iterator[tuple[str, Column]]:
    high, low, close = frame["high"], frame["low"], frame["close"]
    yield "true_range", ta.TRANGE(frame)
    for window in (5, 20):
        yield f"atr_{window}", ta.SMA(frame["true_range"], timeperiod=window)
    yield "atr_14", _wilder(frame["true_range"])
    yield "natr_14", frame["atr_14"] / close
    yield "vol_expansion_20", frame["atr_5"] / frame["atr_20"]
    yield "natr_mean_20", frame["atr_20"] / ta.TYPPRICE(frame)
    yield "natr_wilder_20", _wilder(frame["true_range"], 20) / ta.TYPPRICE(frame)
    yield "prior_natr_mean_20", frame["natr_mean_20"].shift(1)
    yield (
        "scalp_high_natr_20",
        (frame["natr_mean_20"] > 0.006 + 1e-9).where(frame["natr_mean_20"].notna()),
    )
    top, bottom = high.rolling(24).max(), low.rolling(24).min()
    yield "prior_high_24", top.shift(1)
    yield "prior_low_24", bottom.shift(1)
    width = 2 * (top - bottom) / (top + bottom)
    yield "prior_width_12", width.rolling(12).max().shift(1)


def _volatility(frame: Frame) -> Iterator[tuple[str, Column]]:
    high, low, close, open_ = (frame[name] for name in ("high", "low", "close", "open"))
    returns = np.log(close / close.shift(1))
    yield "realised_vol_24", returns.rolling(24).std()
    spans = np.log(high / low) ** 2
    bodies = np.log(close / open_)
    yield "parkinson_24", np.sqrt(spans.rolling(24).mean() / (4 * math.log(2)))
    inner = spans / 2 - (2 * math.log(2) - 1) * bodies**2
    yield "garman_klass_24", np.sqrt(inner.rolling(24).mean())
    up = np.log(high / close) * np.log(high / open_)
    both = up + np.log(low / close) * np.log(low / open_)
    yield "rogers_satchell_24", np.sqrt(both.rolling(24).mean())
    gaps = np.log(open_ / close.shift(1)).rolling(24).var()
    share = 0.34 / (1.34 + 25 / 23)
    drift = share * bodies.rolling(24).var() + (1 - share) * frame["rogers_satchell_24"] ** 2
    yield "yang_zhang_24", np.sqrt(gaps + drift)
    yield "roll_spread_24", 2 * np.sqrt((-returns.rolling(24).cov(returns.shift(1))).clip(lower=0))
    yield "corwin_schultz_24", _corwin_schultz(high, low, close)
    volume = frame["volume"] * close
    impact = (frame["change_1"].abs() / volume).where(volume > 0)
    yield "amihud_24", 1e6 * impact.rolling(24, min_periods=1).mean().where(close.index >= 24)
    yield "variance_ratio_96", _variance_ratio(close, returns)
    yield "variance_ratio_z_96", _variance_ratio_z(frame["variance_ratio_96"], returns)


def _corwin_schultz(high: Column, low: Column, close: Column) -> Column:
    before = close.shift(1)
    gap = (low - before).clip(lower=0) + (high - before).clip(upper=0)
    above, below = high - gap, low - gap
    single = np.log(high / low) ** 2
    both = single.shift(1) + np.log(above / below) ** 2
    joint = np.log(np.maximum(above, high.shift(1)) / np.minimum(below, low.shift(1)))
    scale = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2) - 1) * np.sqrt(both) / scale - joint / math.sqrt(scale)
    spread = 2 * (np.exp(alpha) - 1) / (np.exp(alpha) + 1)
    return spread.clip(lower=0).rolling(24).mean()


def _variance_ratio(close: Column, returns: Column) -> Column:
    longer = np.log(close / close.shift(4))
    centre = 4 * returns.rolling(96).mean()
    away = (longer**2).rolling(93).sum() - 2 * centre * longer.rolling(93).sum() + 93 * centre**2
    return away.clip(lower=0) / (4 * 93 * (1 - 4 / 96)) / returns.rolling(96).var()


def _variance_ratio_z(found: Column, returns: Column) -> Column:
    centre, spread = returns.rolling(96).mean(), 0.0
    for lag in (1, 2, 3):
        old, pairs = returns.shift(lag), 96 - lag
        product, both = returns * old, returns + old
        linear = (product * both).rolling(pairs).sum()
        square = (both**2 + 2 * product).rolling(pairs).sum()
        cubic = both.rolling(pairs).sum()
        rest = centre * (square - centre * (2 * cubic - pairs * centre)) - 2 * linear
        crossed = (product**2).rolling(pairs).sum() + centre * rest
        spread += (2 * (4 - lag) / 4) ** 2 * crossed
    return (found - 1) / (np.sqrt(spread) / (95 * returns.rolling(96).var()))


def _trend(frame: Frame) -> Iterator[tuple[str, Column]]:
    high, low, close = frame["high"], frame["low"], frame["close"]
    moves = close.diff()
    yield "rsi_14", 100 * _wilder(moves.clip(lower=0)) / _wilder(moves.abs())
    up, down = high.diff(), -low.diff()
    for name, one, other in (("plus", up, down), ("minus", down, up)):
        movement = one.where((one > other) & (one > 0), 0.0).where(one.notna())
        yield f"{name}_di_14", 100 * _wilder(movement) / frame["atr_14"]
    plus, minus = frame["plus_di_14"], frame["minus_di_14"]
    yield "adx_14", _wilder(100 * (plus - minus).abs() / (plus + minus))
    yield "adx_prior_low_4", frame["adx_14"].rolling(4).min().shift(1)
    yield "efficiency_24", close.diff(24).abs() / moves.abs().rolling(24).sum()
    ranges = ta.SUM(frame["true_range"], timeperiod=14)
    reach = high.rolling(14).max() - low.rolling(14).min()
    yield "choppiness_14", (100 * np.log10(ranges / reach) / math.log10(14)).clip(0, 100)
    yield "rsi_high_12", frame["rsi_14"].rolling(12).max()
    yield "rsi_low_12", frame["rsi_14"].rolling(12).min()
    yield "prior_change_50", frame["change_50"].shift(1)
    yield "scalp_growth_50", (frame["change_50"] >= -0.001 - 1e-9).where(frame["change_50"].notna())


def _volumes(frame: Frame) -> Iterator[tuple[str, Column]]:
    close, volume = frame["close"], frame["volume"]
    typical = ta.TYPPRICE(frame)
    for window in (20, 24):
        traded = (typical * volume).rolling(window).sum()
        yield f"vwap_{window}", traded / volume.rolling(window).sum()
    centre = frame["vwap_24"]
    yield "vwap_distance_24", close / centre - 1
    # Around a middle near by, or the squares of the prices would hide the rounding.
    near = typical - close.iloc[0]
    squares = (near**2 * volume).rolling(24).sum() / volume.rolling(24).sum()
    spread = np.sqrt((squares - (centre - close.iloc[0]) ** 2).clip(lower=0))
    yield "vwap_upper_24", centre + 2 * spread
    yield "vwap_lower_24", centre - 2 * spread


def _scalper(frame: Frame) -> Iterator[tuple[str, Column]]:
    spans, volume = frame["high"] - frame["low"], frame["volume"]
    for name, values, window in (("low_volume", volume, 20), ("narrow_range", spans, 30)):
        limit = values.rolling(window).quantile(0.05).shift(1)
        least = 0 if name == "low_volume" else -1
        claim = (values > least) & (values <= limit * (1 + 1e-9))
        yield f"scalp_{name}_{window}", claim.where(limit.notna())
    rules = ("low_volume_20", "narrow_range_30", "high_natr_20", "growth_50")
    yield "scalp_all_50", frame[[f"scalp_{rule}" for rule in rules]].min(axis=1, skipna=False)


def _structure(frame: Frame) -> Iterator[tuple[str, Column]]:
    rows = pd.Series(np.arange(len(frame)), index=frame.index, dtype=float)
    for side, sign in (("high", 1), ("low", -1)):
        values = sign * frame[side]
        tops = values.rolling(3).max()
        swing = (values > tops.shift(1)) & (values >= tops.shift(-3))
        at = rows[swing]
        last, previous = (
            each.reindex(frame.index).shift(3).ffill().where(lambda r: r >= rows - 26)
            for each in (at, at.shift(1))
        )
        now, then = (values.reindex(each).to_numpy() for each in (last, previous))
        names = ("higher", "lower") if sign > 0 else ("lower", "higher")
        for name, claim in zip(names, (now > then, now < then), strict=True):
            yield f"{name}_{side}_30", pd.Series(claim, index=frame.index).where(rows >= 29)


FAMILIES = (_averages, _ranges, _volatility, _trend, _volumes, _scalper, _structure)


def populated(candles: pd.DataFrame) -> pd.DataFrame:
    """Return the candles with sixty columns, set one after the other."""
    frame = candles.copy()
    for family in FAMILIES:
        for name, values in family(frame):
            frame[name] = values
    return frame
