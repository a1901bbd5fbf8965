"""Telegram's bot API on 127.0.0.1, as far as a freqtrade bot uses it.

Speaks https://core.telegram.org/bots/api: ``/bot<token>/<method>`` with form or JSON
parameters, answers of ``ok``, ``result``, ``error_code`` and ``description``, updates by long
poll. What Telegram would refuse is refused: a wrong token, a chat that never wrote, an empty or
too long text, and Markdown that does not close.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "123456789:loopback-token-of-no-worth"
CHAT = 42
LONGEST_TEXT = 4096
BOT = {"id": 123456789, "is_bot": True, "first_name": "Loopback", "username": "loopback_bot"}
PERSON = {"id": 7, "is_bot": False, "first_name": "Somebody"}

METHODS = frozenset({"getMe", "deleteWebhook", "setMyCommands", "getUpdates", "sendMessage"})

_PATH = re.compile(r"/bot(?P<token>[^/]+)/(?P<method>\w+)")
_MARKS = "_*`["
_DATE = 1_700_000_000


class RefusalError(Exception):
    """An answer of Telegram's that is not ok."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


@dataclass(frozen=True)
class Sent:
    """A message as it arrived: its source, and what people read."""

    source: str
    text: str
    is_silent: bool


def shown(source: str) -> str:
    """Read legacy Markdown as Telegram does; raise what it answers if an entity stays open."""
    text, at = [], 0
    while at < len(source):
        if source[at] == "\\" and source[at + 1 : at + 2] in tuple(_MARKS):
            text.append(source[at + 1])
            at += 2
        elif source[at] in _MARKS:
            mark = "```" if source.startswith("```", at) else source[at]
            end = source.find("]" if mark == "[" else mark, at + len(mark))
            if end < 0:
                offset = len(source[:at].encode())
                what = f"Can't find end of the entity starting at byte offset {offset}"
                raise RefusalError(400, f"Bad Request: can't parse entities: {what}")
            text.append(source[at + len(mark) : end])
            at = end + len(mark)
        else:
            text.append(source[at])
            at += 1
    return "".join(text)


class TelegramServer:
    """The bot API for one bot and one chat; ``sent`` are the messages that reached the chat."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.refused: list[str] = []
        self.calls: list[str] = []
        self._updates: list[dict[str, Any]] = []
        self._last_id = 0
        self._changed = threading.Condition()
        self._closed = False
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _caller(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        """What python-telegram-bot takes in place of https://api.telegram.org/bot."""
        return f"http://127.0.0.1:{self._http.server_port}/bot"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._http.shutdown()
        self._http.server_close()

    # ---- what a test does and asks

    def write(self, text: str) -> None:
        """Let the person in the chat write to the bot; a leading command is marked as one."""
        command = text.split(maxsplit=1)[0]
        entity = {"type": "bot_command", "offset": 0, "length": len(command)}
        with self._changed:
            message = self._message(text, sender=PERSON)
            message["entities"] = [entity] if text.startswith("/") else []
            self._updates.append({"update_id": self._next_id(), "message": message})
            self._changed.notify_all()

    def wait(self, condition: Callable[[], object], timeout_s: float = 60.0) -> None:
        """Wait, in real time, until a condition of this server holds."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout_s):
                raise AssertionError(f"not within {timeout_s} s; sent: {self.sent}")

    def texts(self, count: int, *, quiet_s: float = 0.3) -> list[str]:
        """Give what people read, once so many messages are there and no other follows."""
        self.wait(lambda: len(self.sent) >= count)
        with self._changed:
            self._changed.wait_for(lambda: len(self.sent) > count, quiet_s)
            return [message.text for message in self.sent]

    # ---- the methods of the API

    def answer(self, address: str, given: dict[str, Any]) -> Any:
        """Give the result of the method that an address names."""
        asked = _PATH.fullmatch(address.partition("?")[0])
        if asked is None or asked["method"] not in METHODS:
            raise RefusalError(404, "Not Found")
        if asked["token"] != TOKEN:
            raise RefusalError(401, "Unauthorized")
        method = asked["method"]
        act = getattr(self, f"_{method}")
        with self._changed:
            self.calls.append(method)
            self._changed.notify_all()
            return act(given)

    def _getMe(self, _given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Telegram's name
        return BOT | {"can_join_groups": True, "can_read_all_group_messages": False}

    def _deleteWebhook(self, given: dict[str, Any]) -> bool:  # noqa: N802
        if str(given.get("drop_pending_updates")).lower() == "true":
            self._updates.clear()
        return True

    def _setMyCommands(self, _given: dict[str, Any]) -> bool:  # noqa: N802
        return True

    def _getUpdates(self, given: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        """Forget what lies before ``offset``; wait up to ``timeout`` seconds for the rest."""
        offset = int(given.get("offset", 0))
        self._updates = [one for one in self._updates if one["update_id"] >= offset]
        self._changed.wait_for(
            lambda: self._closed or self._updates, float(given.get("timeout", 0))
        )
        return self._updates[: int(given.get("limit", 100))]

    def _sendMessage(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        source = str(given.get("text", ""))
        if str(given.get("chat_id")) != str(CHAT):
            raise RefusalError(400, "Bad Request: chat not found")
        if not source.strip():
            raise RefusalError(400, "Bad Request: message text is empty")
        if len(source) > LONGEST_TEXT:
            raise RefusalError(400, "Bad Request: message is too long")
        text = shown(source) if given.get("parse_mode") == "Markdown" else source
        is_silent = str(given.get("disable_notification")).lower() == "true"
        self.sent.append(Sent(source, text, is_silent))
        return self._message(text, sender=BOT)

    # ---- the rest

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _message(self, text: str, sender: dict[str, Any]) -> dict[str, Any]:
        chat = {"id": CHAT, "type": "private", "first_name": PERSON["first_name"]}
        at = {"message_id": self._next_id(), "date": _DATE}
        return {**at, "from": sender, "chat": chat, "text": text}


def _caller(server: TelegramServer) -> type[BaseHTTPRequestHandler]:
    """Make the class that reads requests for a server."""

    class Caller(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            is_json = "json" in self.headers.get("Content-Type", "")
            self._reply(json.loads(body or "{}") if is_json else dict(parse_qsl(body)))

        def do_GET(self) -> None:
            self._reply(dict(parse_qsl(self.path.partition("?")[2])))

        def _reply(self, given: dict[str, Any]) -> None:
            code, answer = 200, {}
            try:
                answer = {"ok": True, "result": server.answer(self.path, given)}
            except RefusalError as error:
                code = error.code
                server.refused.append(str(error))
                answer = {"ok": False, "error_code": code, "description": str(error)}
            body = json.dumps(answer).encode()
            # Who asked may have gone: a bot that stops leaves its long poll.
            with suppress(ConnectionError):
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Caller
