"""The version is written down in several places: all of them have to name the same."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Where it is written, and how.
_PLACES = (
    ("templates/*.yml", re.compile(r"CAUR_CI_VERSION:\s*\"?([0-9][^\"\s]*)\"?")),
    ("templates/**/*.yml", re.compile(r"caur-ci==([0-9][^\"'\s]*)")),
    ("action.yml", re.compile(r"^    default: \"([0-9][^\"]*)\"", re.MULTILINE)),
    ("README.md", re.compile(r"caur-ci==([0-9][^\"'\s`]*)")),
    ("docs/**/*.md", re.compile(r"caur-ci==([0-9][^\"'\s`]*)")),
    ("packaging/arch/PKGBUILD", re.compile(r"^pkgver=(.*)$", re.MULTILINE)),
    ("packaging/arch/.SRCINFO", re.compile(r"^\tpkgver = (.*)$", re.MULTILINE)),
)
# These have to name it at all.
_NEEDED = (
    "templates/gitlab-ci.yml",
    "templates/github-workflow.yml",
    "action.yml",
    "packaging/arch/PKGBUILD",
    "packaging/arch/.SRCINFO",
)


def of_project(root: Path) -> str:
    """Return the version in `pyproject.toml`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def problems(root: Path, version: str) -> list[str]:
    """Return a sentence for each place that names another version, or none where it has to."""
    found = []
    named = set()
    for pattern, written in _PLACES:
        for path in sorted(root.glob(pattern)):
            place = str(path.relative_to(root))
            for other in written.findall(path.read_text(encoding="utf-8")):
                named.add(place)
                if other != version:
                    found.append(f"{place} names version {other}, pyproject.toml {version}")
    found += [f"{place} names no version" for place in _NEEDED if place not in named]
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[?{re.escape(version)}\]?( |$)", changes, re.MULTILINE):
        found.append(f"CHANGELOG.md has no heading for {version}")
    return found
