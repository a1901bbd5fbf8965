"""An order on the exchange is matched with the attempt it came from, and with no other."""

from dataclasses import replace

import pytest

from hydra_ft.execution.attempts import SeenOrder, match
from hydra_ft.types import Attempt, Kind, Side

SENT = 1_700_000_000_000
ATTEMPT = Attempt("k", "BTC/USDT:USDT", Side.LONG, Kind.ENTRY, 0.01, 50_000.0, SENT)
SEEN = SeenOrder(
    "7", "hydra-a-x1", "BTC/USDT:USDT", True, 50_000.0, 0.01, 0.0, is_open=True, at=SENT + 40
)


def matched(seen: SeenOrder, prefix: str = "hydra-a-", known: frozenset[str] = frozenset()) -> bool:
    return bool(match(ATTEMPT, [seen], known, prefix, 0.001))


def test_the_order_that_an_attempt_became_is_found() -> None:
    assert matched(SEEN)


@pytest.mark.parametrize(
    "change",
    [
        {"pair": "ETH/USDT:USDT"},
        {"buys": False},
        {"price": 50_000.1},
        {"quantity": 0.012},
        {"at": SENT - 3_601_000},
        {"client_order_id": "hydra-b-x1"},
        {"client_order_id": "web_1"},
    ],
    ids=str,
)
def test_somebody_elses_order_is_not_touched(change: dict[str, object]) -> None:
    assert not matched(replace(SEEN, **change))


def test_an_order_that_is_known_already_is_not_matched_again() -> None:
    assert not matched(SEEN, known=frozenset({"7"}))


def test_an_order_that_freqtrade_clipped_is_still_ours() -> None:
    assert matched(replace(SEEN, quantity=0.006))


def test_without_a_prefix_five_agreements_make_it_ours() -> None:
    assert matched(replace(SEEN, client_order_id="anything"), prefix="")


def test_a_market_order_is_matched_without_a_price() -> None:
    market = replace(ATTEMPT, price=0.0)
    assert match(market, [SEEN], frozenset(), "hydra-a-", 0.001) == (SEEN,)


@pytest.mark.parametrize(("prefix", "is_ours"), [("hydra-a-", True), ("", False)])
def test_a_prefix_makes_up_for_a_clock_that_is_far_behind(prefix: str, is_ours: bool) -> None:
    assert matched(replace(SEEN, at=SENT - 61_000), prefix=prefix) is is_ours


def test_an_older_order_with_the_same_figures_is_not_taken_for_the_new_one() -> None:
    """Seen in a drill: both were settled as one, under the number of the older."""
    older = replace(SEEN, order_id="3", at=SENT - 600_000)
    assert match(ATTEMPT, [older, SEEN], frozenset(), "hydra-a-", 0.001) == (SEEN,)


def test_what_only_takes_away_is_no_entry() -> None:
    """Our own take-back of an earlier fill has the direction of an entry on the other side."""
    assert not matched(replace(SEEN, is_reduce_only=True))
