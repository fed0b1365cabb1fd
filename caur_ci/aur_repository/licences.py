"""Which names files of licences have (REUSE specification, and the SPDX list of licences)."""

from __future__ import annotations

import re

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9.+-]*)\.(?:md|txt)", re.ASCII)
_CUSTOM = "LicenseRef-"
_ANY_LICENCE = "GPL-2.0-only"


def is_licence_file(name: str) -> bool:
    """Tell whether the AUR takes a file of this name in the folder LICENSES."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    licence = found[1]
    if licence.startswith(_CUSTOM):
        return True
    return _is_known(licence, licence) or _is_known(
        f"{_ANY_LICENCE} WITH {licence}", f"{_ANY_LICENCE} WITH {licence}"
    )


def _is_known(expression: str, canonical: str) -> bool:
    from packaging.licenses import (  # noqa: PLC0415 - few packages need the list
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    try:
        return canonicalize_license_expression(expression) == canonical
    except InvalidLicenseExpression:
        return False
