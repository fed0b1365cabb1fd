"""Wheel and sdist: how they are built, and what has to be in them."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from caur_ci import process
from caur_ci.errors import ProcessError

# Long enough for machines that are busy with other things, in seconds.
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Built:
    """The files of a release."""

    wheel: Path
    sdist: Path

    def keep(self, folder: Path) -> None:
        """Copy them to `folder`."""
        folder.mkdir(exist_ok=True)
        for path in (self.wheel, self.sdist):
            shutil.copy2(path, folder / path.name)


def export(root: Path, folder: Path) -> Path:
    """Put the files of the last commit into the new `folder`: nothing else is released."""
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    process.run(["git", "archive", f"--output={archive}", "HEAD"], cwd=root)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def build(source: Path, folder: Path) -> Built:
    """Build both, the wheel from the sdist, with the time of the Zip format's first day."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={folder}", str(source)]
    process.run(command, environment={"SOURCE_DATE_EPOCH": "315532800"}, timeout=_LONGEST)
    return Built(wheel=next(folder.glob("*.whl")), sdist=next(folder.glob("*.tar.gz")))


def differences(one: Built, other: Built) -> list[str]:
    """Return what differs between two builds of the same source."""
    return [
        f"two builds of {first.name} differ"
        for first, second in ((one.wheel, other.wheel), (one.sdist, other.sdist))
        if (first.name, _digest(first)) != (second.name, _digest(second))
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wheel_problems(source: Path, wheel: Path) -> list[str]:
    """Hold the names in the wheel to those that `pyproject.toml` asks for."""
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if not name.endswith("/")}
    info = next(PurePosixPath(name).parts[0] for name in names if name.endswith("/METADATA"))
    expected = _expected(source, info.replace(".dist-info", ".data"))
    expected |= {f"{info}/{name}" for name in _INFO}
    return [
        *(f"not in the wheel: {name}" for name in sorted(expected - names)),
        *(f"should not be in the wheel: {name}" for name in sorted(names - expected)),
    ]


_INFO = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")


def _expected(source: Path, data: str) -> set[str]:
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    moved = {package: package for package in wheel["packages"]} | wheel["force-include"]
    moved |= {here: f"{data}/data/{there}" for here, there in wheel.get("shared-data", {}).items()}
    return {
        f"{there}/{path.relative_to(source / here)}" if path != source / here else there
        for here, there in moved.items()
        for path in _files(source / here)
    }


def _files(place: Path) -> list[Path]:
    return [path for path in (place, *place.rglob("*")) if path.is_file()]


def sdist_problems(source: Path, sdist: Path) -> list[str]:
    """Tell which files of the source the sdist lacks."""
    with tarfile.open(sdist) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    # Git's own files say nothing outside of a repository.
    wanted = {str(path.relative_to(source)) for path in _files(source)}
    missing = {name for name in wanted - names if not PurePosixPath(name).name.startswith(".git")}
    return [f"not in the sdist: {name}" for name in sorted(missing)]


def metadata_problems(source: Path, built: Built) -> list[str]:
    """Have twine and validate-pyproject look at it."""
    found = []
    for command in (
        ["-m", "twine", "check", "--strict", str(built.wheel), str(built.sdist)],
        ["-m", "validate_pyproject", str(source / "pyproject.toml")],
    ):
        try:
            process.run([sys.executable, *command], timeout=_LONGEST)
        except ProcessError as error:
            found.append(str(error))
    return found
