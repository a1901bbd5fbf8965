"""What a recorder has kept, beside the candles of freqtrade."""
