"""The page of the web server on what the demonstration has done."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.demo import setup
from caur_ci.errors import ProcessError
from caur_ci.standalone.services import Services
from scheduler import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.demo.setup import DemoFolders
    from caur_ci.standalone.interrupts import Interrupts
    from scheduler.settings import ExecutorKind

_HOST = "127.0.0.1"
_READY_WITHIN = 60.0
_GLANCE = 0.1


@contextmanager
def running_page(
    made: DemoFolders, interrupts: Interrupts, *, executor: ExecutorKind
) -> Iterator[str]:
    """Run the web server on the queue and the history that are left; provide its address.

    Raises ProcessError where it does not start.
    """
    services = Services(setup.environment(made, executor), made.logs)
    port = _free_port()
    try:
        embedded.ensure(made.state)
        services.start("web", "web", "--host", _HOST, "--port", str(port))
        _wait_for(port, services)
        yield f"http://{_HOST}:{port}/"
    finally:
        with interrupts.held():
            services.stop()
            embedded.stop(made.state)


def _wait_for(port: int, services: Services) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return
        services.check()
        if time.monotonic() > deadline:
            raise ProcessError("the web server does not listen")
        time.sleep(_GLANCE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
