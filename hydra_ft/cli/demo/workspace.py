"""The folder of a demo: a freqtrade home of its own, made anew at every start."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.bot_folder import BotFolder
from hydra_ft.cli.install import EXAMPLE, thin_files, write_atomically
from hydra_ft.cli.symbols import pair_of
from hydra_ft.errors import HydraError
from hydra_ft.settings import Settings
from loopback_exchange import freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(".demo")
_MARK = ".hydra-demo"


@dataclass(frozen=True, slots=True)
class _Api:
    host: str = "127.0.0.1"
    port: int = 8080
    user: str = "hydra"


API = _Api()


@dataclass(frozen=True, slots=True)
class Workspace(BotFolder):
    """Paths and secrets of one demo; the password is made for it and dies with it."""

    api_port: int
    api_password: str

    @classmethod
    def create(cls) -> Workspace:
        """Make the folder anew; refuse a folder that no demo made, and a port that is taken."""
        port = _api_port()  # first: what holds it may be a demo that runs in this folder
        root = FOLDER.resolve()
        if root.exists():
            if not (root / _MARK).exists():
                raise HydraError(f"expected {root} to be free, was a folder of yours; move it away")
            shutil.rmtree(root)
        made = cls(root, port, secrets.token_urlsafe(9))
        made.userdir.mkdir(parents=True)
        (root / _MARK).touch()
        for name, text in thin_files().items():
            write_atomically(made.userdir / name, text)
        return made

    @property
    def strategies(self) -> Path:
        """The strategy files, as `hydra install` puts them there."""
        return self.userdir / "strategies"

    @property
    def log_file(self) -> Path:
        """Log of the trading bot."""
        return self.root / "freqtrade.log"

    def configure(self, exchange_url: str, symbols: Sequence[str]) -> None:
        """Write freqtrade's configuration for an exchange at this address."""
        config = _config(self, exchange_url, [pair_of(symbol) for symbol in symbols])
        write_atomically(self.config_file, json.dumps(config, indent=2) + "\n")


def _api_port() -> int:
    text = os.environ.get("DEMO_API_PORT", str(API.port))
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise HydraError(f"DEMO_API_PORT: expected a port from 1024 to 65535, was {text!r}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((API.host, int(text)))
        except OSError as error:
            raise HydraError(
                f"expected port {text} on {API.host} to be free for the REST API, was taken; "
                f"stop the program that uses it, or set DEMO_API_PORT={int(text) + 1}"
            ) from error
    return int(text)


def _config(workspace: Workspace, exchange_url: str, pairs: list[str]) -> dict[str, Any]:
    """Build the example configuration, pointed at the embedded exchange, in live mode."""
    example = json.loads(thin_files()[EXAMPLE])
    exchange = freqtrade_exchange_config(exchange_url)
    exchange["ccxt_config"]["options"]["broker"] = example["exchange"]["ccxt_config"]["options"][
        "broker"
    ]
    exchange["pair_whitelist"] = pairs
    return {
        **example,
        "dry_run": False,
        "exchange": exchange,
        "strategy": "HydraFlow",
        "user_data_dir": str(workspace.userdir),
        "db_url": workspace.trades_url,
        "cancel_open_orders_on_exit": True,
        "api_server": {
            **example["api_server"],
            "enabled": True,
            "listen_port": workspace.api_port,
            "username": API.user,
            "password": workspace.api_password,
            "jwt_secret_key": secrets.token_hex(32),
            "ws_token": secrets.token_urlsafe(24),
        },
        "internals": {"process_throttle_secs": 1},
        "hydra": {**example["hydra"], "bot_name": Settings().bot_name},
    }
