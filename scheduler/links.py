"""Addresses of what messages speak of: the log of a build, and the commit it was made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

if TYPE_CHECKING:
    from scheduler.logs import LogEntry, LogStore

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SCP_FORM = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/:][^:]*)")
_LIKE_GITHUB = re.compile(r"(^|\.)(github|codeberg|gitea|forgejo)\.|^git(ea|hub)\b")


def log_link(logs_url: str, pkgbase: str, started: float | None = None) -> str:
    """Return the address of a log, as the existing system forms it.

    `started` is when the log began, as Unix time; without it, it is the newest log of the package.
    Empty without the address of a log page.
    """
    if not logs_url:
        return ""
    parts = urlsplit(logs_url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if started:
        query.append(("timestamp", str(int(started * 1000))))
    query.append(("id", pkgbase))
    return parts._replace(query=urlencode(query)).geturl()


def started_of(logs: LogStore, identity: str, job_id: int, attempt: int) -> float | None:
    """Return when the log of an attempt at a job began, as Unix time; None if there is none.

    Raises TemporaryError.
    """

    def is_it(entry: LogEntry) -> bool:
        return entry.job_id == job_id and entry.attempt == attempt

    found = next(filter(is_it, logs.of_package(identity)), None)
    return found.started if found else None


def commit_of(reference: str, commit: str) -> tuple[str, str]:
    """Return commit and pipeline of a reference `SHA:PIPELINE`; without a SHA it is `commit`."""
    sha, _, pipeline = reference.partition(":")
    return (
        sha if _COMMIT.fullmatch(sha) else commit,
        pipeline if pipeline.isascii() and pipeline.isdigit() else "",
    )


def web_place(url: str) -> tuple[str, str]:
    """Return server and path of the project that a git URL names: `https://HOST`, `group/name`.

    Both are empty for what no browser can open, such as a folder. There are no credentials in them.
    """
    found = _SCP_FORM.fullmatch(url)
    if "://" not in url:
        host, path = (found["host"], found["path"]) if found else ("", "")
        scheme = "https"
    else:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https", "ssh", "git"} or not parts.hostname:
            return "", ""
        is_web = parts.scheme in {"http", "https"}
        scheme = parts.scheme if is_web else "https"
        host = parts.netloc.rpartition("@")[2] if is_web else parts.hostname
        path = parts.path
    path = path.strip("/").removesuffix(".git")
    return (f"{scheme}://{host}", path) if host and path else ("", "")


def commit_link(url: str, commit: str) -> str:
    """Return the page of a commit of the repository that is fetched from `url`, or nothing."""
    server, path = web_place(url)
    if not server or not _COMMIT.fullmatch(commit):
        return ""
    between = "/commit/" if _LIKE_GITHUB.search(urlsplit(server).netloc) else "/-/commit/"
    return f"{server}/{quote(path, safe='/')}{between}{commit}"
