"""What the page of the results says that no number changes."""

from __future__ import annotations

from benchmarks.recorded.stage_a import HEAD

OPENING = f"""\
Written by `make results`; do not edit. {HEAD} as it ships over recorded sets, through
`freqtrade download-data` and `freqtrade backtesting`: with its own sizes and limits, with the
stakes of plain freqtrade, with the orders of plain freqtrade, and beside two ways of trading
without it.

Past results say nothing about future ones. Sizes differ between the columns, so a higher return
may be no more than a larger bet: what was risked for it is in the second table, and what a unit
of risk brought in the third. Sizing decides what a loss costs. It cannot turn a losing rule
into a winning one, and nothing here shows that any of these columns would earn money."""

RULES = """\
- **Pairs.** All of a set that have 5m candles, funding and mark prices, but those of two dollar
  coins (USDC).
- **Window.** From the first whole hour at which regime, bias and trend of any pair are known;
  the same window, candles, fees, wallet and slots for every column. A pair whose recording
  begins later decides nothing until it is warm; the others may hold the slots meanwhile.
- **{head}.** Rules, thresholds, sizes, limits, exits and orders as declared, in light mode: the
  sets have the feeds {feeds}, and neither open interest nor liquidations. Stop, target and
  longest hold of a trade are those that its signal declared ([decisions.md](decisions.md)), its
  size follows from the stop ([risk.md](risk.md)) and shrinks as the drawdown grows, so that a run
  which loses bets less and less. Orders are chased on quotes modelled from the
  5m candles ([chase.md](chase.md)). The haircut is what the fills were better than the open of
  their candle, the price at which freqtrade's own backtest fills at once; a real book may not
  give it, so the lower result is the one to believe.
- **Stakes of plain freqtrade.** The same decisions, stops, targets, longest holds, orders and
  counts (trades a day, losses in a row, positions a side), with `hydra.risk.enabled` false: no
  sizes and no limits of the risk layer. `stake_amount` is `{stake}`: a part of what the slots
  share for each of them, at leverage 1, whatever the stop. **Orders of plain freqtrade** is the
  first column with `hydra.chase.backtest` false. Other sizes and fills make other trades: a
  loss that one column avoids may begin a pause in another.
- **Chosen.** On {earlier} the thresholds of regime and bias that
  [calibration.md](calibration.md) lists; on {later} nothing. No number of sizes, limits or
  exits was chosen on either.
- **Buy and hold.** The whole wallet in equal parts of all pairs, bought long at the first open
  of each pair in the window and sold at its last close, with the same fee a side, and with
  funding.
- **SampleStrategy.** As `freqtrade new-strategy --template full` makes it, with its own
  timeframe, stop, targets and sides.
- **Drawdown.** Of the equity at every 5m close, open positions valued at it; below it that of
  closed trades alone, as freqtrade reports it. **Worst day** is the equity from midnight to
  midnight UTC, and below it to the lowest 5m close of any day.
- **Equity** is the whole wallet with what is closed and open. {head} sizes on {share} of it,
  the part that freqtrade lets a bot trade with, and {risk} of that:
  {asked} of the equity.
- **R** is what a position loses at the first stop that was decided for it, fees of both sides
  included: what the size was made from. It is worked out here from the fill and the decided
  stop, not taken from the sizing. At the stop a trade has lost 1 R; a book that loses more than
  it says shows more. What is beyond 1 R without a gap is funding.
- **Loss at the first stop.** Of the trades that no rule had moved the stop of. Freqtrade's
  backtest fills a stop at its price, or at the open of the candle where that is worse: it knows
  no slippage, so the first figure shows whether sizes are what they say, and not what a fast
  market takes. The line below it fills the same stops at the worst price of their 5m candle
  instead. A stop and a target are looked at once a candle, with freqtrade's own rules for which
  came first.
- **Mean trade in R** counts every trade alike, whatever was bet on it; its 95 % interval comes
  from resampling whole days of entry (trades of one day are no independent evidence), and is not
  corrected for how often one looks. **Result of a unit risked** is all profit over all R: trades
  count by what was bet on them. **Return over drawdown** is the net return over the largest
  drawdown.
- **Exposure.** Holding times over window times slots (buy and hold: pairs). **Held** is the
  mean over time of all positions at their entry prices, of the wallet. **Greatest stake** is
  margin: with leverage the position is larger, and the line below it is what counts. **Profit
  factor** is gains over losses. **Mean trade** is net of fees and funding, of the position (not
  of its margin)."""

REPRODUCE = """\
With the sets `ohlcv/binance_2023q3` and `ohlcv/binance_2025mar` in the folder `HYDRA_TEST_DATA`:

```
HYDRA_TEST_DATA=/path/to/data make results
```

`tests/commands/test_recorded_backtest.py` compares every bar's decision in a backtest with stage A
computed on the recording, and `tests/commands/test_recorded_live.py` trades recorded entries in
live mode. What the thresholds were set from is in [calibration.md](calibration.md)."""
