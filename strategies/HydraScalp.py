"""HydraScalp: buy quiet, narrow bars of 10 seconds in a lively market, for minutes."""

from dataclasses import replace

from hydra_ft import signals
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.flow_exits import FlowExitRules
from hydra_ft.decisions.rules import AdmissionRules, ClockRules, HeadRules, VetoRules
from hydra_ft.execution.policy import PRESETS, ChasePolicies
from hydra_ft.market.bias import BiasRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.risk.policy import ExitRules, LimitRules, RiskPolicy, SizingRules
from hydra_ft.types import Feed


class HydraScalp(HydraStrategy):
    """Enter long at a 1m close whose last 20 seconds hold a signal of 10-second bars.

    Those bars are made of recorded trades, so list trades in hydra.feeds; without them the same
    rules run on minutes, under the name scalp_1m. Regime and bias are those of every head.
    The signal's beginning and end go to freqtrade's webhook: docs/scalp.md.
    """

    can_short = False

    rules = HeadRules(
        name="HydraScalp",
        base="1m",
        fine="10s",
        market="1h",
        structure="4h",
        feeds=(Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST, Feed.TRADES),
        # Only one of them is on: the second where no trades are listed.
        signals=(signals.scalp, signals.scalp_1m),
        regime=RegimeRules(),
        bias=BiasRules(),
        # Target and stop are 1.5 and 1.0 mean ranges, of which costs leave 1.2 to 1.5.
        vetoes=VetoRules(min_reward_to_risk=1.2),
        clock=ClockRules(),
        # Their numbers are for 5m and hours; a position here is over in minutes.
        flow_exits=FlowExitRules(by_value=False, by_reversal=False),
        admission=AdmissionRules(
            max_day_trades=100, max_losses=5, loss_pause_s=3600, max_same_side=3
        ),
    )

    # What hyperopt searches by itself; every other number of the rules is a parameter too.
    searched = (
        "signals.scalp.max_volume_rank",
        "signals.scalp.max_range_rank",
        "signals.scalp.min_natr",
        "signals.scalp.min_growth",
        "signals.scalp.reward",
    )

    # An entry that is not filled while its signal lives is left; an exit is taken as soon.
    chase = ChasePolicies(
        entry=replace(PRESETS["balanced"].entry, deadline_s=20.0, min_requote_interval_s=3.0),
        exit=replace(PRESETS["balanced"].exit, deadline_s=20.0, min_requote_interval_s=3.0),
    )

    # A tenth of a percent of the equity is lost at a stop. The position ends at its stop, its
    # target or its time, and nothing moves the stop before.
    risk = RiskPolicy(
        sizing=SizingRules(risk_per_trade=0.001, round_trip_fee=0.001),
        limits=LimitRules(day_loss=0.01, day_flatten_loss=0.015, max_open_risk=0.003),
        exits=ExitRules(break_even_at=0.0, lock_at_r=0.0, trail_from_r=0.0),
    )

    # Share of the margin beyond which freqtrade holds nothing: room for the widest stop that a
    # signal may declare (3 %) at three times leverage. Each entry's own stop stands before it.
    stoploss = -0.1
