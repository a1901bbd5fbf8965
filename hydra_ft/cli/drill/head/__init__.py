"""The strategy of the drill, in a folder of its own for freqtrade to load it from."""
