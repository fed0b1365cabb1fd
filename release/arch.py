"""The PKGBUILD of our own, as a package that the product itself looks at and builds."""

from __future__ import annotations

import hashlib
import shutil
import sys
from typing import TYPE_CHECKING

from caur_ci import process
from caur_ci.errors import ProcessError

if TYPE_CHECKING:
    from pathlib import Path

_CAUR_CI = [sys.executable, "-m", "caur_ci"]


def problems(source: Path, sdist: Path, folder: Path) -> list[str]:
    """Put the package into a repository of its own, with its source and the sum of that."""
    repository = folder / "pkgbuilds"
    package = repository / "caur-ci"
    shutil.copytree(source / "packaging" / "arch", package)
    shutil.copy2(sdist, package)
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    for name in ("PKGBUILD", ".SRCINFO"):
        text = (package / name).read_text(encoding="utf-8")
        (package / name).write_text(text.replace("SKIP", digest), encoding="utf-8")
    try:
        process.run([*_CAUR_CI, "init", repository, "--forge", "none", "--no-example"])
        process.run(["git", "add", "--all"], cwd=repository)
        process.run(["git", *_AUTHOR, "commit", "-qm", "init"], cwd=repository)
        process.run([*_CAUR_CI, "validate", "--repo", repository, "--strict"], cwd=source)
    except ProcessError as error:
        return [str(error)]
    return []


_AUTHOR = ("-c", "user.name=release", "-c", "user.email=release@example.org")
