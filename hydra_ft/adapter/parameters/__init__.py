"""Declared numbers as freqtrade parameters."""
