"""What issues say. What comes from a build is shown as it is, and mentions nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.plaintext import code_in_markdown, in_markdown, link_in_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.issues.model import Known, Report

LABEL = "build-failure"
_LONGEST_REASON = 1000
_WHAT_BECOMES_OF_IT = (
    "This text follows the last failure. The issue is closed when the package is published, and "
    "opened again if it fails within a week after that."
)


def title_of(report: Report) -> str:
    """Return the title, by which an issue is found again."""
    place = report.identity.rpartition("/")[0]
    return f"{report.pkgbase} does not build for {place}"


def body_of(
    report: Report, known: Known, *, commit_url: str, log_url: str, mention: Sequence[str]
) -> str:
    """Return the text of an open issue, as Markdown."""
    times = "once" if known.failures == 1 else f"{known.failures} times"
    since = datetime.fromtimestamp(known.since, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    commit = link_in_markdown(report.commit[:12], commit_url) or code_in_markdown(report.commit)
    lines = [
        f"{code_in_markdown(report.pkgbase)} has failed {times} since {since}.",
        "",
        "| | |",
        "|-|-|",
        f"| how | {in_markdown(report.how)} |",
        f"| why | {code_in_markdown(report.reason[:_LONGEST_REASON])} |",
        f"| commit | {commit} |",
        f"| log | {link_in_markdown('the last one', log_url)} |",
        "",
        _WHAT_BECOMES_OF_IT,
    ]
    if mention:
        lines += ["", f"cc {' '.join(f'@{name}' for name in mention)}"]
    return "\n".join(line for line in lines if not line.endswith("|  |"))


def farewell(report: Report, *, commit_url: str) -> str:
    """Return what is said when an issue is closed, because the package is published."""
    commit = link_in_markdown(report.commit[:12], commit_url) or code_in_markdown(report.commit)
    return f"{code_in_markdown(report.pkgbase)} is published, as of {commit}."
