"""Licences: SPDX expressions, and what stood in their place before."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.validation.model import Finding
    from caur_ci.validation.view import PackageView

# What the packages `licenses` and makepkg's documentation named, with or without a version, and
# `custom`, alone or with a name.
_OLD = re.compile(
    r"(?i:custom(?:[:-].*)?"
    r"|(?:[al]?gpl|fdl|lppl|mpl|eupl|cddl|epl|cpl|apache|artistic|zpl|afl)[-v]?[0-9.]*"
    r"(?:[+]|[ -](?:only|or[ -]later))?"
    r"|bsd[-0-9a-z ]*|cc-by[-a-z0-9.]*|cc0|ccpl(?::.*)?|mit|isc|zlib|psf|python|php|perl|ruby|w3c"
    r"|boost|ofl|wtfpl|public[ -]?domain|unknown|none|unlicense|commercial|proprietary)"
)
_LONGEST = 300


def check_licences(view: PackageView) -> Iterator[Finding]:
    """Yield licences that are none, or none any more."""
    if view.fields is None:
        return
    entries = view.srcinfo.values("license")
    if not entries:
        yield view.about("license-missing", "pkgname")
    told: set[str] = set()
    for entry in entries:
        if entry.value in told or is_expression(entry.value):
            continue
        told.add(entry.value)
        code = "license-old" if _OLD.fullmatch(entry.value) else "license-unknown"
        yield view.about(code, "license", entry.value, line=entry.line, what=entry.value)


@lru_cache(maxsize=4096)
def is_expression(text: str) -> bool:
    """Tell whether `text` is an SPDX licence expression."""
    from packaging.licenses import (  # noqa: PLC0415 - slow to import
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    if len(text) > _LONGEST:
        return False
    try:
        canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return False
    except Exception:  # noqa: BLE001 - whatever a stranger's text does to the parser
        return False
    return True
