"""Which names are allowed where, and which known name somebody may have meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from caur_ci.errors import NameNotAllowedError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME_LENGTH = 255

# pacman's rule for pkgbase and pkgname.
_PACKAGE_NAME = re.compile(r"[A-Za-z0-9@_+][A-Za-z0-9@._+-]*")
# What the existing manager accepts in `schedule`.
_LEGACY_PACKAGE_NAME = re.compile(r"[a-z0-9_.+-]+")
_REPOSITORY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9@._+-]*")
_WORKER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# What git does not allow in a ref (`git help check-ref-format`).
_NOT_IN_REFS = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|/$|\.(?:/|$)|\.lock(?:/|$)", re.ASCII
)
_ARCHITECTURE = re.compile(r"[a-z0-9_]+")


def is_package_name(name: str) -> bool:
    """Tell whether pacman's rules allow `name` for a pkgbase or pkgname."""
    return len(name) <= MAX_NAME_LENGTH and _PACKAGE_NAME.fullmatch(name) is not None


def is_legacy_package_name(name: str) -> bool:
    """Tell whether the existing manager accepts `name` in its `schedule` command."""
    return _LEGACY_PACKAGE_NAME.fullmatch(name) is not None


def is_ref_name(name: str) -> bool:
    """Tell whether git allows the ref `name`, or a ref that ends in it."""
    return bool(name) and _NOT_IN_REFS.search(name) is None


def check_package_name(name: str) -> str:
    """Return `name`, or raise NameNotAllowedError saying what is wrong with it."""
    if not is_package_name(name):
        raise NameNotAllowedError(
            f"{name!r} cannot be the name of a package",
            hint="Allowed are letters, digits and @ . _ + -, not starting with - or a dot, "
            f"at most {MAX_NAME_LENGTH} characters.",
        )
    return name


def check_repository_name(name: str) -> str:
    """Return `name` if it can name a target or source repository, else raise."""
    return _check(_REPOSITORY_NAME, name, "a repository")


def check_worker_name(name: str) -> str:
    """Return `name` if it can name a worker or a text build class, else raise."""
    return _check(_WORKER_NAME, name, "a worker")


def is_architecture(name: str) -> bool:
    """Tell whether `name` can name an architecture."""
    return len(name) <= MAX_NAME_LENGTH and _ARCHITECTURE.fullmatch(name) is not None


def check_architecture(name: str) -> str:
    """Return `name` if it can name an architecture, else raise."""
    return _check(_ARCHITECTURE, name, "an architecture")


def _check(pattern: re.Pattern[str], name: str, what: str) -> str:
    if len(name) > MAX_NAME_LENGTH or pattern.fullmatch(name) is None:
        raise NameNotAllowedError(f"{name!r} cannot be the name of {what}")
    return name


def closest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` of the other `known` names that are most like `name`, best first."""
    others = [each for each in known if each != name]
    return difflib.get_close_matches(name, others, n=limit, cutoff=0.6)


def suggestion(name: str, known: Iterable[str], limit: int = 3) -> str:
    """Return a sentence naming what `name` may have meant, or an empty string."""
    matches = closest(name, known, limit)
    return f"Did you mean {' or '.join(matches)}?" if matches else ""
