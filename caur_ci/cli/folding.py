"""Parts of a pipeline's log that GitLab and GitHub fold, and GitHub's page about a job."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.cli.session import Session

_RESET = "\x1b[0K"


@contextmanager
def section(forge: str, name: str, title: str) -> Iterator[None]:
    """Fold what is printed meanwhile, where `forge` can; `title` stays to be seen.

    `name` has letters and underscores only, and is used once in a log.
    """
    if forge == "gitlab":
        _write(f"{_RESET}section_start:{time.time():.0f}:{name}[collapsed=true]\r{_RESET}{title}")
    elif forge == "github":
        _write(f"::group::{title}")
    else:
        _write(title)
    try:
        yield
    finally:
        if forge == "gitlab":
            _write(f"{_RESET}section_end:{time.time():.0f}:{name}\r{_RESET}")
        elif forge == "github":
            _write("::endgroup::")


def add_to_job_page(session: Session, environ: Mapping[str, str], markdown: str) -> None:
    """Show Markdown on the page that GitHub has about the running job, if there is one."""
    path = environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(markdown)
    except OSError as error:
        session.warn(f"the job's summary cannot be written: {error.strerror}")


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
