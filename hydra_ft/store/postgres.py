"""PostgreSQL connections that give up on a server that does not answer.

libpq notices a connection that broke, not a server that hangs behind one that stands: its
machine still acknowledges what is sent. So each wait for an answer has an end here. Nothing of
it is asked of the server, so that a pooler in between (pgbouncer) does not mind.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, make_url

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import URL, Engine

CONNECT_S: Final = 5
"""How long a connection may take to be made (libpq's ``connect_timeout``, whole seconds)."""
ANSWER_S: Final = 30.0
"""How long a statement may take; what the recorder writes at once takes well under a second."""
_OWN: Final = "connect_timeout"
_ALIVE: Final = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}


def pool_of(
    url: str | URL, answer_s: float = ANSWER_S, connect_s: int = CONNECT_S, **more: Any
) -> Engine:
    """Return ``create_engine(url, **more)`` with an end to every wait, where psycopg connects.

    A ``connect_timeout`` of the address stands over the one here.
    """
    address = make_url(url)
    if address.get_backend_name() != "postgresql":
        return create_engine(address, **more)
    given = {} if _OWN in address.query else {_OWN: connect_s}
    # A server that was started again has closed what the pool still holds: it is asked first.
    alive = {"pool_pre_ping": True, "connect_args": {**_ALIVE, **given}}
    engine = create_engine(address, **alive, **more)
    if engine.dialect.driver == "psycopg":
        connect = _limited(answer_s)

        @event.listens_for(engine, "do_connect")
        def connected(_dialect: Any, _record: Any, words: Any, named: Any) -> Any:
            return connect(*words, **named)

    return engine


@cache
def _limited(answer_s: float) -> Any:
    """Return ``connect`` of a class of connections; psycopg need not be installed before."""
    import psycopg  # noqa: PLC0415 - an extra

    class Limited(psycopg.Connection[Any]):
        """A connection that closes itself when an answer does not come in time."""

        def wait(self, gen: Any, *words: Any, **named: Any) -> Any:
            until_s = time.monotonic() + answer_s
            try:
                return super().wait(_until(gen, until_s), *words, **named)
            except TimeoutError as error:
                self.pgconn.finish()
                raise psycopg.OperationalError(
                    f"expected an answer of the server within {answer_s:g} s, was none; see to "
                    "the server, or to the network between"
                ) from error

    return Limited.connect


def _until(steps: Generator[Any, Any, Any], until_s: float) -> Generator[Any, Any, Any]:
    """Pass on what psycopg waits for; raises TimeoutError when nothing has come in time.

    It looks in every tenth of a second, whether or not anything is ready (``Ready.NONE``).
    """
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > until_s:
                raise TimeoutError
            wanted = steps.send(ready)
    except StopIteration as ended:
        return ended.value
