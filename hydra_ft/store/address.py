"""Addresses of databases as they may be shown: in messages, logs and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from sqlalchemy import URL

SECRET: Final = ("password", "passfile", "sslpassword", "sslkey", "service")
"""What may stand behind the ``?`` of an address and is nobody's business (libpq's names)."""
HIDDEN: Final = "hidden"


def shown(url: str | URL) -> str:
    """Return an address without its secrets; one that cannot be read, as far as its scheme."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return f"{str(url).partition('://')[0]}://..." if "://" in str(url) else "..."
    query = {
        name: HIDDEN if name.casefold() in SECRET else value
        for name, value in address.query.items()
    }
    return address.set(query=query).render_as_string(hide_password=True)
