"""What the rows of the flow bars hold while they are open, and what their fold remembers."""

from __future__ import annotations

from typing import Final

# Columns of a row; those up to UNCOVERED are in the order of the fields of FlowBars.
OPEN, HIGH, LOW, CLOSE, BUY, SELL, NOTIONAL, COUNT, BUY_COUNT, MAX_DELTA, MIN_DELTA = range(11)
FIRST_ID, LAST_ID, MISSING, DUPLICATES, LATE, DISORDERED, UNCOVERED = range(11, 18)
OPEN_TIME, OPEN_ID, CLOSE_TIME, CLOSE_ID = range(18, 22)
COLUMNS: Final = 22

# What the fold keeps between calls, besides rows, histogram and cells.
MAX_ID, FLOOR, GAPS, SEEN_TIME, SEEN_ID, HIST_BAR, HIST_BASE, HIST_LOW, HIST_HIGH, CELLS = range(10)
SEEN: Final = 10

# How the clock is divided: sub-bar length, sub-bars of a bar, ticks of a bin, whether ids are
# contiguous, number of the first sub-bar that is open.
SUB_MS, SUBS, BIN_TICKS, CONTIGUOUS, ORIGIN = range(5)

# Why the fold came back: everything folded, room needed, or a trade that is not one.
DONE, MORE_ROWS, MORE_BINS, MORE_CELLS, OFF_TICK, OFF_LOT, NO_SIDE = range(7)

ANEW: Final = 10_000
"""An id so far below all that were counted before a restart is no repeat, but of a new count."""
BLOCK: Final = 256
"""Trades that are added up at a time; what is kept of them stays in the fastest cache."""
ON_GRID: Final = 0.01
"""A price or quantity within this share of a step is on it; floats of decimals never are off."""

MOST: Final = 1e13
"""Ticks of a price and lots of a trade stay below this: what a float is off by there, times a
step and back, is less than ``ON_GRID``."""
NO_LEVEL: Final = 1 << 40
"""The lowest level of a histogram without any."""
