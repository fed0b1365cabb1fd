"""Requests over HTTP: one way of doing them, with time limits, patience and clear errors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from caur_ci.credentials import without_credentials
from caur_ci.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from requests.adapters import BaseAdapter

DEFAULT_DELAYS = (1.0, 4.0, 15.0)
_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 60.0
_LONGEST_WAIT = 60.0
_CHUNK = 256 * 1024
_SMALL_CHUNK = 16 * 1024
MAX_SIZE = 256 * 1024 * 1024
# Busy, or broken for the moment.
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_HINT = "Check the network, the proxy and the address, or try again later."


class WebError(TemporaryError):
    """A server gave no usable answer. `status` is that of HTTP, 0 where none came."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class WebResponse:
    """What a server sent. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Web:
    """Talks to servers.

    `delays` are the seconds before each further try, `proxy` is a URL as requests takes it.
    `adapter` carries the requests in place of the network. Not for several threads at once.
    """

    def __init__(
        self,
        *,
        proxy: str = "",
        delays: Sequence[float] = DEFAULT_DELAYS,
        adapter: BaseAdapter | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"caur-ci/{metadata.version('caur-ci')}"
        if proxy:
            self._session.proxies = {"http": proxy, "https": proxy}
        if adapter is not None:
            self._session.mount("http://", adapter)
            self._session.mount("https://", adapter)
        self._delays = tuple(delays)
        self._sleep = sleep

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> WebResponse:
        """Fetch `url`. Raises WebError for anything but 200 and 304."""
        return self._patiently("GET", url, headers or {}, None)

    def post_form(self, url: str, fields: Sequence[tuple[str, str]]) -> WebResponse:
        """Send a form to `url`, which must not change anything there. Raises WebError."""
        return self._patiently("POST", url, {}, list(fields))

    def _patiently(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        fields: list[tuple[str, str]] | None,
    ) -> WebResponse:
        for delay in (*self._delays, None):
            wait = 0.0
            try:
                answer = self._once(method, url, headers, fields)
            except requests.RequestException as error:
                problem = WebError(f"{shown_url(url)}: {_reason(error)}", hint=_HINT)
            else:
                if answer.status in {200, 304}:
                    return answer
                problem = WebError(
                    f"{shown_url(url)} answered with status {answer.status}", status=answer.status
                )
                if answer.status not in _TRY_AGAIN:
                    raise problem
                wait = retry_after(answer.headers) or 0.0
            if delay is None or wait > _LONGEST_WAIT:
                raise problem
            self._sleep(max(delay, wait))
        raise AssertionError  # the last turn returns or raises

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        fields: list[tuple[str, str]] | None,
    ) -> WebResponse:
        with self._session.request(
            method,
            url,
            headers=dict(headers),
            data=fields,
            timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
            stream=True,
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK):
                content += chunk
                if len(content) > MAX_SIZE:
                    raise requests.RequestException(f"the answer is larger than {MAX_SIZE} bytes")
            names = {name.lower(): value for name, value in response.headers.items()}
            return WebResponse(response.status_code, names, bytes(content))


class WebPool:
    """Talks to many servers from several threads; what is asked of one server shares connections.

    A question is asked once, follows no redirects, takes no cookies, and any status is an answer.
    `connections` is how many there may be to one server, `timeout` the patience with its silence,
    in seconds. `adapter` carries the requests in place of the network.
    """

    def __init__(
        self,
        *,
        connections: int,
        timeout: float = _READ_TIMEOUT,
        agent: str = "",
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._adapter = adapter or HTTPAdapter(pool_connections=64, pool_maxsize=connections)
        self._agent = f"{agent} caur-ci/{metadata.version('caur-ci')}".lstrip()
        self._timeout = (min(timeout, _CONNECT_TIMEOUT), timeout)
        self._session = requests.Session()  # for what the environment says of proxies
        self._settings: dict[str, Any] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        largest: int = MAX_SIZE,
    ) -> WebResponse:
        """Return what a server says to one request. Raises WebError where it gives no answer.

        `largest` is how many bytes may come.
        """
        try:
            # What is between brackets, or behind a login, may be no host at all.
            request = requests.Request(
                method, url, headers={"User-Agent": self._agent, **(headers or {})}, data=body
            ).prepare()
            return self._answer(request, largest)
        except requests.RequestException as error:
            raise WebError(f"{shown_url(url)}: {_reason(error)}", hint=_HINT) from None
        except (ValueError, urllib3.exceptions.HTTPError) as error:
            raise WebError(f"{shown_url(url)}: {type(error).__name__}", hint=_HINT) from None

    def _answer(self, request: requests.PreparedRequest, largest: int) -> WebResponse:
        deadline = time.monotonic() + 2 * self._timeout[1]
        with self._sent(request) as response:
            content = bytearray()
            for chunk in response.iter_content(_SMALL_CHUNK):
                content += chunk
                if len(content) > largest:
                    raise requests.RequestException(f"the answer is larger than {largest} bytes")
                if time.monotonic() > deadline:
                    raise requests.Timeout
            names = {name.lower(): value for name, value in response.headers.items()}
            return WebResponse(response.status_code, names, bytes(content))

    def _sent(self, request: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(request.url or "")
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        settings = self._settings.get(place)
        if settings is None:
            settings = self._session.merge_environment_settings(place, {}, True, None, None)
            self._settings[place] = settings
        settings = {**settings, "stream": True, "timeout": self._timeout}
        try:
            return self._adapter.send(request, **settings)
        except requests.exceptions.Timeout:
            raise
        except requests.exceptions.ConnectionError as error:
            if not _is_broken_off(error):
                raise
            # A connection that the server had closed meanwhile; nothing was lost with it.
            return self._adapter.send(request, **settings)

    def close(self) -> None:
        """Let go of connections."""
        self._adapter.close()
        self._session.close()


def _is_broken_off(error: requests.ConnectionError) -> bool:
    return "Connection aborted" in str(error)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds a server wants to be left alone, None where it does not say.

    The names in `headers` are in lower case, or in any.
    """
    text = headers.get("retry-after", "")
    # The other form, a date, is as good as no answer: clocks differ.
    return float(text) if text.isascii() and text.isdigit() else None


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be used"  # its URL may hold a password
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate is not accepted"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer broke off"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


def shown_url(url: str) -> str:
    """Return `url` without what may be secret in it: login and query."""
    return without_credentials(url).partition("?")[0]
