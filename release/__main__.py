"""Runs all checks, and ends with 1 where one is not passed."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci import __version__
from caur_ci.errors import ProcessError
from caur_ci.process import run
from release.distribution import problems_of_source, problems_of_wheel
from release.versions import other_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
_TIMEOUT = 900.0


def main() -> int:
    """Check versions, distribution, and what is installed from it."""
    problems = list(_problems())
    for problem in problems:
        sys.stdout.write(f"✗ {problem}\n")
    sys.stdout.write(f"{len(problems)} problems\n" if problems else "all is well\n")
    return 1 if problems else 0


def _problems() -> Iterator[str]:
    _say("one version everywhere")
    yield from other_versions(ROOT)
    with tempfile.TemporaryDirectory(prefix="caur-ci-release-") as folder:
        first, second = Path(folder) / "first", Path(folder) / "second"
        _say("a wheel and a source archive, twice")
        for place in (first, second):
            _build(place)
        yield from _differences(first, second)
        (wheel,), (source,) = first.glob("*.whl"), first.glob("*.tar.gz")
        _say("what is in them")
        yield from (f"{wheel.name} {problem}" for problem in problems_of_wheel(wheel))
        yield from (f"{source.name} {problem}" for problem in problems_of_source(source))
        yield from _refused([sys.executable, "-m", "twine", "check", "--strict", wheel, source])
        _say("installed in an environment of its own")
        yield from _installed(wheel, Path(folder) / "venv")


def _say(what: str) -> None:
    sys.stdout.write(f"- {what}\n")
    sys.stdout.flush()


def _build(place: Path) -> None:
    # The time of the newest commit: what is built from it is the same everywhere.
    time = run(["git", "log", "-1", "--format=%ct"], cwd=ROOT).stdout.decode().strip()
    run(
        [sys.executable, "-m", "build", "--outdir", place, ROOT],
        environment={"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", time)},
        timeout=_TIMEOUT,
    )


def _differences(first: Path, second: Path) -> Iterator[str]:
    for path in sorted(first.iterdir()):
        digests = {
            hashlib.sha256((folder / path.name).read_bytes()).hexdigest()
            for folder in (first, second)
        }
        if len(digests) > 1:
            yield f"{path.name} is another one each time it is built"


def _installed(wheel: Path, place: Path) -> Iterator[str]:
    venv.create(place, with_pip=True)
    program = place / "bin" / "caur-ci"
    yield from _refused([place / "bin" / "pip", "install", "--quiet", wheel])
    if not program.exists():
        yield "the wheel installs no program caur-ci"
        return
    shown = run([program, "--version"]).stdout.decode().strip()
    if shown != f"caur-ci {__version__}":
        yield f"the installed program says it is {shown!r}"
    repository = place / "repository"
    for forge in ("gitlab", "github"):
        yield from _refused([program, "init", "--forge", forge, repository / forge])
        yield from _refused([program, "validate", "--repo", repository / forge])
    if not (place / "share" / "man" / "man1" / "caur-ci.1").exists():
        yield "the man pages are not installed"


def _refused(command: list[str | Path]) -> Iterator[str]:
    try:
        run(command, timeout=_TIMEOUT)
    except ProcessError as error:
        yield error.message


if __name__ == "__main__":
    sys.exit(main())
