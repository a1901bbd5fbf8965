"""What may trade, and why not."""
