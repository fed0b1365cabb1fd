"""What requests say, checked before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.names import check_architecture, check_package_name, check_repository_name
from scheduler.web.answers import bad_request, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

# Beyond it neither the history nor browsers count exactly.
_LARGEST = 2**53 - 1


def number_in_path(request: Request, name: str) -> int:
    """Return a number of the path. Raises AnswerError for one that cannot be that of anything."""
    value = int(request.path_params[name])
    if not 0 < value <= _LARGEST:
        raise not_found(f"there is no {name} {str(value)[:40]}")
    return value


def number(request: Request, name: str, default: int, *, smallest: int = 0, largest: int) -> int:
    """Return a number of the query, brought within its limits. Raises AnswerError for none."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise bad_request(f"{name} is a number, not {text[:40]!r}")
    return min(max(int(text), smallest), largest)


def text(request: Request, name: str, *, longest: int = 200) -> str:
    """Return a text of the query, without blanks around it. Raises AnswerError for a long one."""
    value = request.query_params.get(name, "").strip()
    if len(value) > longest:
        raise bad_request(f"{name} is too long", hint=f"It may have {longest} characters.")
    return value.replace("\0", "")


def identity_in_path(request: Request) -> str:
    """Return `target_repo/arch/pkgbase` from the path. Raises NameNotAllowedError."""
    parts = request.path_params
    repo = check_repository_name(parts["repo"])
    arch = check_architecture(parts["arch"])
    return f"{repo}/{arch}/{check_package_name(parts['pkgbase'])}"
