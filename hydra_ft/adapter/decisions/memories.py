"""What a bot that trades remembers of each pair that it decides on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hydra_ft.decisions.newest import NewestFirst
from hydra_ft.decisions.sight import Sight
from hydra_ft.features.drift import Drift

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hydra_ft.decisions.evaluation import Observation
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.decisions.rules import HeadRules

logger = logging.getLogger(__name__)


class Memories:
    """One memory a pair; which decisions and columns may be continued is known of all together."""

    def __init__(self) -> None:
        self._of: dict[str, NewestFirst] = {}
        self._sight = Sight()
        self._drift = Drift()
        self._said: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def of(self, pair: str) -> NewestFirst:
        """Memory of a pair, a new one where there is none."""
        return self._of.setdefault(pair, NewestFirst(self._sight, self._drift))

    def judge(self, pair: str, seen: Observation, rules: HeadRules) -> Decisions:
        """Decide on what the memory of a pair has observed last."""
        made = self.of(pair).judge(seen, rules)
        self.note_errors(pair, made)
        for news in filter(None, (*self._drift.news(), self._sight.news())):
            logger.warning("%s: %s", pair, news)
        return made

    def note_errors(self, pair: str, made: Decisions) -> None:
        """Say why signals could not be computed: each text of a signal once, of the first pair."""
        for name, text in made.errors.items():
            if (name, text) not in self._said:
                self._said.add((name, text))
                logger.error(
                    "%s: signal %s could not be computed and was left out: %s", pair, name, text
                )

    def keep(self, pairs: Collection[str]) -> None:
        """Let go the memories of all pairs but these."""
        for pair in set(self._of).difference(pairs):
            del self._of[pair]
