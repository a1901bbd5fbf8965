"""Orders, matching and the account: what happens to an order that reaches the exchange."""
