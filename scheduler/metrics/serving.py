"""A port with the metrics and nothing else."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from scheduler.metrics.rendering import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)

_PATIENCE = 10.0  # seconds with a client that says nothing


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], render: Callable[[], bytes]) -> None:
        super().__init__(address, _Handler)
        self.render = render

    def handle_error(self, *_request: object) -> None:
        """Say little of clients that go away."""
        _log.debug("a request for metrics broke off", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Answer with the metrics, at the one path that there is."""
        if self.path.partition("?")[0] not in {"/metrics", "/metrics/"}:
            self._answer(404, b"Metrics are at /metrics.\n", "text/plain; charset=utf-8")
            return
        try:
            text = self.server.render()
        except Exception:  # noqa: BLE001 - the next request may fare better
            _log.exception("metrics cannot be told")
            self._answer(500, b"The log says why.\n", "text/plain; charset=utf-8")
        else:
            self._answer(200, text, CONTENT_TYPE)

    do_HEAD = do_GET  # noqa: N815 - as the base class wants

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving_metrics(render: Callable[[], bytes], host: str, port: int) -> Iterator[int]:
    """Serve metrics until the block ends; yields the port, which is a free one for 0.

    Where the port cannot be had, the log says so, and there are none; yields 0.
    """
    try:
        server = _Server((host, port), render)
    except OSError as error:
        _log.warning("metrics are not served at %s port %d: %s", host, port, error.strerror)
        yield 0
        return
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="metrics", daemon=True
    )
    thread.start()
    _log.info("metrics are served at http://%s:%d/metrics", host, server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
