"""Build what is released into `dist/`, and hold it to what it has to be; 1 where it is not."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from caur_ci.errors import CaurError
from release import arch, artifacts, installed, versions

_ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run every check; what is built is kept only where all of them are content."""
    with tempfile.TemporaryDirectory(prefix="caur-release-") as folder:
        try:
            problems = _check(Path(folder))
        except CaurError as error:
            problems = [str(error)]
    for problem in problems:
        print(f"✗ {problem}")
    return 1 if problems else 0


def _check(folder: Path) -> list[str]:
    version = versions.of_project(_ROOT)
    problems = versions.problems(_ROOT, version)
    _tell(f"version {version} in pyproject.toml, templates, PKGBUILD, CHANGELOG and docs", problems)
    source = artifacts.export(_ROOT, folder / "export")
    built = artifacts.build(source, folder / "dist")
    again = artifacts.build(artifacts.export(_ROOT, folder / "other place"), folder / "again")
    for title, found in (
        ("the same bytes from a second place", artifacts.differences(built, again)),
        ("the wheel has every file, and no other", artifacts.wheel_problems(source, built.wheel)),
        ("the sdist has every file", artifacts.sdist_problems(source, built.sdist)),
        ("metadata", artifacts.metadata_problems(source, built)),
        ("it starts where it is installed", installed.problems(built.wheel, folder, version)),
        ("the PKGBUILD of our own", arch.problems(source, built.sdist, folder)),
        ("the commands in the documents", installed.documents_problems(_ROOT)),
    ):
        _tell(title, found)
        problems += found
    if not problems:
        built.keep(_ROOT / "dist")
        print(f"in dist/: {built.wheel.name}, {built.sdist.name}")
    return problems


def _tell(title: str, problems: list[str]) -> None:
    print(f"{'✗' if problems else '✓'} {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
