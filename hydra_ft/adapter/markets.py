"""What the exchange says of its markets: steps, fees, minimum; read whenever it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ccxt import DECIMAL_PLACES, TICK_SIZE

from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade.data.dataprovider import DataProvider


class Markets:
    """Rules of the markets of a bot; it leaves the exchange as it is."""

    def __init__(self, dp: DataProvider) -> None:
        self._dp = dp
        self._exchange = dp._exchange  # noqa: SLF001 - the seam

    def tick_size(self, pair: str) -> float:
        """Return the smallest price step of a pair (quote currency)."""
        return self._grid(pair, "price")

    def as_sent(self, pair: str, price: float) -> float:
        """Return a price as freqtrade rounds it when it sends an order."""
        return float(self._exchange.price_to_precision(pair, price))

    def step_size(self, pair: str) -> float:
        """Return the smallest quantity step of a pair (base currency)."""
        return self._grid(pair, "amount") * float(self._market(pair).get("contractSize") or 1)

    def _market(self, pair: str) -> Mapping[str, Any]:
        market: Mapping[str, Any] | None = self._dp.market(pair)
        if market is None:
            msg = f"expected a market {pair!r} on the exchange, was none; check pair_whitelist"
            raise DataError(msg)
        return market

    def _grid(self, pair: str, what: str) -> float:
        value = self._market(pair)["precision"][what]
        if self._exchange.precisionMode == TICK_SIZE:
            return float(value)
        if self._exchange.precisionMode == DECIMAL_PLACES:
            return float(10 ** -int(value))
        msg = f"expected tick sizes or decimal places from the exchange for {pair}, was neither"
        raise DataError(msg)

    def min_stake(self, pair: str, rate: float, stoploss: float) -> float:
        """Return freqtrade's minimum stake (quote), by its own formula; 0 if it has none."""
        return float(self._exchange.get_min_pair_stake_amount(pair, rate, stoploss) or 0.0)

    def fee(self, pair: str, *, is_maker: bool) -> float:
        """Return the fee of a pair as a ratio of the value."""
        kind: Literal["maker", "taker"] = "maker" if is_maker else "taker"
        return float(self._exchange.get_fee(pair, taker_or_maker=kind))
