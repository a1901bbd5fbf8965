"""Both edges of the scalper's signal, told to freqtrade's webhook; its hit rates, logged."""
