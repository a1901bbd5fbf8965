"""Sizes of entries, and the limits of the account that they keep to."""
