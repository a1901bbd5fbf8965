"""What docs/risk.md says in words; ``documentation.py`` puts the numbers in."""

from __future__ import annotations

PAGE = """# Risk

How large a position is, what may be open at once, and how a position ends. This page is rendered by
`make docs` from the code that decides; every number in it is computed.

A head that declares `risk = RiskPolicy(...)` is under these rules, live, in dry-run and in
backtests; the numbers below are the defaults, `HydraFlow`'s own stand in its file. A head without
one has freqtrade's stake, its own `stoploss` and `minimal_roi`. `"hydra": {"risk": {"enabled":
false}}` leaves sizes and limits to freqtrade; the exits stay. What the operator commands
(`/forcelong`) has freqtrade's stake, the head's `stoploss` and no target.

Shares are of the equity: the closed balance plus open profit. Stops, targets and gains are
fractions of the entry price. **R** is what a position loses at its first stop, in one definition
everywhere:

    R = quantity * entry price * (stop + round-trip fee)
    net R of a gain g = (g - fee) / (stop + fee)

The fee is `round_trip_fee`, or what the venue takes of two orders that cross where that is more; it
is kept with the trade.

What is not known is refused: a size from a missing number is zero and names it, a book with an
unknown position admits nothing (`account_unknown`), and a correlation of which too little is known
counts as 1.

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
of zero gives `size_zero`. Where the venue's fees contradict the policy, as fees of a break-even or
more do, nothing is entered (`fees_too_high`).

**Bias, regime, expansion and losses** are multipliers whose product, the conviction, is kept within
`min_conviction` and `max_conviction`; `conviction_bounds` is what that takes. **Confidence,
volatility, drawdown and correlation** stand outside of those bounds and only ever take away, down
to zero:

    confidence  = min(1, confidence / full_confidence)
    volatility  = min(1, volatility_target / realised), both a year of 365 days
    drawdown    = 1 - drawdown / max_drawdown
    correlation = 1 - correlated positions / max_correlated_share

`hydra why --size BTC` shows every factor of the last entries of a pair, and why others
got no size; a trade that was chased live keeps them in its custom data under `hydra_size`.

A confidence ranks signals and is no probability. `kelly_fraction` therefore caps the risk only
where a calibrated probability of winning is given: at that part of (p b - q) / b, with b the
reward to risk after fees.

<SIZING>

### In Freqtrade

- The equity is the capital that freqtrade lets the bot trade with (`tradable_balance_ratio`,
  `available_capital`), and the profit of its open trades at the middle of the book (live, with the
  chase) or the newest close, fees included.
- Its peak and the losses in a row are read from freqtrade's closed trades, so that a restart
  forgets nothing.
- Freqtrade raises a stake to the exchange's minimum, by 30 % at most. Hydra's stake is 0 before
  that: nothing raises the risk.
- Leverage is as high as policy and exchange allow, and never so high that the head's `stoploss`, a
  share of the margin beyond which freqtrade holds nothing, would come before the entry's own stop.
- A chase that buys higher keeps the quantity: the risk grows with the price, by `max_chase_bps` at
  most.

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
positions of one side (`veto_side_share`), on the margin of one head (`veto_capital`), on the loss
if every stop is hit (`veto_open_risk`), where winners do not pay for losers, and on correlated
positions (`veto_corr`): one counts with its correlation, signed by both sides, from
`correlation_from` on. A hedge is no duplicate and counts nothing. Correlations are those of log
returns on common times, shrunk towards independence (Ledoit & Wolf 2004).

**The tail.** Value at risk is z sigma V - mean V with sigma from the shrunk correlations, expected
shortfall the mean of the worst returns of the same history, both over a day and with the entry in
the book (`veto_var`). A mean counts only where it adds to the loss.

<LIMITS>

### In Freqtrade

Limits are judged after the counts of stage B (trades a day, losses in a row, positions a side), on
every open trade as freqtrade books it, an unfilled one at its full size. Correlations come from the
last 240 closed bars of the market timeframe; a pair whose candles the bot does not read counts as
moving with the entry.

A pause begins once and has one end. It locks all pairs, and `/locks` shows it. Neither a restart
nor `/unlock` makes it longer; `/unlock` takes the lock away, not the loss: entries go on to be
refused while the numbers say so, and the day's budget is back at midnight UTC. Backtests pause for
the same times, without locks. At `day_flatten_loss` all bots of the account close what was open at
that moment (exit reason `day_loss`); what you open by command afterwards is yours.

### Several bots

Limits are those of the account: all bots of one Hydra database with the same stake currency and
`hydra.risk.account`, dry-run apart from live. Equity, day, drawdown, open risk, sides, correlations
and the tail are sums over its bots, the capital of a head is counted by its name; the size of an
entry comes from its own bot's equity. Give each bot its share with `available_capital`. Bots that
each see one whole wallet do not double it: on an exchange no more counts than the greatest wallet
seen there. Trades a day and losses in a row are each bot's own. A head without a risk policy, or
with `hydra.risk.enabled` off, is not limited; what it holds, its equity and its results count for
the others.

An entry reserves its room before it is sent, one bot at a time: two bots that decide at the same
moment never both take the last room. It gives the room back when it ends unfilled. Where the
database cannot be reached nothing is entered; exits go on, held up by a quarter of a second in a
loop where another process has locked it. Every bot needs its own `hydra.bot_name`: of two that run
with one name both tell you so.

A bot that is silent for `hydra.risk.bot_silent_s` (ten minutes) may be dead, and what it holds
still risks money: its positions, the entries it has sent and its losses of the day go on counting,
its equity and gains do not. So entries have less room. Silence is no loss, though: pauses and the
closing of a day go by what each bot told last. You are told once. Start it again, or name it in
`hydra.risk.forgotten_bots`; `holdings_kept_s` forgets by time.

The first equity of a day is reckoned back from the balance of now: money that is withdrawn on a
losing day makes its loss a larger part. Withdraw after midnight UTC, or on a day without losses.

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

How stops, targets and parts become freqtrade's orders and exit reasons stands in
[decisions.md](decisions.md).

## Parameters

All numbers are freqtrade parameters: `risk_sizing_risk_per_trade` and `risk_limits_day_loss` in the
space `protection`, `risk_exits_break_even_at` in `sell`, and so on, but for the shares of partial
exits of a head that declares none. A `HydraFlow.json` sets them; hyperopt searches those that a
class of yours declares.

## When it starts

Numbers that contradict each other stop the start, and the message says which: a break-even within
the fees, part shares of more than the whole, a step beyond the target, a target that does not pay
the fees, a risk per trade that no budget holds.
"""
