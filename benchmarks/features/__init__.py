"""What features cost, beside freqtrade's own ways and beside naive ones."""
