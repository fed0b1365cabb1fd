"""on-schedule where nothing has changed, with the AUR, the forge and all upstream at a distance."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.far import FarAway
from benchmarks.measure import measure
from benchmarks.repositories import BenchRepository, git
from benchmarks.rows import Row
from caur_ci.errors import InputError
from caur_ci.srcinfo import parse_fields
from tests.support.aur_server import aur_server
from tests.support.git_http import git_over_http
from tests.support.upstreams import upstreams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.srcinfo import SrcinfoFields
    from tests.support.aur_server import AurServer
    from tests.support.upstreams import Upstreams

# A round trip takes 100 ms.
_DELAY = 0.05
# The share of packages that come from the AUR in a large real repository.
_FROM_AUR = 2355 / 2534
_GOAL_SIZE = 2_600
_VCS = ("-git", "-svn", "-hg", "-bzr")
_WHEN = 1_700_000_000
_PASSWORD = "bench"  # noqa: S105 - of a server on loopback


def schedule_rows(repository: BenchRepository, repeat: int) -> Iterator[Row]:
    """Measure runs after the first, in which nothing has changed."""
    count = repository.packages
    what = f"on-schedule, nothing changed, {round(count * _FROM_AUR):,} from the AUR"
    goals = (2.0, 5.0) if count <= _GOAL_SIZE else (None, None)
    for with_vcs, goal in zip((False, True), goals, strict=True):
        with _world(repository, with_vcs=with_vcs) as (clone, followed):
            measured = measure(
                [sys.executable, "-m", "caur_ci", "on-schedule"], cwd=clone, repeat=repeat
            )
        more = f" and {followed:,} VCS packages" if with_vcs else ""
        yield Row(f"{what}{more} at 100 ms", repository.label, measured, goal=goal)


@contextmanager
def _world(repository: BenchRepository, *, with_vcs: bool) -> Iterator[tuple[Path, int]]:
    """Provide a clone of a copy of `repository` whose packages come from an AUR.

    With it comes the number of packages that follow an upstream repository, each its own.
    """
    with (
        tempfile.TemporaryDirectory(prefix="caur-bench-") as name,
        aur_server() as aur,
        upstreams() as upstream,
    ):
        folder = Path(name)
        remote = folder / "remote.git"
        shutil.copytree(repository.remote, remote)
        with (
            git_over_http(folder, _PASSWORD) as server,
            FarAway(server.server_port, delay=_DELAY) as forge,
            FarAway(aur.server_port, delay=_DELAY) as far_aur,
            FarAway(upstream.server_port, delay=_DELAY) as far_upstream,
        ):
            clone, work = folder / "clone", folder / "work"
            git(folder, "clone", "--quiet", "--no-local", str(remote), str(work))
            _follow_upstream(work, upstream, far_upstream.port if with_vcs else 0)
            _follow_the_aur(remote, work, aur, f"http://127.0.0.1:{far_aur.port}")
            git(folder, "clone", "--quiet", "--no-local", str(remote), str(clone))
            url = f"http://bench:{_PASSWORD}@127.0.0.1:{forge.port}/remote.git"
            git(clone, "remote", "set-url", "origin", url)
            yield clone, len(upstream.repos)


def _follow_upstream(work: Path, upstream: Upstreams, port: int) -> None:
    """Let each VCS package follow a repository at `port`, or none, and never one far outside."""
    for package in _packages(work):
        srcinfo = package / ".SRCINFO"
        if not package.name.endswith(_VCS) or not srcinfo.is_file():
            continue
        lines = [
            line
            for line in srcinfo.read_text(encoding="utf-8", errors="replace").splitlines()
            if not line.strip().startswith("source")
        ]
        if port:
            place = f"/{package.name}.git"
            upstream.push(place)
            lines.insert(1, f"\tsource = git+http://127.0.0.1:{port}{place}")
        srcinfo.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _follow_the_aur(remote: Path, work: Path, aur: AurServer, url: str) -> None:
    """Let most packages of the repository come from the AUR, which has them as they are here."""
    packages = _packages(work)
    for number, package in enumerate(packages):
        config = package / ".CI" / "config"
        config.parent.mkdir(exist_ok=True)
        fields = _fields(package) if number < round(len(packages) * _FROM_AUR) else None
        source = "aur" if fields else "custom"
        config.write_text(f"CI_PKGBUILD_SOURCE={source}\n", encoding="utf-8")
        if fields:
            aur.add(fields.pkgnames[0], fields.version, base=package.name, modified=_WHEN)
    config = work / ".ci" / "config"
    config.write_text(f"{config.read_text()}CI_AUR_URL={url}\n", encoding="utf-8")
    (work / ".ci" / "aur-state").write_text(f"{_WHEN}\n", encoding="utf-8")
    git(work, "add", "--all", "--force")
    git(work, "commit", "--quiet", "--message=chore: follow the AUR")
    git(work, "push", "--quiet", "--force", "origin", "HEAD:main", "HEAD:refs/tags/scheduled")
    git(remote, "update-ref", "-d", "refs/heads/caur")
    os.sync()


def _packages(work: Path) -> list[Path]:
    return sorted(path for path in work.iterdir() if path.is_dir() and path.name[0] != ".")


def _fields(package: Path) -> SrcinfoFields | None:
    """Return what the AUR is to have of a package: nothing of one that is not what it is named."""
    try:
        fields = parse_fields((package / ".SRCINFO").read_bytes())
    except (InputError, OSError):
        return None  # real repositories have some that cannot be read
    return fields if fields.pkgbase == package.name else None
