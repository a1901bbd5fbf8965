"""What the rules do on recorded data: calibration of the thresholds, and results of backtests."""
