"""What storage that speaks S3 says no to, and what people are told then."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from scheduler.hosting.opening import Surroundings, open_target
from scheduler.hosting.protocol import Change, TargetError, Upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEYS = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "hunter22"}


class _ReadOnly(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(403, "<Error><Code>AccessDenied</Code><Message>No</Message></Error>")

    def do_GET(self) -> None:
        self._answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def read_only() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ReadOnly)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"s3://bucket?endpoint=http://127.0.0.1:{server.server_port}&region=here"
    server.shutdown()
    server.server_close()


def test_keys_that_may_only_read_are_named_as_the_cause(read_only: str, tmp_path: Path) -> None:
    target = open_target(read_only, Surroundings({}, _KEYS))
    (tmp_path / "repo.db").write_bytes(b"database")
    upload = Upload(path="repo/x86_64/repo.db", source=tmp_path / "repo.db")

    assert dict(target.listing("repo")) == {}
    with pytest.raises(TargetError, match="answered with AccessDenied") as caught:
        target.apply(Change(stages=((upload,),)))
    assert "rights to list, get, put and delete" in caught.value.hint
    assert "hunter22" not in f"{caught.value} {caught.value.hint}"


def test_without_keys_people_are_told_which_are_missing(
    read_only: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(TargetError, match="locate credentials") as caught:
        open_target(read_only, Surroundings({}, {})).listing("repo")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_bucket_that_cannot_be_is_no_passing_trouble(read_only: str) -> None:
    target = open_target(read_only.replace("bucket", "no bucket!"), Surroundings({}, _KEYS))

    with pytest.raises(TargetError, match="Invalid bucket name"):
        target.listing("repo")
