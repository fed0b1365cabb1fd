"""How long it takes to see whether a batch of packages ships files of others."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.database.distribution_files import DistributionFiles
from scheduler.database.file_conflicts import Arrival, ConflictCheck, held_for_conflicts
from scheduler.database.packages import PackageFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PACKAGES, _DISTRIBUTION, _BATCH = 3_000, 15_000, 20
_FILES_EACH = 400
_GOAL = 1.0


def conflicts_rows(
    *, packages: int = _PACKAGES, distribution: int = _DISTRIBUTION, batch: int = _BATCH
) -> Iterator[tuple[str, str]]:
    """Measure on made-up databases; the batch has new versions with as many new files as old."""
    with tempfile.TemporaryDirectory(prefix="caur-bench-") as made:
        folder = Path(made)
        ours, theirs = folder / "repo.files", folder / "extra.files"
        _write(ours, "ours", packages)
        _write(theirs, "theirs", distribution)
        arrivals = [_arrival(number) for number in range(batch)]
        files = DistributionFiles([theirs], cache=folder / "cache")
        yield f"index of {distribution:,} packages", _shown(_timed(files.refresh))

        def check() -> None:
            held_for_conflicts([ConflictCheck(arrivals, ours, files)])

        warm = _timed(check)
        missed = " (missed)" if warm > _GOAL else ""
        label = f"{batch} of {packages:,} packages (goal: {_GOAL:g} s)"
        yield label, f"{_shown(warm)}{missed}"


def _timed(action: Callable[[], None]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _paths(name: str) -> bytes:
    lines = (f"usr/share/{name}/data/some/folder/file-{n}.svg" for n in range(_FILES_EACH))
    return "\n".join(lines).encode()


def _arrival(number: int) -> Arrival:
    name = f"ours{number}"
    package = PackageFile(
        path=Path(name),
        pkgname=name,
        pkgbase=name,
        version="2-1",
        arch="any",
        files=_paths(name) + b"\n" + _paths(f"{name}-new"),
    )
    return Arrival(delivery=number, folder=name, packages=[package])


def _write(path: Path, prefix: str, count: int) -> None:
    with (
        gzip.open(path, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for number in range(count):
            name = f"{prefix}{number}"
            parts = {
                "desc": f"%NAME%\n{name}\n\n%VERSION%\n1-1\n\n".encode(),
                "files": b"%FILES%\n" + _paths(name) + b"\n",
            }
            for part, content in parts.items():
                member = tarfile.TarInfo(f"{name}-1-1/{part}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
