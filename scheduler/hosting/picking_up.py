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

_MAIN = re.compile(r"\.db\.tar(\.[a-z0-9]+)?")


def pick_up(
    target: PublishingTarget, root: Path, repository: str, keyring: Keyring
) -> list[Layout]:
    """Make the repository below `root` what is published at `target`; return what it consists of.

    What is here already and follows from what is there, is kept: a run that was killed before its
    upload. The databases have to be signed by a key in `keyring`, as they are signed anew with
    whatever is added. Raises TargetError and what `target` raises.
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
            and path[2].startswith(repository)
            and _MAIN.fullmatch(path[2].removeprefix(repository))
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
        home = f"{layout.name}/{layout.arch}"
        main = self._main_database(layout)
        ending = main.partition(".db")[2]
        databases = [f"{layout.name}.{kind}{ending}" for kind in KINDS]
        wanted = [
            *(f"{home}/{name}{sig}" for name in databases for sig in ("", ".sig")),
            *(f"{home}/{name}" for name in index_names(layout.name)),
        ]
        self.target.fetch([path for path in wanted if path in self.there], self.workplace)
        self._check_signature(layout, main)
        make_public_folder(layout.folder)
        with open_repository(layout) as repository:
            for path in wanted:
                # Nothing of an older state stays beside it.
                (layout.root / path).unlink(missing_ok=True)
                if (self.workplace / path).is_file():
                    shutil.move(self.workplace / path, layout.root / path)
            if ending == ".tar.zst":
                repository.link()
        digest = hash_file(layout.root / main)
        database = HostedFile(size=digest.size, sha256=digest.sha256)
        return {main.partition("/")[2]: database, **self._packages(layout, main)}

    def _main_database(self, layout: Layout) -> str:
        start = f"{layout.name}/{layout.arch}/{layout.name}"
        return next(
            path
            for path in sorted(self.there)
            if path.startswith(start) and _MAIN.fullmatch(path.removeprefix(start))
        )

    def _check_signature(self, layout: Layout, main: str) -> None:
        problem = self.keyring.problem_with(self.workplace / main)
        if problem and not self._take_copy(layout, main):
            raise TargetError(
                f"{self.target.address}: the signature of {main} {problem}",
                hint="What is there is signed anew with each publication, so it has to be ours. "
                "Where it is, sign the database by hand once: gpg --detach-sign.",
            )

    def _take_copy(self, layout: Layout, main: str) -> bool:
        """Take the database that readers ask for; tell whether it is signed.

        An upload may have been killed between the other one and its signature.
        """
        copy = f"{layout.name}/{layout.arch}/{layout.name}.db"
        paths = [copy, f"{copy}.sig"]
        if not all(path in self.there for path in paths):
            return False
        self.target.fetch(paths, self.workplace)
        if self.keyring.problem_with(self.workplace / copy):
            return False
        for path in paths:
            (self.workplace / path).replace(self.workplace / path.replace(copy, main))
        return True

    def _packages(self, layout: Layout, main: str) -> dict[str, HostedFile]:
        home = f"{layout.name}/{layout.arch}"
        return {
            f"{layout.arch}/{entry.filename}": HostedFile(size=entry.size, sha256=entry.sha256)
            for entry in read_entries(layout.root / main).values()
            if f"{home}/{entry.filename}" in self.there
        }
