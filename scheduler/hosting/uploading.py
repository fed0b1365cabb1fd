"""From the repository on disk to a publishing target."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.database.entries import read_entries
from scheduler.database.forms import database_in_place
from scheduler.database.hosted import HOSTED, HostedFile, HostedFiles
from scheduler.database.layout import KINDS, layouts
from scheduler.database.linkage import index_names
from scheduler.database.lists import FILES, LAST_UPDATE, PACKAGES
from scheduler.database.repository import open_repository
from scheduler.files import hash_file
from scheduler.hosting.protocol import Change, TargetError, Upload
from scheduler.hosting.synchronizing import (
    LocalFile,
    PublishedHere,
    Synchronization,
    synchronization,
)
from scheduler.hosting.uploader import one_uploader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout
    from scheduler.hosting.protocol import PublishingTarget


def upload(
    target: PublishingTarget, root: Path, repository: str, *, grace: float, who: str = ""
) -> Synchronization:
    """Bring to `target` what is published of `repository` below `root`; return what that was.

    Packages come first and databases last, so that readers never see a database without its
    files, and what is not listed any more stays for `grace` seconds. Where nothing differs, nothing
    is changed. Killed half-way, it is repeated. `who` tells others meanwhile whom they wait for.

    Raises BusyTargetError where another upload is under way, TargetError, and what `target` raises.
    """
    with _planned(target, root, repository, grace=grace) as (found, change):
        if found.is_empty:
            return found
        target.admit(change)
    with (
        one_uploader(root, repository, who) as uploader,
        target.held(repository, uploader) as check,
        # What is there may have changed until nobody else could change it any more.
        _planned(target, root, repository, grace=grace) as (found, change),
    ):
        if not found.is_empty:
            target.admit(change)
            target.apply(change, check)
    return found


@contextmanager
def _planned(
    target: PublishingTarget, root: Path, repository: str, *, grace: float
) -> Iterator[tuple[Synchronization, Change]]:
    """Provide what there is to do, and the change with the lists of what is hosted."""
    there = target.listing(repository)
    with tempfile.TemporaryDirectory(prefix="caur-ci-upload-") as folder:
        workplace = Path(folder)
        hosted = hosted_at(target, repository, there, workplace)
        hosted = _with_picked_up(hosted, layouts(root, repository), there)
        here = _published(root, repository, hosted, workplace)
        hosted = _settled(target, here, hosted, there, workplace)
        found = synchronization(here, there, hosted, grace=grace, now=time.time())
        lists = [workplace / f"{number}-{HOSTED}" for number in range(2)]
        for path, files in zip(lists, (found.announced, found.hosted), strict=True):
            files.write(path)
        first, last = (Upload(path=f"{repository}/{HOSTED}", source=path) for path in lists)
        stages = ((first,), *found.change.stages, (last,))
        yield found, Change(stages=stages, removals=found.change.removals)


def hosted_at(
    target: PublishingTarget, repository: str, there: Iterable[str], workplace: Path
) -> HostedFiles:
    """Return what a target was told to have of a repository.

    Raises TargetError where that cannot be read.
    """
    path = f"{repository}/{HOSTED}"
    if path not in there:
        return HostedFiles()
    # Apart from folders for architectures: a repository may be called as one is.
    told = workplace / "told"
    target.fetch([path], told)
    try:
        return HostedFiles.read(told / path)
    except CaurError as error:
        raise TargetError(
            f"{target.address}: {path} is no list of what is there",
            hint="Remove it there, and pick the repository up: the signed database tells the rest.",
        ) from error


def _with_picked_up(
    hosted: HostedFiles, here: Sequence[Layout], there: Mapping[str, int]
) -> HostedFiles:
    """Add what nobody told the target, but its signed databases did when they were picked up.

    So a repository goes on that others have brought there. Of what we write there ourselves,
    nothing but our own list tells what it is.
    """
    ours = {
        f"{layout.arch}/{name}" for layout in here for name in (*layout.databases, *layout.links)
    }
    known = HostedFiles.beside(here[0]).files if here else {}
    found = {
        name: file
        for name, file in known.items()
        if name not in ours and there.get(f"{here[0].name}/{name}") == file.size
    }
    return HostedFiles({**found, **hosted.files})


def _settled(
    target: PublishingTarget,
    here: PublishedHere,
    hosted: HostedFiles,
    there: Mapping[str, int],
    workplace: Path,
) -> HostedFiles:
    """Look at what an upload that was killed may have brought, and is there only."""
    unsettled = {
        name: f"{here.repository}/{name}"
        for name, file in here.packages.items()
        if file.source is None
        and file.sha256
        and name in hosted.files
        and not hosted.files[name].sha256
    }
    looked_at = {name: path for name, path in unsettled.items() if path in there}
    if not looked_at:
        return hosted
    with tempfile.TemporaryDirectory(dir=workplace) as folder:
        target.fetch(looked_at.values(), Path(folder))
        digests = {name: hash_file(Path(folder) / path) for name, path in looked_at.items()}
    settled = {
        name: HostedFile(size=digest.size, sha256=digest.sha256) for name, digest in digests.items()
    }
    return HostedFiles({**hosted.files, **settled})


def _published(root: Path, repository: str, hosted: HostedFiles, workplace: Path) -> PublishedHere:
    packages: dict[str, LocalFile] = {}
    documents: dict[str, LocalFile] = {}
    archives: dict[str, LocalFile] = {}
    databases: dict[str, LocalFile] = {}
    for layout in layouts(root, repository):
        if not layout.is_published:
            continue
        copies = workplace / layout.arch
        copies.mkdir()
        # Whoever publishes goes on while packages are uploaded: these stay in place for a while.
        with open_repository(layout):
            _copy_databases(layout, copies)
        entries = read_entries(copies / layout.database)
        packages |= _packages(layout, entries.values(), hosted)
        for path in sorted(copies.iterdir()):
            kind = documents
            if path.name.startswith(f"{layout.name}.db"):
                kind = archives if path.name.startswith(layout.database) else databases
            elif path.name in layout.links:
                # After its archive: one of both fits its signature.
                kind = archives
            kind[f"{layout.arch}/{path.name}"] = _local(path)
    documents |= _shared(root / repository, packages, workplace)
    return PublishedHere(
        repository=repository,
        packages=packages,
        documents=documents,
        archives=archives,
        databases=databases,
    )


def _copy_databases(layout: Layout, copies: Path) -> None:
    """Copy databases and what belongs to them, under all names by which they are asked for."""
    for kind in KINDS:
        source = database_in_place(layout, kind)
        for suffix in ("", ".sig"):
            path = source.with_name(f"{source.name}{suffix}") if source else None
            if path is not None and path.is_file():
                for name in (f"{layout.name}.{kind}.tar.zst", f"{layout.name}.{kind}"):
                    shutil.copy2(path, copies / f"{name}{suffix}")
    for name in index_names(layout.name):
        if (layout.folder / name).is_file():
            shutil.copy2(layout.folder / name, copies / name)


def _packages(
    layout: Layout, entries: Iterable[Entry], hosted: HostedFiles
) -> dict[str, LocalFile]:
    found = {}
    for entry in entries:
        path = layout.folder / entry.filename
        signature = path.with_name(f"{path.name}.sig")
        name = f"{layout.arch}/{entry.filename}"
        # The signature first: a package never comes without.
        if signature.is_file():
            found[f"{name}.sig"] = _local(signature)
        elif f"{name}.sig" in hosted.files:
            there = hosted.files[f"{name}.sig"]
            found[f"{name}.sig"] = LocalFile(size=there.size, sha256=there.sha256, source=None)
        source = path if path.is_file() and path.stat().st_size == entry.size else None
        found[name] = LocalFile(size=entry.size, sha256=entry.sha256, source=source)
    return found


def _shared(home: Path, packages: Iterable[str], workplace: Path) -> dict[str, LocalFile]:
    """Return what the architectures share: the key, and the plain lists."""
    found = {
        path.name: _local(path)
        for path in (home / f"{home.name}.asc", home / LAST_UPDATE, home / PACKAGES)
        if path.is_file()
    }
    if (home / FILES).is_file():
        # The one on disk is about what is here.
        lines = sorted({name.partition("/")[2] for name in packages})
        path = workplace / FILES
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        found[FILES] = _local(path)
    return found


def _local(path: Path) -> LocalFile:
    digest = hash_file(path)
    return LocalFile(size=digest.size, sha256=digest.sha256, source=path)
