"""The messages of automated commits, in the form of the existing system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.plaintext import in_message, is_web_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.pipeline.shared.forge import ForgePipeline

_NAMED_UP_TO = 4
# GitHub starts no pipeline for these; GitLab is told by a push option.
_SKIP_MARK = " [skip ci]"
_AUTOMATED = re.compile(r"chore\((?:packages\): update packages|update\): [^\n]+)(?: \[skip ci\])?")


def update_message(packages: Sequence[str], pipeline: ForgePipeline) -> str:
    """Return the message of a commit that updates `packages`."""
    return _message("chore(update)", "changed", packages, pipeline)


def bump_message(reasons: Mapping[str, str], pipeline: ForgePipeline) -> str:
    """Return the message of a commit that bumps packages, each for a reason."""
    return f"{_message('chore(bump)', 'bumped', sorted(reasons), pipeline)}\n{_listing(reasons)}"


def add_message(reasons: Mapping[str, str], pipeline: ForgePipeline) -> str:
    """Return the message of a commit that adds packages, each for a reason or none."""
    return _message("feat(add)", "added", sorted(reasons), pipeline) + _told(reasons)


def drop_message(reasons: Mapping[str, str], pipeline: ForgePipeline) -> str:
    """Return the message of a commit that removes packages, each for a reason or none."""
    return _message("chore(drop)", "dropped", sorted(reasons), pipeline) + _told(reasons)


def rename_message(old: str, new: str, reason: str, pipeline: ForgePipeline) -> str:
    """Return the message of a commit that gives a package folder another name."""
    return f"chore(rename): {old} to {new}{_mark(pipeline)}\n" + _told({new: reason})


def review_message(package: str, reasons: Sequence[str], link: str) -> str:
    """Return the message of the commit that is put to review for `package`."""
    lines = "".join(f"- {in_message(reason)}\n" for reason in reasons)
    page = f"\n{link}\n" if is_web_address(link) and not set(link) & set("[]") else ""
    return f"chore(update): {package}\n\n{lines}{page}"


def aur_message(package: str, pipeline: ForgePipeline) -> str:
    """Return the message of a commit at the AUR, whose readers know nothing of this repository."""
    made = "This commit was made by the pipeline of the repository that has this package."
    paragraphs = [f"chore: update {package}", made]
    if page := pipeline.history_page(package):
        paragraphs.append(f"What has changed, and why: {page}")
    if pipeline.url:
        paragraphs.append(f"The pipeline: {pipeline.url}")
    return "\n\n".join(paragraphs) + "\n"


def _message(kind: str, done: str, packages: Sequence[str], pipeline: ForgePipeline) -> str:
    names = ", ".join(packages)
    if len(packages) <= _NAMED_UP_TO:
        return f"{kind}: {names}{_mark(pipeline)}\n"
    return f"{kind}: packages ({len(packages)}){_mark(pipeline)}\n\n{done}: {names}\n"


def _mark(pipeline: ForgePipeline) -> str:
    return _SKIP_MARK if pipeline.forge == "github" else ""


def _told(reasons: Mapping[str, str]) -> str:
    given = {name: reason for name, reason in reasons.items() if reason}
    return f"\n{_listing(given)}" if given else ""


def _listing(reasons: Mapping[str, str]) -> str:
    return "".join(f"- {name}: {in_message(reasons[name])}\n" for name in sorted(reasons))


def is_automated(message: str) -> bool:
    """Tell whether a commit with this message was made by a pipeline."""
    return _AUTOMATED.fullmatch(message.split("\n", 1)[0]) is not None
