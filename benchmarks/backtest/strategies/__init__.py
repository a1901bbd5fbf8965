"""Strategies to compare with; freqtrade loads the folder by path."""
