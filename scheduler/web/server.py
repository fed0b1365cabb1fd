"""Runs the application in a thread of its own, within limits."""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from caur_ci.errors import ConfigError
from scheduler.web.application import create_app
from scheduler.web.connections import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

    from scheduler.settings import WebSettings
    from scheduler.web.services import WebServices

_log = logging.getLogger(__name__)

_BACKLOG = 128
# Where systemd puts the first socket that it has opened for us.
_FIRST_HANDED_OVER = 3
# Of IPv4 as well, where the system can.
_EVERY_ADDRESS = "::"
# Requests in progress have this many seconds when the server ends; streams end at once.
_FOR_ENDING = 5


class WebServer:
    """A running web server; `address` is where it is, as `http://HOST:PORT` and the base path."""

    def __init__(self, server: uvicorn.Server, listener: socket.socket, address: str) -> None:
        self.address = address
        self._server = server
        self._thread = threading.Thread(target=self._run, args=(listener,), name="web", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether it has not failed."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Let requests in progress end, for a while."""
        self._server.should_exit = True
        self._thread.join(2.0 * _FOR_ENDING)

    def _run(self, listener: socket.socket) -> None:
        try:
            self._server.run(sockets=[listener])
        except Exception:  # noqa: BLE001 - publishing goes on in the same process
            _log.exception("the web server failed")


@contextmanager
def running_server(services: WebServices, settings: WebSettings) -> Iterator[WebServer]:
    """Serve until the block ends; port 0 is any that is free.

    Raises ConfigError where the address cannot be listened at.
    """
    listener = _listener(settings)
    app = create_app(services, settings)
    server = _Server(_config(app, settings), app.state.streams.close)
    running = WebServer(server, listener, _address(listener, settings))
    running.start()
    try:
        _log.info("the web server is at %s", running.address)
        yield running
    finally:
        running.stop()


class _Server(uvicorn.Server):
    """Tells streams to end before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


class _Forwarding(logging.Handler):
    """Brings the server's own messages to where ours go."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.handle(record)


def _config(app: ASGIApp, settings: WebSettings) -> uvicorn.Config:
    logger = logging.getLogger("uvicorn")
    logger.handlers = [_Forwarding()]
    logger.propagate = False
    proxies = list(settings.trusted_proxies)
    return uvicorn.Config(
        ProxyHeadersMiddleware(app, proxies) if proxies else app,  # type: ignore[arg-type]
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level=logging.ERROR,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_FOR_ENDING,
        **limits(),
    )


def _handed_over() -> socket.socket | None:
    """Return the socket that systemd listens at for us, if it does (sd_listen_fds)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    os.set_inheritable(_FIRST_HANDED_OVER, False)
    return socket.socket(fileno=_FIRST_HANDED_OVER)


def _listener(settings: WebSettings) -> socket.socket:
    if (listener := _handed_over()) is not None:
        return listener
    try:
        family, *_, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        both = settings.host == _EVERY_ADDRESS and socket.has_dualstack_ipv6()
        return socket.create_server(
            address[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=both
        )
    except OSError as error:
        raise ConfigError(
            f"the web server cannot listen at {settings.host} port {settings.port}: "
            f"{error.strerror or error}",
            hint="Another program may use the port: name a free one with --port or WEB_PORT.",
        ) from error


def _address(listener: socket.socket, settings: WebSettings) -> str:
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}{settings.base_path}"
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.base_path}"
