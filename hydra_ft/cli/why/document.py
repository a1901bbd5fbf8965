"""Decisions and funnels as one JSON document; times are UTC ms, shares 0..1."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.why.text import facts_of, others, reason
from hydra_ft.decisions.wording import candidate, market

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hydra_ft.cli.why.funnel import SignalCount, Stage
    from hydra_ft.store.decision_row import DecisionRow


def decisions(
    source: str,
    rows: Iterable[DecisionRow],
    rules_of: Callable[[DecisionRow], Mapping[str, float]],
) -> str:
    """Rows with the thresholds in force and their words, oldest first."""
    return _text({"source": source, "decisions": [_decision(row, rules_of(row)) for row in rows]})


def _decision(row: DecisionRow, rules: Mapping[str, float]) -> dict[str, Any]:
    facts = facts_of(row, rules)
    words = {
        "reason": reason(row, facts),
        **{name.replace(" ", "_"): told for name, told in others(row, facts).items()},
        "candidate": candidate(facts),
        "market": market(facts),
    }
    return {**asdict(row), "rules": dict(rules), "words": words}


def summary(
    source: str, since: int, stages: Sequence[Stage], signals: Sequence[SignalCount]
) -> str:
    """The funnel and its candidates by signal."""
    content = {
        "source": source,
        "since": since,
        "stages": [
            {**asdict(stage), "stopped": stage.stopped, "adds_up": stage.adds_up}
            for stage in stages
        ],
        "signals": [asdict(one) for one in signals],
    }
    return _text(content)


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False)
