"""The Hydra database: the only SQL of the pack."""
