"""Hydra: features, gates and smart-limit execution for Freqtrade."""

__version__ = "0.1.0"
