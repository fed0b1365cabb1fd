"""Where the pages are. Paths begin with a slash and lack the base path; names are quoted."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def package_path(identity: str) -> str:
    """Return the page of `target_repo/arch/pkgbase`, or of a mere pkgbase."""
    return f"/package/{quote(identity)}"


def build_path(job_id: int) -> str:
    """Return the page of a job."""
    return f"/build/{job_id}"


def log_path(job_id: int, attempt: int, line: int = 0) -> str:
    """Return the page of a log, at a line if that is given."""
    return f"/log/{job_id}/{attempt}" + (f"?line={line}#L{line}" if line else "")


def with_query(path: str, **values: str | int) -> str:
    """Return a path with those of the values that are not empty."""
    given = {key: value for key, value in values.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
