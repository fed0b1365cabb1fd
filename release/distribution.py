"""What a wheel and a source archive have in them."""

from __future__ import annotations

import tarfile
import zipfile
from email.parser import BytesParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IN_WHEEL = (
    "caur_ci/py.typed",
    "scheduler/py.typed",
    "caur_ci/schemas/repository-config.schema.json",
    "caur_ci/schemas/package-config.schema.json",
    "caur_ci/schemas/build-request.schema.json",
    "scheduler/schemas/settings.schema.json",
    "scheduler/queue/lua/common.lua",
    "scheduler/worker/guest/staged.sh",
    "scheduler/web/templates/log.html",
    "caur_ci/setup/templates/gitlab-ci.yml",
    "caur_ci/setup/templates/github-workflow.yml",
    "caur_ci/demo/fixtures/pkgbuilds/",
    ".data/data/share/man/man1/caur-ci.1",
)
_NOT_IN_WHEEL = ("tests/", "benchmarks/", "documentation/", "release/", ".pyc", "demo-output")
_IN_SOURCE = (
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "templates/gitlab-ci.yml",
    "man/caur-ci.1",
)
_FIELDS = ("Name", "Version", "Summary", "Requires-Python", "Description-Content-Type")


def problems_of_wheel(wheel: Path) -> Iterator[str]:
    """Yield what is missing in a wheel, and what has no business there."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        yield from _missing(names, _IN_WHEEL)
        yield from (
            f"has {name}"
            for name in names
            for part in _NOT_IN_WHEEL
            if (name.startswith(part) if part.endswith("/") else part in name)
        )
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        fields = BytesParser().parsebytes(archive.read(metadata))
        yield from (f"its metadata has no {field}" for field in _FIELDS if not fields[field])


def problems_of_source(archive: Path) -> Iterator[str]:
    """Yield what is missing in a source archive."""
    with tarfile.open(archive) as opened:
        yield from _missing(opened.getnames(), _IN_SOURCE)


def _missing(names: list[str], wanted: tuple[str, ...]) -> Iterator[str]:
    for part in wanted:
        if not any(part in name for name in names):
            yield f"lacks {part}"
