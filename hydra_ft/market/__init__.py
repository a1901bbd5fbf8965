"""The state of the market: regime, bias and trend of closed bars."""
