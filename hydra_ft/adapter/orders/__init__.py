"""The order route: parents and children of the chase, live and in backtests."""
