"""How a position ends: stops, targets, time, and parts on the way."""
