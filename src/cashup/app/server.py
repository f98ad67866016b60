"""The platform behind a socket: started, announced, stopped in order."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import uvicorn

from cashup.app.api import create_app
from cashup.app.platform import Platform
from cashup.model.errors import ConfigError, explain

_STOP_S: Final = 3
_MAX_SOCKET_MESSAGE: Final = 65_536


class Server:
    """One process of the platform on one port.

    Args:
        platform: What runs.
        announce: Shows a line to the person who started it.
        open_browser: Whether to open the setup link where there is a desktop.
    """

    def __init__(
        self, platform: Platform, *, announce: Callable[[str], None], open_browser: bool = False
    ) -> None:
        self._platform = platform
        self._announce = announce
        self._open_browser = open_browser
        self.port = platform.context.settings.server.port
        self._uvicorn: uvicorn.Server | None = None

    async def run(self) -> None:
        """Serve until told to stop by SIGTERM, SIGINT or `stop`.

        Raises:
            ConfigError: The port is taken, or the address is not this machine's.
        """
        settings = self._platform.context.settings.server
        self._refuse_bare_exposure()
        bound = _bind(settings.host, settings.port)
        self.port = bound.getsockname()[1]
        config = uvicorn.Config(
            create_app(self._platform, web=web_folder()),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_S,
            ws_max_size=_MAX_SOCKET_MESSAGE,
            h11_max_incomplete_event_size=65_536,
            lifespan="on",
        )
        self._uvicorn = _Announcing(config, self._ready)
        try:
            await self._uvicorn.serve(sockets=[bound])
        finally:
            bound.close()
        if not self._uvicorn.started:
            raise ConfigError("the platform could not start; the log says why")

    @property
    def ready(self) -> bool:
        """Whether the server answers."""
        return self._uvicorn is not None and self._uvicorn.started

    def stop(self) -> None:
        """Ask the server to stop."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    async def _ready(self) -> None:
        url = self.url
        self._announce(f"CashUp runs at {url}")
        token = await self._platform.core.users.setup_token() if self._platform.serves("core") else ""
        if not token:
            return
        link = f"{url}/setup?token={token}"
        self._announce(f"Create the owner's account here, once:\n  {link}")
        if self._open_browser and _has_desktop():
            webbrowser.open(link)

    @property
    def url(self) -> str:
        """Where the pages and the API are."""
        settings = self._platform.context.settings.server
        host = "localhost" if settings.host in {"127.0.0.1", "::1", "0.0.0.0"} else settings.host  # noqa: S104
        return settings.public_url.rstrip("/") or f"http://{host}:{self.port}"

    def _refuse_bare_exposure(self) -> None:
        """Say what it means to listen to everybody; in production, do so behind TLS only."""
        settings = self._platform.context.settings
        try:
            local = ipaddress.ip_address(settings.server.host).is_loopback
        except ValueError:
            local = settings.server.host == "localhost"
        if local:
            return
        if settings.profile == "production" and not settings.server.public_url.startswith("https://"):
            raise ConfigError(
                explain(
                    f"the server would listen on {settings.server.host} without TLS",
                    expected="server.public_url with https://, and a gateway that ends TLS before it",
                ),
                key="server.public_url",
            )
        self._announce(f"Warning: other machines can reach this server ({settings.server.host}).")


class _Announcing(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order on SIGTERM and SIGINT, and end with status 0: being told to stop is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals reach the main thread alone
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self._on_ready()  # type: ignore[misc]


def web_folder() -> Path | None:
    """Return the folder of the built pages, or None when this installation has none."""
    folder = Path(str(files("cashup"))) / "web"
    return folder if (folder / "index.html").is_file() else None


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as e:
        listener.close()
        raise ConfigError(
            explain(
                f"cannot listen on {host}:{port}: {e.strerror}",
                hint="choose another with --port, or 0 for a free one",
            ),
            key="server.port",
        ) from e
    listener.setblocking(False)
    return listener


def _has_desktop() -> bool:
    return sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
