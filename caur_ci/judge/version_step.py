"""Whether a package's next version is one that its upstream may well have released.

What a version is made of ends up in URLs and file names, and one that is far too high keeps every
later one from being an update.
"""

from __future__ import annotations

import re
from itertools import takewhile

_PKGVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~]{0,63}")
_PKGREL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_COMMIT_ID = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{7,}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_PARTS = re.compile(r"[0-9]+|[A-Za-z]+")
_SEPARATORS = re.compile(r"[._+-]")
_COMMITS = re.compile(r"r[0-9]{1,6}")
_USUAL_STEP = 10
_USUAL_PATCH = 100


def doubt_about_pkgver(old: str, new: str) -> str:
    """Return why somebody should look at `new`, which comes after `old`; nothing if all is well."""
    if _PKGVER.fullmatch(new) is None or not any(char.isdecimal() for char in new):
        return f"{new} is an odd version"
    if _COMMIT_ID.fullmatch(new):
        return f"the version {new} may be the id of a commit"
    if not _is_usual_step(old, new):
        return f"from version {old} to {new} is an unusual step"
    return ""


def doubt_about_pkgrel(old: str, new: str) -> str:
    """Return why somebody should look at another pkgrel; nothing if all is well."""
    plain = _PKGREL.fullmatch(old) and _PKGREL.fullmatch(new)
    if not plain or float(new) > max(float(old), 1) + _USUAL_STEP:
        return f"from pkgrel {old} to {new} is an unusual step"
    return ""


def _is_usual_step(old: str, new: str) -> bool:
    """Tell whether only numbers change, and none becomes much larger than those there were.

    Letters may change or come behind the first number: 2.0rc1, 2.0a. Where the old version holds
    the id of a commit beside a number, r12.abcdef1, the new one may hold another.
    """
    before, after = _parts(*_without_commit_ids(old, new))
    highest = max((int(part) for part in before if part.isdecimal()), default=0)
    pairs = zip(before, after, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if same == len(after):
        return True
    was, becomes, rest = "".join(before[same : same + 1]), after[same], after[same + 1 :]
    if same == 0 and not (was.isdecimal() and becomes.isdecimal()):
        return False
    compared = int(was) if was.isdecimal() else 0
    # What comes first in a version decides for good; what follows may well have been elsewhere.
    allowed = highest if same == 0 else max(highest, _USUAL_PATCH)
    first = _is_small(becomes, compared) or (becomes.isdecimal() and int(becomes) <= allowed)
    return first and all(_is_small(part, allowed) for part in rest)


def _without_commit_ids(old: str, new: str) -> tuple[str, str]:
    before, after = _SEPARATORS.split(old), _SEPARATORS.split(new)
    found = False
    for place, (was, becomes) in enumerate(zip(before, after, strict=False)):
        if len(was) == len(becomes) and _has_commit_id(was, becomes):
            before[place] = after[place] = ""
            found = True
    if found:
        # How many commits there are between a release and that one.
        before, after = (
            ["" if _COMMITS.fullmatch(part) else part for part in parts]
            for parts in (before, after)
        )
    return ".".join(before), ".".join(after)


def _has_commit_id(old: str, new: str) -> bool:
    # git describe has a `g` in front of it.
    start = "g" if old[:1] == new[:1] == "g" else ""
    before, after = old.removeprefix(start), new.removeprefix(start)
    return bool(_COMMIT_ID.fullmatch(before) and _HEX.fullmatch(after))


def _parts(*versions: str) -> list[list[str]]:
    return [_PARTS.findall(version) for version in versions]


def _is_small(part: str, compared: int) -> bool:
    return not part.isdecimal() or int(part) <= max(2 * compared, compared + _USUAL_STEP)
