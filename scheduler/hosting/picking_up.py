"""From a publishing target to a repository on disk that a database runner goes on with.

Only what it needs comes: databases, and what is known of the packages' needs. The packages stay
where they are; which these are is noted beside the repository (`database/hosted.py`).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.names import is_architecture
from scheduler.database.entries import read_entries
from scheduler.database.hosted import HostedFile, HostedFiles, private_list
from scheduler.database.layout import KINDS, Layout
from scheduler.database.linkage import index_names
from scheduler.database.repository import open_repository
from scheduler.files import hash_file, make_public_folder
from scheduler.hosting.protocol import TargetError
from scheduler.hosting.uploading import hosted_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.database.signing import Keyring
    from scheduler.hosting.protocol import PublishingTarget

# What may stand behind NAME.db, and for signatures after that.
_FORM = re.compile(r"(\.tar(\.[a-z0-9]+)?)?")


def pick_up(
    target: PublishingTarget, root: Path, repository: str, keyring: Keyring
) -> list[Layout]:
    """Make the repository below `root` what is published at `target`; return what it consists of.

    What is here already and follows from what is there, is kept: a run that was killed before its
    upload. All databases have to be signed by a secret key in `keyring`, as they are signed anew
    with whatever is added. Raises TargetError and what `target` raises.
    """
    there = target.listing(repository)
    found = [Layout(root, repository, arch) for arch in _architectures(repository, there)]
    with tempfile.TemporaryDirectory(prefix="caur-ci-pick-up-") as folder:
        hosted = hosted_at(target, repository, there, Path(folder))
        bringing = _Bringing(target, there, keyring, Path(folder))
        known = dict(hosted.files)
        for layout in found:
            if not _follows(layout, HostedFiles.beside(layout), hosted):
                brought = bringing.bring(layout)
                # Of what an upload that was killed announced, the signed database knows more.
                known = brought | {name: it for name, it in known.items() if it.sha256}
    for layout in found[:1]:
        HostedFiles(known).write(private_list(layout))
    return found


def _architectures(repository: str, there: Mapping[str, int]) -> list[str]:
    paths = [path.split("/") for path in there]
    return sorted(
        {
            path[1]
            for path in paths
            if len(path) == 3
            and is_architecture(path[1])
            and path[2].startswith(f"{repository}.db")
            and _FORM.fullmatch(path[2].removeprefix(f"{repository}.db"))
        }
    )


def _follows(layout: Layout, before: HostedFiles, hosted: HostedFiles) -> bool:
    """Tell whether the repository here is made of that at the target."""
    name = f"{layout.arch}/{layout.database}"
    known = hosted.files.get(name)
    return layout.is_published and known is not None and before.files.get(name) == known


@dataclass(frozen=True, slots=True)
class _Bringing:
    """What is listed at the target is `there`; `workplace` is where files come first."""

    target: PublishingTarget
    there: Mapping[str, int]
    keyring: Keyring
    workplace: Path

    def bring(self, layout: Layout) -> dict[str, HostedFile]:
        """Put databases into place; return what is at the target, as they say."""
        databases = {kind: self._signed_database(layout, kind) for kind in KINDS}
        main = databases["db"]
        assert main  # noqa: S101 - without one, this would be no architecture of the repository
        indexes = [
            path
            for name in index_names(layout.name)
            if (path := f"{layout.name}/{layout.arch}/{name}") in self.there
        ]
        self.target.fetch(indexes, self.workplace)
        brought = [f"{name}{sig}" for name in databases.values() if name for sig in ("", ".sig")]
        make_public_folder(layout.folder)
        with open_repository(layout):
            _forget_older(layout)
            for path in (*brought, *indexes):
                shutil.move(self.workplace / path, layout.root / path)
            for kind, path in databases.items():
                if path:
                    _link(layout.root / path, f"{layout.name}.{kind}")
        return {**self._databases(layout), **self._packages(layout, main)}

    def _signed_database(self, layout: Layout, kind: str) -> str:
        """Fetch the database `kind` and its signature; return its path, "" where there is none.

        Raises TargetError where none is signed by us.
        """
        candidates = self._candidates(layout, kind)
        problems = []
        for path in candidates:
            wanted = [name for name in (path, f"{path}.sig") if name in self.there]
            self.target.fetch(wanted, self.workplace)
            problem = self.keyring.problem_with_own(self.workplace / path)
            if not problem:
                return path
            problems.append(problem)
        if not candidates:
            return ""
        raise TargetError(
            f"{self.target.address}: the signature of {candidates[0]} {problems[0]}",
            hint="What is there is signed anew with each publication, so it has to be ours. "
            "Where it is, sign the database by hand once: gpg --detach-sign.",
        )

    def _candidates(self, layout: Layout, kind: str) -> list[str]:
        """Return the databases that are there, the one that counts first.

        An upload may have been killed between ours and its signature, or while ours was replaced:
        then the one that readers ask for counts. Others are of before the first upload.
        """
        start = f"{layout.name}/{layout.arch}/{layout.name}.{kind}"
        ours = [path for path in (f"{start}.tar.zst", start) if path in self.there]
        if ours[:1] == [f"{start}.tar.zst"]:
            return ours
        others = (path for path in sorted(self.there) if _is_database(path, start))
        return list(dict.fromkeys((*ours, *others)))

    def _databases(self, layout: Layout) -> dict[str, HostedFile]:
        """Return what is there of databases in any form, with the digest of the one we follow."""
        home = f"{layout.name}/{layout.arch}"
        found = {
            path.removeprefix(f"{layout.name}/"): HostedFile(size=size, sha256="")
            for path, size in self.there.items()
            for kind in KINDS
            if _is_database(path.removesuffix(".sig"), f"{home}/{layout.name}.{kind}")
        }
        ours = layout.folder / layout.database
        if ours.is_file():
            digest = hash_file(ours)
            found[f"{layout.arch}/{ours.name}"] = HostedFile(size=digest.size, sha256=digest.sha256)
        return found

    def _packages(self, layout: Layout, main: str) -> dict[str, HostedFile]:
        home = f"{layout.name}/{layout.arch}"
        found = {}
        for entry in read_entries(layout.root / main).values():
            name = f"{layout.arch}/{entry.filename}"
            if f"{home}/{entry.filename}" in self.there:
                found[name] = HostedFile(size=entry.size, sha256=entry.sha256)
            if (size := self.there.get(f"{home}/{entry.filename}.sig")) is not None:
                found[f"{name}.sig"] = HostedFile(size=size, sha256="")
        return found


def _is_database(path: str, start: str) -> bool:
    return path.startswith(start) and _FORM.fullmatch(path.removeprefix(start)) is not None


def _link(database: Path, asked_for: str) -> None:
    """Let builds find a database that has come under the name by which pacman asks for it."""
    if database.name != asked_for:
        for suffix in ("", ".sig"):
            database.with_name(f"{asked_for}{suffix}").symlink_to(f"{database.name}{suffix}")


def _forget_older(layout: Layout) -> None:
    """Remove what is here, so that nothing of an older state stays beside what comes."""
    for kind in KINDS:
        for path in layout.folder.glob(f"{layout.name}.{kind}*"):
            if _is_database(path.name.removesuffix(".sig"), f"{layout.name}.{kind}"):
                path.unlink()
    for name in index_names(layout.name):
        (layout.folder / name).unlink(missing_ok=True)
