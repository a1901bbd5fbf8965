"""What freqtrade does not carry: public trades, liquidations and books, as the venues send them."""
