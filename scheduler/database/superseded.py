"""Package files that are not listed any more.

They stay in place for a time of grace, for readers that still have the old database, then they go
to the archive, and when nobody needs them any more they are removed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from scheduler.files import hash_file, link_or_copy, make_public_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Left:
    """A file that is not listed any more, since when it is where it is."""

    sha256: str
    since: float


@dataclass(slots=True)
class _Index:
    """`leaving` is by file name, `archived` by the path below the archive's folder."""

    leaving: dict[str, Left] = field(default_factory=dict)
    archived: dict[str, Left] = field(default_factory=dict)


class Superseded:
    """The files of one repository that are not listed any more.

    `superseded.json` remembers them: `leaving` are those still in place, by their file names, each
    with its SHA-256 and since when (a Unix time); `archived` those in the archive, by their paths.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._path = layout.private / "superseded.json"

    def leave(self, before: Iterable[Entry], after: Mapping[str, Entry], *, now: float) -> None:
        """Note which of the files of `before` are not among those of `after`."""
        index = self._load()
        listed = {entry.filename: entry.sha256 for entry in after.values()}
        for entry in before:
            if listed.get(entry.filename) != entry.sha256:
                index.leaving.setdefault(entry.filename, Left(entry.sha256, now))
        self._save(index)

    def settle(self, listed: Iterable[Entry]) -> None:
        """Forget about files that are listed, now that they are in place."""
        index = self._load()
        names = {entry.filename for entry in listed} & index.leaving.keys()
        for name in names:
            del index.leaving[name]
        if names:
            self._save(index)

    def make_room(self, filename: str, *, now: float) -> None:
        """Archive the file that has the name of one to come, if there is such a file.

        It stays in place as well until it is replaced.
        """
        index = self._load()
        left = index.leaving.get(filename)
        if left is None:
            return
        if (self._layout.folder / filename).exists():
            path = self._archive_path(index, filename, left)
            index.archived[path] = Left(left.sha256, now)
            self._save(index)
            self._link_to_archive(filename, path)
        del index.leaving[filename]
        self._save(index)

    def sweep(
        self, *, grace: int, archive_days: int, needed: Callable[[], set[str]], now: float
    ) -> None:
        """Move on what has been where it is for long enough.

        `needed` are checksums of files that stay in the archive whatever their age.
        """
        index = self._load()
        due = [name for name, left in index.leaving.items() if left.since + grace <= now]
        moved = {name: self._archive_path(index, name, index.leaving[name]) for name in due}
        for name, path in moved.items():
            index.archived[path] = Left(index.leaving[name].sha256, now)
        if moved:
            # First the note, so that no file is ever where nobody knows of it.
            self._save(index)
        for name, path in moved.items():
            self._link_to_archive(name, path)
            _remove(self._layout.folder / name)
            del index.leaving[name]
        if self._expire(index, now - archive_days * _DAY, needed) or moved:
            self._save(index)

    def find(self, entry: Entry) -> Path | None:
        """Return a file with the content of `entry`: in place, or in the archive."""
        paths = [path for path, left in self.archived().items() if left.sha256 == entry.sha256]
        candidates = [self._layout.folder / entry.filename]
        candidates += [self._layout.archive / path for path in paths]
        for path in candidates:
            named_alike = path.name == entry.filename and path.is_file()
            if named_alike and hash_file(path).sha256 == entry.sha256:
                return path
        return None

    def leaving(self) -> dict[str, Left]:
        """Return the files that are still in place, by name."""
        return self._load().leaving

    def archived(self) -> dict[str, Left]:
        """Return the files in the archive, by their path there."""
        return self._load().archived

    def _expire(self, index: _Index, oldest: float, needed: Callable[[], set[str]]) -> bool:
        old = [path for path, left in index.archived.items() if left.since <= oldest]
        if not old:
            return False
        kept = needed()
        going = [path for path in old if index.archived[path].sha256 not in kept]
        for name in going:
            path = self._layout.archive / name
            _remove(path)
            if path.parent != self._layout.archive and path.parent.is_dir():
                path.parent.rmdir()
            del index.archived[name]
        return bool(going)

    def _archive_path(self, index: _Index, filename: str, left: Left) -> str:
        """Return where a file goes: another of the same name may be there, of another build."""
        for path, archived in index.archived.items():
            if archived.sha256 == left.sha256 and path.rpartition("/")[2] == filename:
                return path
        if filename not in index.archived and not (self._layout.archive / filename).exists():
            return filename
        return f"{left.sha256[:16]}/{filename}"

    def _link_to_archive(self, filename: str, path: str) -> None:
        target = self._layout.archive / path
        make_public_folder(target.parent)
        for suffix in (".sig", ""):
            source = self._layout.folder / f"{filename}{suffix}"
            copy = target.with_name(f"{target.name}{suffix}")
            if source.exists() and not copy.exists():
                link_or_copy(source, copy)

    def _load(self) -> _Index:
        try:
            data: dict[str, Any] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return _Index()
        return _Index(
            **{
                place: {name: Left(**left) for name, left in data.get(place, {}).items()}
                for place in ("leaving", "archived")
            }
        )

    def _save(self, index: _Index) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(index), indent=0, sort_keys=True), encoding="utf-8")
        fresh.rename(self._path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.sig").unlink(missing_ok=True)
