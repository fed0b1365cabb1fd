"""`caur-ci web` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from caur_ci.errors import ExitCode
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.queue import Queue

TOKEN = "s3cret-s3cret-s3cret-s3cret"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "caur_ci", "web", *arguments]


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server at any port until the block ends; provide the process and the address."""
    with subprocess.Popen(
        command("--port", "0", *arguments),
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, address_of(process)
        finally:
            process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    """Return the address that a server says it is at."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"the web server is at (http://\S+)", line):
            return found[1]
    raise AssertionError("it did not start")


def test_it_serves_until_it_is_told_to_end(queue: Queue, redis_url: str) -> None:
    submit(queue, job("a"))
    with running("--redis", redis_url, API_TOKEN=TOKEN, NO_HTTP_LOG="0") as (process, address):
        assert httpx.get(f"{address}/readyz").json()["parts"]["redis"] == "ok"
        metrics = httpx.get(f"{address}/metrics").text
        refused = httpx.post(f"{address}/api/v1/cancel", json={"packages": ["a"]})
        canceled = httpx.post(
            f"{address}/api/v1/cancel",
            json={"packages": ["a"]},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with httpx.stream("GET", f"{address}/api/v1/events?after=0-0", timeout=60) as stream:
            lines = stream.iter_lines()
            assert any(line.startswith("id: ") for line in lines)
            process.send_signal(signal.SIGTERM)
            list(lines)

        assert process.wait(60) == ExitCode.OK
        assert process.stderr is not None
        said = process.stderr.read()

    assert "caur_queue_up 1.0" in metrics
    assert 'caur_http_requests_total{method="GET",route="/readyz",status="200"} 1.0' in metrics
    assert (refused.status_code, canceled.status_code) == (401, 200)
    assert "POST '/api/v1/cancel' 200 in" in said
    assert TOKEN not in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_told_in_a_line(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("--port", port, "--redis", redis_url),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == ExitCode.FAILED
    assert f"error: the web server cannot listen at 127.0.0.1 port {port}" in done.stderr
    assert "Traceback" not in done.stderr
