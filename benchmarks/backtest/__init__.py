"""What Hydra adds to freqtrade's own work, live and in backtests, as ratios of one run."""
