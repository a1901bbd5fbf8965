"""Measurements that are printed for people to read; not part of the installed package."""
