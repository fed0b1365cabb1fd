"""The one version, wherever it is written down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUMBER = r"([0-9][0-9A-Za-z.]*)"
_PLACES = {
    "pyproject.toml": rf'^version = "{_NUMBER}"',
    "CHANGELOG.md": rf"^## {_NUMBER}",
    "action.yml": rf'^    default: "{_NUMBER}"',
    "packaging/arch/PKGBUILD": rf"^pkgver={_NUMBER}",
    "packaging/arch/.SRCINFO": rf"^\tpkgver = {_NUMBER}",
    "templates/*.yml": rf'CAUR_CI_VERSION: "{_NUMBER}"',
}


def other_versions(root: Path) -> Iterator[str]:
    """Yield each place that names another version than the code has, or none at all."""
    for pattern, expression in _PLACES.items():
        paths = sorted(root.glob(pattern))
        if not paths:
            yield f"{pattern} is missing"
        for path in paths:
            found = re.search(expression, path.read_text(encoding="utf-8"), re.MULTILINE)
            version = found[1] if found else "no version"
            if version != __version__:
                yield f"{path.relative_to(root)} has {version}, the code {__version__}"
