"""What the table says is what happened."""

from __future__ import annotations

from drill.journals import Story, round_trip

from hydra_ft.cli.drill.figures import figures
from hydra_ft.types import ChildState
from loopback_exchange import FaultKind, Strike


def test_parents_children_and_fills_are_counted() -> None:
    seen = figures(round_trip().facts(), [])
    assert (seen.orders, seen.entries, seen.exits) == (2, 1, 1)
    assert (seen.children, seen.fills, seen.part_fills) == (3, 3, 1)
    assert seen.ends == {"filled": 2}
    assert seen.unknown == {}


def test_an_open_parent_does_not_count_as_an_order() -> None:
    assert figures(Story().parent(ended_at=0, end_reason="").facts(), []).orders == 0


def test_lost_children_are_counted_by_what_became_of_them() -> None:
    story = Story().parent().attempt(0, 4000, state=ChildState.NOT_SENT)
    story.attempt(5000, 7000, state=ChildState.LOST_FILLED).attempt(8000, 8001)
    seen = figures(story.attempt(9000, 9100, state=ChildState.REJECTED).facts(), [])
    assert seen.unknown == {"not_sent": 1, "lost_filled": 1}
    assert (seen.unknown_max_s, seen.unknown_median_s) == (4.0, 3.0)
    assert seen.rejected == 1


def test_faults_are_counted_by_kind_the_most_frequent_first() -> None:
    slow, lost = (
        Strike(0, 1, "POST", "/fapi/v1/order", kind, "ETHUSDT", "", "")
        for kind in (FaultKind.SLOW, FaultKind.ANSWER_LOST)
    )
    assert list(figures(Story().facts(), [slow, lost, lost]).faults.items()) == [
        ("answer_lost", 2),
        ("slow", 1),
    ]
