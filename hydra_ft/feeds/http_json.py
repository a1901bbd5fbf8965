"""One GET of a JSON document: waits its turn, tries again where that can help."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from hydra_ft.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S: Final = 30.0
TRIES: Final = 5
LONGEST_S: Final = 120.0
"""Longest wait that a service may ask for; one that asks for more is given up."""


class Budget(Protocol):
    """Grants calls (``store.flow_calls.CallBudget``)."""

    def ask(self, cost: int, now: int) -> int:
        """Take calls and return 0, or return in how many ms to ask again."""

    def hold(self, until: int) -> None:
        """Let nobody call before a time (UTC ms)."""


def now_ms() -> int:
    """Return the time of this machine, UTC ms."""
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and how it is waited for."""

    now: Callable[[], int] = now_ms
    sleep: Callable[[float], None] = time.sleep


class JsonService:
    """A service of JSON documents; ``secrets`` never appear in what is raised.

    Raises FeedError where the service cannot be reached, refuses, or does not answer in JSON.
    """

    def __init__(
        self,
        name: str,
        url: str,
        headers: Mapping[str, str],
        budget: Budget,
        *,
        secrets: tuple[str, ...] = (),
        clock: Clock | None = None,
    ) -> None:
        if urlsplit(url).scheme not in ("https", "http"):
            raise FeedError(f"{name}: expected an https address, was {url!r}")
        self._name, self._url, self._headers = name, url.rstrip("/"), dict(headers)
        self._budget, self._secrets, self._clock = budget, secrets, clock or Clock()

    def get(self, path: str, query: Mapping[str, str], cost: int = 1) -> Any:
        """Return the document at a path; it takes ``cost`` calls of the budget."""
        address = f"{self._url}{path}" + (f"?{urlencode(query, safe=',')}" if query else "")
        for tried in range(1, TRIES + 1):
            self._wait_for_turn(cost)
            try:
                return self._read(address)
            except HTTPError as error:
                problem = self._answer(error, path, last=tried == TRIES)
            except (OSError, HTTPException) as error:  # of all kinds, an answer cut short too
                problem = self._clean(f"{getattr(error, 'reason', error)}")
                if tried < TRIES:
                    self._back_off(tried)
        raise FeedError(
            f"{self._name}: expected an answer to {path}, was {problem} {TRIES} times; try later"
        )

    def _read(self, address: str) -> Any:
        request = Request(address)  # noqa: S310 - the scheme was checked when this was made
        # Spelt as they are given, and not sent on to wherever the service may redirect.
        request.unredirected_hdrs.update(self._headers)
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            content = answer.read()
        try:
            return json.loads(content)
        except ValueError as error:
            shown = self._clean(content[:80].decode(errors="replace"))
            raise FeedError(f"{self._name}: expected JSON, was {shown!r}") from error

    def _wait_for_turn(self, cost: int) -> None:
        while wait := self._budget.ask(cost, self._clock.now()):
            self._clock.sleep(wait / 1000)

    def _answer(self, error: HTTPError, path: str, *, last: bool) -> str:
        """Wait as the answer asks, and say what it was; raise where waiting cannot help."""
        said = self._clean(error.read()[:200].decode(errors="replace"))
        what = f"{error.code} {self._clean(str(error.reason))}"
        if error.code == HTTPStatus.TOO_MANY_REQUESTS:
            self._obey(error, path)
            return what
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if not last:
                self._back_off(1)
            return what
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise FeedError(
                f"{self._name}: expected the key to be accepted, was {what}; set another"
            ) from error
        raise FeedError(
            f"{self._name}: expected an answer to {path}, was {what}: {said}"
        ) from error

    def _obey(self, error: HTTPError, path: str) -> None:
        """Hold everybody's calls for as long as ``Retry-After`` says, a window without it."""
        asked = error.headers.get("Retry-After", "")
        try:
            seconds = max(0.0, float(asked))
        except ValueError:
            seconds = 60.0
        if seconds > LONGEST_S:
            raise FeedError(
                f"{self._name}: expected to be asked to wait {LONGEST_S:.0f} s at most for {path}, "
                f"was {seconds:.0f} s; try later"
            )
        self._budget.hold(self._clock.now() + int(seconds * 1000) + 1)

    def _back_off(self, tried: int) -> None:
        """Wait up to 2^n seconds, at random, so that bots do not come back together."""
        self._clock.sleep(random.uniform(0.5, 1.0) * 2.0**tried)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
