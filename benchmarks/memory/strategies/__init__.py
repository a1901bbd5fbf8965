"""Strategies without Hydra; freqtrade loads the folder by path."""
