"""HydraFlow: trade with the trend and the bias, with patient limit orders."""

from hydra_ft import signals
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import AdmissionRules, ClockRules, HeadRules, VetoRules
from hydra_ft.execution.policy import PRESETS, ChasePolicies
from hydra_ft.market.bias import BiasRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.risk.policy import LimitRules, RiskPolicy, SizingRules
from hydra_ft.types import Feed


class HydraFlow(HydraStrategy):
    """Enter on a 5m close in the direction of the 1h regime, unless the bias is against it.

    The market's state comes from closed 1h bars, funding and open interest, and from trades and
    liquidations where they are recorded and listed; nothing is traded in a choppy market.
    Positions leave when the bias turns strongly against them, when the regime turns, when
    takers do, at the target, or at the stop.
    """

    can_short = True

    rules = HeadRules(
        name="HydraFlow",
        base="5m",
        market="1h",
        structure="4h",
        # The last two are recorded, and used where `hydra.feeds` lists them: liquidation_cascade
        # needs the last one.
        feeds=(Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST, Feed.TRADES, Feed.LIQUIDATIONS),
        # sma_cross is left out: add it to switch it on.
        signals=(
            signals.funding_pressure,
            signals.trend_pullback,
            signals.liquidation_cascade,
            signals.range_breakout,
            signals.trend_exhaustion,
            signals.adx_expansion,
            signals.structure_retest,
            signals.range_fade,
        ),
        regime=RegimeRules(),
        bias=BiasRules(),
        vetoes=VetoRules(),
        clock=ClockRules(),
        admission=AdmissionRules(max_day_trades=4, max_losses=3, max_same_side=2),
    )

    # What hyperopt searches by itself; every other number of the rules is a parameter too.
    searched = (
        "regime.chop_above",
        "regime.trend_above",
        "bias.block_from",
        "vetoes.min_confidence",
        "vetoes.extended_above",
        "bias.exit_from",
        "signals.trend_pullback.stop_high",
        "signals.trend_pullback.reward",
        "admission.max_day_trades",
        "admission.max_same_side",
    )

    # Orders rest at the own touch and follow it: entries are left after two minutes,
    # exits taken after one.
    chase = ChasePolicies(entry=PRESETS["balanced"].entry, exit=PRESETS["balanced"].exit)

    # Half a percent of the equity is lost at a stop. Entries end at the latest where a day would
    # lose two with every stop hit; only jumps over stops take more, and at three all is closed.
    risk = RiskPolicy(
        sizing=SizingRules(risk_per_trade=0.005, round_trip_fee=0.001),
        limits=LimitRules(day_loss=0.02, day_flatten_loss=0.03, max_open_risk=0.015),
    )

    # Share of the margin beyond which freqtrade holds nothing: room for the widest stop that a
    # signal may declare (2.5 %) at three times leverage. Each entry's own stop stands before it.
    stoploss = -0.08
