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
    mark = _SKIP_MARK if pipeline.forge == "github" else ""
    if len(packages) <= _NAMED_UP_TO:
        return f"chore(update): {', '.join(packages)}{mark}\n"
    return f"chore(update): packages ({len(packages)}){mark}\n\nchanged: {', '.join(packages)}\n"


def bump_message(reasons: Mapping[str, str], pipeline: ForgePipeline) -> str:
    """Return the message of a commit that bumps packages, each for a reason."""
    mark = _SKIP_MARK if pipeline.forge == "github" else ""
    names = sorted(reasons)
    listing = "".join(f"- {name}: {in_message(reasons[name])}\n" for name in names)
    if len(names) <= _NAMED_UP_TO:
        return f"chore(bump): {', '.join(names)}{mark}\n\n{listing}"
    subject = f"chore(bump): packages ({len(names)}){mark}"
    return f"{subject}\n\nbumped: {', '.join(names)}\n\n{listing}"


def review_message(package: str, reasons: Sequence[str], link: str) -> str:
    """Return the message of the commit that is put to review for `package`."""
    lines = "".join(f"- {in_message(reason)}\n" for reason in reasons)
    page = f"\n{link}\n" if is_web_address(link) and not set(link) & set("[]") else ""
    return f"chore(update): {package}\n\n{lines}{page}"


def is_automated(message: str) -> bool:
    """Tell whether a commit with this message was made by a pipeline."""
    return _AUTOMATED.fullmatch(message.split("\n", 1)[0]) is not None
