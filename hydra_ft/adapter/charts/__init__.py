"""What FreqUI draws."""
