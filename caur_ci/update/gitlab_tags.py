"""The tags of projects at a GitLab server, any of them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from caur_ci.credentials import without_credentials
from caur_ci.errors import TemporaryError
from caur_ci.plaintext import one_line
from caur_ci.update.tag_version import Tag, is_sorted, tagged_versions
from caur_ci.web import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gitlab import Gitlab

GITLAB = "https://gitlab.com"
_PER_PAGE = 100
_MOST_PAGES = 20
_TIMEOUT = 30.0
_PAUSES = (1.0, 5.0)
_LONGEST_PAUSE = 60.0
_TRY_AGAIN = frozenset({0, 408, 429, 500, 502, 503, 504})
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")
_TOKEN_HEADER = "PRIVATE-TOKEN"  # noqa: S105 - its name


class TagsError(TemporaryError):
    """The tags of a project cannot be listed."""


@dataclass(frozen=True, slots=True)
class GitLabServer:
    """A server, and a token for it where there is one."""

    url: str = GITLAB
    token: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The server as it stands in URLs, with the path that it may be below."""
        return without_credentials(self.url).partition("://")[2].rstrip("/")


def choose_server(
    configured: str, environ: Mapping[str, str], secrets: Mapping[str, str]
) -> GitLabServer:
    """Return the server that is `configured`, or that runs the pipeline, or gitlab.com.

    ACCESS_TOKEN is for the server that runs the pipeline: no other gets to see it.
    """
    own = environ.get("CI_SERVER_URL", "") if environ.get("GITLAB_CI") else ""
    own = own.rstrip("/") if _URL.fullmatch(own) else ""
    url = configured.rstrip("/") or own or GITLAB
    return GitLabServer(url, secrets.get("ACCESS_TOKEN", "") if url == own else "")


class GitLabTags:
    """Lists tags at one server. For several threads at once."""

    def __init__(
        self, server: GitLabServer, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._server = server
        self._sleep = sleep

    def of(self, project: str) -> list[Tag]:
        """Return the tags of a project, the newest at least.

        Raises TagsError where they cannot be listed.
        """
        tokens = [self._server.token, ""] if self._server.token else [""]
        refusal = TagsError("")
        for token in tokens:  # one that is not for this project must not hide what is public
            try:
                return self._patiently(project, token)
            except _RefusalError as error:
                refusal = TagsError(f"{self._server.url}, project {project}: {error.message}")
                if error.status not in {401, 403, 404}:
                    break
        raise refusal

    def _patiently(self, project: str, token: str) -> list[Tag]:
        for pause in (*_PAUSES, None):
            try:
                return self._listed(project, token)
            except _RefusalError as error:
                told = max(pause or 0.0, error.pause)
                if error.status not in _TRY_AGAIN or pause is None or told > _LONGEST_PAUSE:
                    raise
                self._sleep(told)
        raise AssertionError  # the last turn returns or raises

    def _listed(self, project: str, token: str) -> list[Tag]:
        tags: list[Tag] = []
        for number, page in enumerate(self._pages(project, token), start=1):
            tags += page
            # A server that knows the order of versions has them sorted: the newest are there.
            versions = [(tag, tagged_versions([tag])) for tag in page]
            stable = [found[0].version for _, found in versions if found]
            if number >= _MOST_PAGES or (stable and is_sorted(stable)):
                break
        return tags

    def _pages(self, project: str, token: str) -> Iterator[list[Tag]]:
        from gitlab.exceptions import GitlabError  # noqa: PLC0415 - slow to import

        with _Session() as session:
            gitlab = _client(self._server.url, token, session)
            tags = gitlab.projects.get(project, lazy=True).tags
            for number in range(1, _MOST_PAGES + 1):
                try:
                    found = tags.list(
                        order_by="version",
                        sort="desc",
                        per_page=_PER_PAGE,
                        page=number,
                        get_all=False,
                        obey_rate_limit=False,
                    )
                    page = [_tag(one.attributes) for one in found]
                except (GitlabError, requests.RequestException) as error:
                    raise _RefusalError.of(error, session.last) from None
                except (KeyError, TypeError, AttributeError, ValueError):
                    raise _RefusalError(200, "its answer is no list of tags") from None
                if page:
                    yield page
                if len(page) < _PER_PAGE:
                    return


class _RefusalError(Exception):
    """A server said no, or nothing. `pause` is how long it wants us to wait, in seconds."""

    def __init__(self, status: int, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.pause = pause

    @classmethod
    def of(cls, error: Exception, answer: requests.Response | None) -> _RefusalError:
        """Return what an error of the library means."""
        if isinstance(error, requests.Timeout):
            return cls(0, "no answer in time")
        if isinstance(error, requests.TooManyRedirects):
            return cls(310, "it leads on and on")
        if isinstance(error, requests.RequestException) or answer is None:
            return cls(0, "no connection")
        status = answer.status_code
        if status == 200:
            return cls(200, "its answer is no list of tags")
        pause = retry_after(answer.headers) or 0.0
        return cls(status, _SAID.get(status) or f"status {status}: {_said(answer)}", pause)


_SAID = {
    401: "the token is not accepted (status 401)",
    403: "the token may not read it (status 403)",
    404: "there is no such project, or it is not for us (status 404)",
    429: "the server wants fewer requests (status 429)",
}


class _Session(requests.Session):
    """Remembers the last answer, and keeps the token from other servers."""

    def __init__(self) -> None:
        super().__init__()
        self.last: requests.Response | None = None
        self.auth = lambda request: request  # none from ~/.netrc

    def send(
        self,
        request: requests.PreparedRequest,
        **settings: Any,  # noqa: ANN401 - whatever requests gives itself
    ) -> requests.Response:
        self.last = None
        self.last = super().send(request, **settings)
        return self.last

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        before, after = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop(_TOKEN_HEADER, None)


def _client(url: str, token: str, session: requests.Session) -> Gitlab:
    from gitlab import Gitlab  # noqa: PLC0415 - slow to import

    return Gitlab(
        url,
        private_token=token or None,
        session=session,
        timeout=_TIMEOUT,
        retry_transient_errors=False,
        keep_base_url=True,
    )


def _tag(attributes: Mapping[str, Any]) -> Tag:
    commit = attributes["commit"]
    page = commit.get("web_url") or ""
    name, commit_id = attributes["name"], commit["id"]
    if not all(isinstance(it, str) for it in (name, commit_id, page)):
        raise TypeError
    return Tag(name, commit_id, page)


def _said(answer: requests.Response) -> str:
    return one_line(answer.text[:200]) or "nothing"
