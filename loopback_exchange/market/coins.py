"""Further contracts by their real names: 42 that join the eight of ``specs``."""

from __future__ import annotations

from typing import NamedTuple


class Coin(NamedTuple):
    """Tick, step and least notional as text; price and turnover a minute in quote."""

    base: str
    tick: str
    step: str
    least: str
    price: float
    minute: float


COINS = (
    Coin("AVAX", "0.001", "1", "5", 30.0, 5e5),
    Coin("LINK", "0.001", "0.01", "20", 15.0, 5e5),
    Coin("DOT", "0.001", "0.1", "5", 5.0, 3e5),
    Coin("BCH", "0.01", "0.001", "20", 450.0, 3e5),
    Coin("UNI", "0.001", "1", "5", 9.0, 2.5e5),
    Coin("ATOM", "0.001", "0.01", "5", 6.0, 1.5e5),
    Coin("ETC", "0.001", "0.01", "20", 22.0, 2e5),
    Coin("FIL", "0.001", "0.1", "5", 4.5, 2e5),
    Coin("NEAR", "0.001", "1", "5", 4.0, 2.5e5),
    Coin("APT", "0.001", "0.1", "5", 7.0, 2e5),
    Coin("ARB", "0.0001", "0.1", "5", 0.6, 2.5e5),
    Coin("OP", "0.0001", "0.1", "5", 1.4, 2e5),
    Coin("SUI", "0.0001", "0.1", "5", 2.5, 8e5),
    Coin("INJ", "0.001", "0.1", "5", 18.0, 1.5e5),
    Coin("TRX", "0.00001", "1", "5", 0.25, 2.5e5),
    Coin("AAVE", "0.01", "0.1", "5", 180.0, 3e5),
    Coin("XLM", "0.00001", "1", "5", 0.3, 2e5),
    Coin("ALGO", "0.00001", "0.1", "5", 0.2, 1e5),
    Coin("VET", "0.000001", "1", "5", 0.03, 8e4),
    Coin("HBAR", "0.00001", "1", "5", 0.18, 2e5),
    Coin("ICP", "0.001", "1", "5", 8.0, 1e5),
    Coin("SEI", "0.00001", "1", "5", 0.3, 1.5e5),
    Coin("TIA", "0.0001", "1", "5", 5.0, 2e5),
    Coin("WLD", "0.0001", "1", "5", 1.5, 3e5),
    Coin("LDO", "0.0001", "1", "5", 1.3, 1e5),
    Coin("CRV", "0.0001", "0.1", "5", 0.7, 2e5),
    Coin("RUNE", "0.0001", "1", "5", 3.5, 1e5),
    Coin("GALA", "0.000001", "1", "5", 0.025, 1.5e5),
    Coin("SAND", "0.00001", "1", "5", 0.4, 1e5),
    Coin("MANA", "0.0001", "1", "5", 0.45, 8e4),
    Coin("AXS", "0.001", "1", "5", 6.0, 6e4),
    Coin("THETA", "0.0001", "0.1", "5", 1.4, 6e4),
    Coin("ENS", "0.001", "0.1", "5", 20.0, 1e5),
    Coin("DYDX", "0.0001", "0.1", "5", 1.2, 8e4),
    Coin("SNX", "0.0001", "0.1", "5", 1.8, 6e4),
    Coin("COMP", "0.01", "0.001", "5", 55.0, 6e4),
    Coin("GRT", "0.00001", "1", "5", 0.15, 7e4),
    Coin("IMX", "0.0001", "1", "5", 1.1, 8e4),
    Coin("STX", "0.0001", "1", "5", 1.3, 8e4),
    Coin("PENDLE", "0.0001", "1", "5", 4.0, 1e5),
    Coin("JUP", "0.0001", "1", "5", 0.7, 1e5),
    Coin("TON", "0.0001", "0.1", "5", 5.0, 2.5e5),
)
