"""What ways to execute an order cost, on the embedded exchange: ``make bench-execution``."""
