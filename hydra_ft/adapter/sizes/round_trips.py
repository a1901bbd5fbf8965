"""The fee in R: what entry and exit of a pair cost together, in one number for sizes and exits.

The policy says what a round trip costs (``sizing.round_trip_fee``). Where the venue charges more,
a taker's fee twice, that counts, or a stop would lose more than was budgeted. It is known before
an entry, and freqtrade books no more: R of a trade is R that it was sized by, whatever part of its
orders rested.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade.exceptions import FreqtradeException

from hydra_ft.adapter.markets import Markets
from hydra_ft.adapter.parameters.risk_parameters import RiskParameters
from hydra_ft.adapter.start import TESTED

if TYPE_CHECKING:
    from hydra_ft.risk.policy import RiskPolicy

logger = logging.getLogger(__name__)


class RoundTrips(RiskParameters):
    """Knows the fee of a round trip in each pair."""

    def round_trip_fee(self, pair: str) -> float:
        """Fees of entry and exit together, of the price: the policy's, or the venue's if more."""
        own = self.risk.sizing.round_trip_fee if self.risk is not None else 0.0
        return max(own, self._charged(pair))

    def policy_for(self, pair: str, policy: RiskPolicy) -> RiskPolicy:
        """Policy with the fee of a pair; raises PolicyError where they contradict each other."""
        fee = self.round_trip_fee(pair)
        if fee == policy.sizing.round_trip_fee:
            return policy
        return replace(policy, sizing=replace(policy.sizing, round_trip_fee=fee))

    def _charged(self, pair: str) -> float:
        """What the venue takes of two orders that cross, of the price; 0 where it does not say.

        A backtest books the fee of its first pair with every trade.
        """
        known: dict[str, float] = self.__dict__.setdefault("_kept_fees", {})
        if pair not in known:
            tested = self.config.get("runmode") in TESTED
            first = self.dp.current_whitelist()[:1] if tested else []
            try:
                markets = Markets(self.dp)
                rates = [
                    markets.fee(one, is_maker=is_maker)
                    for one in (pair, *first)
                    for is_maker in (True, False)
                ]
            except FreqtradeException as error:
                logger.warning("The fee of %s is not known: %s; the policy's counts.", pair, error)
                return 0.0
            known[pair] = 2 * max(rates)
        return known[pair]
