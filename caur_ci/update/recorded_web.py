"""RecordingReader of web servers: kept in a recording, or given out of one."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict

from caur_ci.web import MAX_SIZE, shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest, Response

    from caur_ci.update.recording_files import RecordingReader, RecordingWriter

_CHUNK = 256 * 1024
# Nothing else is kept: what a server sends besides may be meant for one client only.
_KEPT_HEADERS = ("Content-Type", "ETag", "Last-Modified", "Location", "Retry-After")
# A recording is complete in itself: it holds no "as you know".
_CONDITIONS = ("If-None-Match", "If-Modified-Since")


class RecordingAdapter(BaseAdapter):
    """Asks the network, and keeps what it answers."""

    def __init__(self, log: RecordingWriter) -> None:
        super().__init__()
        self._log = log
        self._network = HTTPAdapter(pool_connections=64, pool_maxsize=64)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Send a request as it is, but for conditions."""
        for name in _CONDITIONS:
            request.headers.pop(name, None)
        question = _question(request)
        try:
            with self._network.send(request, *args, **kwargs) as answer:
                content = _content(answer)
        except requests.RequestException as error:
            self._log.add(question, {"problem": type(error).__name__})
            raise
        headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        shown = {name: shown_url(value) for name, value in headers.items()}
        body = self._log.add_body(content)
        self._log.add(question, {"status": answer.status_code, "headers": shown, "body": body})
        return _response(request, answer.status_code, headers, content)

    def close(self) -> None:
        """Let go of connections."""
        self._network.close()


class ReplayingAdapter(BaseAdapter):
    """RecordingReader as it was answered when the recording was made."""

    def __init__(self, answers: RecordingReader) -> None:
        super().__init__()
        self._answers = answers

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        """Return the recorded answer, or raise the recorded error."""
        answer = self._answers.next(_question(request))
        if "problem" in answer:
            raise _exception(str(answer["problem"]))
        content = self._answers.body(str(answer["body"]))
        return _response(request, int(answer["status"]), answer["headers"], content)

    def close(self) -> None:
        """Do nothing."""


def _question(request: PreparedRequest) -> dict[str, Any]:
    """Return what tells requests apart, with nothing in it that may be secret."""
    parts = urlsplit(request.url or "")
    body = request.body or b""
    asked = hashlib.sha256(body if isinstance(body, bytes) else body.encode())
    asked.update(b"\0" + parts.query.encode())
    return {"web": request.method, "url": shown_url(request.url or ""), "asked": asked.hexdigest()}


def _content(answer: Response) -> bytes:
    content = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        content += chunk
        if len(content) > MAX_SIZE:
            raise requests.RequestException(f"the answer is larger than {MAX_SIZE} bytes")
    return bytes(content)


def _response(
    request: PreparedRequest, status: int, headers: Mapping[str, str], content: bytes
) -> Response:
    response = requests.Response()
    response.request = request
    response.url = request.url or ""
    response.status_code = status
    response.headers = CaseInsensitiveDict(headers)
    response.raw = io.BytesIO(content)
    return response


def _exception(name: str) -> requests.RequestException:
    kind = getattr(requests.exceptions, name, None)
    if isinstance(kind, type) and issubclass(kind, requests.RequestException):
        return kind("as when it was recorded")
    return requests.RequestException("as when it was recorded")
