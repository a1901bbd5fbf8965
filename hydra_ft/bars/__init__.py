"""Closed bars as arrays, and what can be wrong with them."""
