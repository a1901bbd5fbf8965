"""Stage B and the ledger of both stages."""
