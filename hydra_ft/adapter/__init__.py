"""The only folder that imports freqtrade: its callbacks in, plain values out."""
