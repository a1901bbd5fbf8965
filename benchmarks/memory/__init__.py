"""What many pairs cost a bot in memory, with HydraFlow and without."""
