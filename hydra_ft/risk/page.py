"""What docs/risk.md says in words; ``documentation.py`` puts the numbers in."""

from __future__ import annotations

PAGE = """# Risk

How large a position is, what may be open at once, and how a position ends. This page is rendered by
`make docs` from the code that decides; every number in it is computed. **No head asks this layer
yet**: in this version stakes are freqtrade's own, and HydraFlow's stop and target are fixed.

Shares are of the equity: the closed balance plus open profit. Stops, targets and gains are
fractions of the entry price. **R** is what a position loses at its first stop, in one definition
everywhere:

    R = quantity * entry price * (stop + round-trip fee)
    net R of a gain g = (g - fee) / (stop + fee)

What is not known is refused: a size from a missing number is zero and names it, a book with an
unknown position admits nothing, and a correlation of which too little is known counts as 1.

## Size

    risk     = equity * risk_per_trade * product of the factors
    notional = risk / (stop + round-trip fee)
    quantity = notional / price, floored to the step of the exchange
    stake    = notional / leverage

Leverage says how much margin the position binds, never how much it risks. It is whole, and lowered
until the stop takes at most `max_stop_of_margin` of the margin: the liquidation lies far beyond.
Where a cap on the stake or the position allows less than the risk, the cap decides and is named. A
size is never raised to the exchange's minimum: below it there is no entry (`below_min`). A stop
nearer than twice the round-trip fee is refused (`stop_too_tight`), and a factor, a cap or an equity
of zero gives `size_zero`.

**Bias, regime, expansion and losses** are multipliers whose product, the conviction, is kept within
`min_conviction` and `max_conviction`; `conviction_bounds` is what that takes. **Confidence,
volatility, drawdown and correlation** stand outside of those bounds and only ever take away, down
to zero:

    confidence  = min(1, confidence / full_confidence)
    volatility  = min(1, volatility_target / realised), both a year of 365 days
    drawdown    = 1 - drawdown / max_drawdown
    correlation = 1 - correlated positions / max_correlated_share

A confidence ranks signals and is no probability. `kelly_fraction` therefore caps the risk only
where a calibrated probability of winning is given: at that part of (p b - q) / b, with b the
reward to risk after fees.

<SIZING>

### A worked example

A long of BTC, equity <EQUITY>, stop <STOP>, fees <FEE>:

<FACTORS>

The product is <PRODUCT>: of <WHOLE>, <RISK_SHARE> of the equity, <ALLOWED> may be lost. In whole
steps of <STEP> that is a position of <QUANTITY> BTC, or <NOTIONAL>, which loses <RISK> at its stop
of <STOP_PRICE>; at a leverage of <LEVERAGE> it binds <STAKE>.

## Limits

**The day.** Its result is the profit of the trades closed since midnight UTC and of those open
now, each from its own entry and after fees. Entries are judged by that result *if every stop were
hit*, and sized so that it stays within `day_loss`. A price that moves does not change that number,
and a stop that follows a position only raises it, so the day cannot lose more than its budget,
except where a price jumps over a stop, and then by the jump. What a stop has locked in is not
counted on. `max_open_risk` is at most `day_loss`, so what is open at midnight fits into the next
day.

<DAY>

At a loss of `day_loss` entries pause, at `day_flatten_loss` everything is closed as well, and both
pauses end (`veto_day_loss`). `day_gain` rests after a good day where it is set.

**Drawdown.** At `max_drawdown` under the peak of the last `drawdown_window_s` entries pause for
`drawdown_pause_s` (`veto_drawdown`); the peak is then counted anew. A peak that has left the window
counts no longer, so that an account whose sizes have shrunk below the exchange's minimum is not
stopped for ever.

**The book.** No second entry on a pair and side that is under water (`veto_averaging`). Caps on the
positions of one side (`veto_side`), on the margin of one head (`veto_capital`), on the loss if
every stop is hit (`veto_open_risk`), where winners do not pay for losers, and on correlated
positions (`veto_corr`): one counts with its correlation, signed by both sides, from
`correlation_from` on. A hedge is no duplicate and counts nothing. Correlations are those of log
returns on common times, shrunk towards independence (Ledoit & Wolf 2004).

**The tail.** Value at risk is z sigma V - mean V with sigma from the shrunk correlations, expected
shortfall the mean of the worst returns of the same history, both over a day and with the entry in
the book (`veto_var`). A mean counts only where it adds to the loss.

<LIMITS>

## Exits

A stop is unconditional and moves only in favour of the position. It stands where the best of these
rules puts it, by the best price since the entry: the first stop; entry and fees (break-even); a
part of the gain; a distance behind the best price. After the time that the signal gave it, it
stands at the price. A stop that stands already is never loosened, whatever the rules become.

A ladder closes parts of the position on the way; only heads that ask for one have it. With the
default rules, and the ladder of 40, 40 and 20 %, a long entered at 100 with a stop of 1 % does
this:

<STOPS>

<EXITS>

## When it starts

Numbers that contradict each other stop the start, and the message says which: a break-even within
the fees, part shares of more than the whole, a step beyond the target, a target that does not pay
the fees, a risk per trade that no budget holds.
"""
