"""The description of a request: what somebody who decides about it wants to see first."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from caur_ci.plaintext import is_web_address, printable
from caur_ci.review.harmless import as_block, as_code
from caur_ci.review.request import DANGER
from caur_ci.review.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.review.request import ReviewRequest

# GitHub takes 65,536 characters, GitLab and Forgejo more.
LONGEST = 60_000
_LONGEST_WORDS = 8_000
_MOST_POINTS = 50
_MOST_NAMES = 30
_SEVERITIES = {DANGER: "🛑", "warning": "⚠️", "note": "ℹ️"}  # noqa: RUF001 - it is a sign
_MARK = "caur-ci:"
_ANY_MARK = re.compile(rf"<!-- {_MARK}[0-9a-f]{{64}} -->")
_UNSAFE_IN_LINK = re.compile(r"[()<>\[\]\\`|\"'*_~@#!$]")
# A forge would tell those who are there that somebody spoke of it.
_ABOUT_NUMBER = re.compile(r"/(?:issues|pull|work_items|merge_requests|epics)/")


def describe(request: ReviewRequest, *, comparison: str = "") -> str:
    """Return the description in Markdown; `comparison` is the page with the whole change.

    Nothing of what the change itself says acts on anything. It ends with a mark, see `is_about`.
    """
    text = request.text()
    parts = (*_points(request), *_facts(request, text.upstream), _decisions(request))
    head = "\n".join(parts)
    end = f"\n\n{_mark(request)}\n"
    page = _link("The whole change", comparison)
    words = as_block(text.words, longest=_LONGEST_WORDS)
    if words:
        head += f"\n\n**What changed**\n\n{words}"
    room = LONGEST - len(head) - len(end) - 1_000
    patch = as_block(text.patch, longest=room, language="diff")
    if patch:
        head += f"\n\n<details><summary>Full diff</summary>\n\n{patch}\n\n</details>"
    cut = _is_cut(text.words, words) or _is_cut(text.patch, patch)
    if cut:
        head += "\n\nThe change is larger than what is shown here."
    return "".join((head, f"\n\n{page}" if page else "", end))


def is_about(request: ReviewRequest, description: str) -> bool:
    """Tell whether a description was written for the request as it is.

    What people have added since does not matter.
    """
    return _ANY_MARK.findall(description)[-1:] == [_mark(request)]


def _mark(request: ReviewRequest) -> str:
    said = (request.commit, request.before, request.after, request.link, *request.points)
    return f"<!-- {_MARK}{hashlib.sha256(repr(said).encode()).hexdigest()} -->"


def _points(request: ReviewRequest) -> Iterator[str]:
    dangers = sum(point.severity == DANGER for point in request.points)
    count = len(request.points)
    what = "one thing" if count == 1 else f"{count} things"
    also = f", {dangers} of them dangerous" if dangers else ""
    yield f"**{what} to look at{also}**" if count else "**This change is to be looked at**"
    yield ""
    for point in request.points[:_MOST_POINTS]:
        sign = _SEVERITIES.get(point.severity, _SEVERITIES["warning"])
        where = " ".join(as_code(it, longest=120) for it in (point.place, point.code) if it)
        yield f"- {sign} {as_code(point.message)}{f' {where}' if where else ''}"
    if count > _MOST_POINTS:
        yield f"- and {count - _MOST_POINTS} more"


def _facts(request: ReviewRequest, upstream: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield ""
    pages = [_link(label, url) for label, url in upstream]
    links = ", ".join(page for page in (*pages, _link("where it comes from", request.link)) if page)
    versions = [as_code(version) for version in (request.before, request.after) if version]
    if versions or links:
        arrow = " → ".join(dict.fromkeys(versions)) or "the same version"
        yield f"- Version: {arrow}{f' ({links})' if links else ''}"
    if request.maintainer:
        yield f"- Maintained by {as_code(request.maintainer)}"
    names = request.dependants
    if names:
        shown = ", ".join(as_code(name) for name in names[:_MOST_NAMES])
        more = len(names) - _MOST_NAMES
        yield f"- Here depend on it: {shown}{f' and {more} more' if more > 0 else ''}"


def _decisions(request: ReviewRequest) -> str:
    approval = f"`{Word.APPROVED}`"
    if request.has_danger:
        approval += f" and `{Word.APPROVED_DANGER}`"
    return (
        f"\nMerge it, or say by a label what becomes of it: {approval} takes it over with the next "
        f"run if nothing has changed by then, `{Word.HOLD}` leaves the package as it is, "
        f"`{Word.DANGEROUS}` closes this for good. Labels count of those who may merge."
    )


def _is_cut(text: str, block: str) -> bool:
    return len(printable(text).splitlines()) > max(len(block.splitlines()) - 2, 0)


def _link(label: str, url: str) -> str:
    """Return a link, or nothing where `url` is no plain web address."""
    if not is_web_address(url) or len(url) > 500 or _ABOUT_NUMBER.search(url):
        return ""
    return f"[{label}]({_UNSAFE_IN_LINK.sub(lambda m: f'%{ord(m[0]):02X}', url)})"
