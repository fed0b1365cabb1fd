"""The libraries that talk to forges, set up so that nobody waits for a forge unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github import Github
    from gitlab import Gitlab

TIMEOUT = 30  # seconds without a byte


class Refusal(Exception):  # noqa: N818 - it is turned into an error, or into a wait
    """An answer that is none of those hoped for; `status` 0 stands for none at all.

    `headers` have names in lower case.
    """

    def __init__(self, status: int, said: str, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.said = said
        self.headers = headers


class _GitLabSession(requests.Session):
    """Turns refusals into `Refusal`, before the library waits for as long as the server likes."""

    def send(
        self,
        request: requests.PreparedRequest,
        **settings: Any,  # noqa: ANN401 - whatever requests gives itself
    ) -> requests.Response:
        try:
            response = super().send(request, **settings)
        except requests.RequestException as error:
            raise Refusal(0, type(error).__name__, {}) from None
        if response.status_code >= 400:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise Refusal(response.status_code, _said(response), headers)
        return response


def gitlab_client(url: str, token: str) -> Gitlab:
    """Return a client of the server at `url`, whose calls raise Refusal for what is refused."""
    from gitlab import Gitlab  # noqa: PLC0415 - slow to import

    return Gitlab(
        url,
        # As a bearer, which is not sent on to another host by a redirection.
        oauth_token=token,
        timeout=TIMEOUT,
        keep_base_url=True,
        per_page=100,
        session=_GitLabSession(),
    )


def github_client(api: str, token: str, *, pauses: tuple[float, float]) -> Github:
    """Return a client of the server whose API is at `api`; it tries nothing again.

    `pauses` are the seconds between any two calls and between two that change something.
    """
    from github import Auth, Github  # noqa: PLC0415 - slow to import

    calls, writes = pauses
    return Github(
        base_url=api,
        auth=Auth.Token(token),
        timeout=TIMEOUT,
        per_page=100,
        retry=None,
        lazy=True,
        seconds_between_requests=calls,
        seconds_between_writes=writes,
    )


def _said(response: requests.Response) -> str:
    """Return what a refusal says in words."""
    try:
        data = response.json()
    except ValueError:
        return response.reason or ""
    if not isinstance(data, dict):
        return response.reason or ""
    return str(data.get("message") or data.get("error") or response.reason or "")
