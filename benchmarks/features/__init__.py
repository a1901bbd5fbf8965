"""What order flow and profiles cost, beside freqtrade's own and beside naive ways."""
