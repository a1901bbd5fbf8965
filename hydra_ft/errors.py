"""What Hydra raises.

Every error says what was expected, what it was, and what to change::

    HydraError
    ├── SettingsError          a key of the ``hydra`` section is unknown or out of range
    ├── DeclarationError       a feature, signal or head is declared wrongly
    │   └── PolicyError        a number of a policy is out of bounds, or two contradict
    ├── DataError              market data is missing, unordered or has the wrong shape
    ├── FeedError              a feed of a venue was lost, or does not say what it should
    └── StoreError             the Hydra database cannot be read or written
"""

from __future__ import annotations


class HydraError(Exception):
    """Base of all errors of Hydra; catch this one to catch them all."""


class SettingsError(HydraError):
    """The ``hydra`` section of the configuration cannot be used; the message names the key."""


class DeclarationError(HydraError, ImportError):
    """A feature, signal or head is declared wrongly.

    Also an ``ImportError``: freqtrade skips a strategy file that raises one and still
    lists the other strategies, while any other exception aborts the whole command.
    """


class PolicyError(DeclarationError, ValueError):
    """A value of a policy is out of its bounds, or two values contradict each other.

    Also a ``ValueError``: pydantic takes that for a wrong value, and names the section.
    """


class DataError(HydraError):
    """Market data is missing, unordered or has the wrong shape."""


class FeedError(HydraError):
    """A feed of a venue was lost, was silent for too long, or cannot be recorded."""


class StoreError(HydraError):
    """The Hydra database cannot be read or written."""
