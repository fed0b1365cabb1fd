"""Mends what is certain, in memory; what came of it is written to disk at the end."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.plaintext import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from caur_ci.validation.model import Finding
    from caur_ci.validation.snapshot import Snapshot

# One mend may bring the next to light: another .SRCINFO once the PKGBUILD can be read.
_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Edit:
    """A file before and after. `before` is None where there is none yet."""

    path: str
    before: bytes | None
    after: bytes
    was_executable: bool
    is_executable: bool

    def diff(self) -> str:
        """Return the change as git shows it."""
        lines = [f"diff --git a/{self.path} b/{self.path}\n"]
        if self.was_executable != self.is_executable:
            modes = (
                "100755" if it else "100644" for it in (self.was_executable, self.is_executable)
            )
            lines += [
                f"{which} mode {mode}\n" for which, mode in zip(("old", "new"), modes, strict=True)
            ]
        if self.before is None:
            lines.append("new file mode 100644\n")
        if self.before != self.after:
            lines += _unified(self.path, self.before, self.after)
        return printable("".join(lines))


def mended(
    snapshot: Snapshot, find: Callable[[Snapshot], Iterable[Finding]]
) -> tuple[Snapshot, tuple[Edit, ...], tuple[Finding, ...]]:
    """Return the snapshot with everything mended that is certain.

    With it the files that changed, by path, and the findings that are gone because of that.
    """
    now, gone = snapshot, list["Finding"]()
    paths: dict[str, None] = {}
    for _ in range(_MOST_ROUNDS):
        mendable = [found for found in find(now) if found.mend is not None]
        after = now
        for found in mendable:
            after = _apply(after, found)
        if after is now or all(_same(now, after, _path(found)) for found in mendable):
            break
        gone += mendable
        paths |= dict.fromkeys(map(_path, mendable))
        now = after
    edits = (_edit(snapshot, now, path) for path in sorted(paths))
    return now, tuple(edit for edit in edits if edit is not None), tuple(gone)


def _path(found: Finding) -> str:
    return found.mend.path if found.mend is not None else ""


def _apply(snapshot: Snapshot, found: Finding) -> Snapshot:
    mend = found.mend
    if mend is None:
        return snapshot
    old = snapshot.content(mend.path)
    content = mend.change(old or b"") if mend.change is not None else old
    if content is None:
        return snapshot  # it is not looked into, so nobody knows what to write
    executable = mend.executable
    if executable is None:
        executable = snapshot.executable(mend.path)
    return snapshot.with_file(mend.path, content, executable=executable)


def _same(one: Snapshot, other: Snapshot, path: str) -> bool:
    return one.content(path) == other.content(path) and one.executable(path) == other.executable(
        path
    )


def _edit(before: Snapshot, after: Snapshot, path: str) -> Edit | None:
    content = after.content(path)
    if content is None or _same(before, after, path):
        return None
    modes = before.executable(path), after.executable(path)
    return Edit(path, before.content(path), content, *modes)


def write(root: Path, edits: Iterable[Edit]) -> None:
    """Write files: whoever reads one sees the old or the new.

    Raises CaurError, also for a file in a folder that is a link, whose place is elsewhere.
    """
    real = root.resolve()
    for edit in edits:
        path = real / edit.path
        if path.parent.resolve() != path.parent:
            raise CaurError(f"{path} is not written: a link on the way to it leads elsewhere")
        _write(path, edit)


def _write(path: Path, edit: Edit) -> None:
    name = ""
    try:
        old = path.lstat() if os.path.lexists(path) else None
        mode = stat.S_IMODE(old.st_mode) if old is not None and stat.S_ISREG(old.st_mode) else 0o644
        if edit.was_executable and not edit.is_executable:
            mode &= ~0o111
        handle, name = tempfile.mkstemp(prefix=".caur-ci-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(edit.after)
            os.fchmod(file.fileno(), mode)
        Path(name).replace(path)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise CaurError(f"{path} cannot be written: {error.strerror}") from error


def _unified(path: str, before: bytes | None, after: bytes) -> Iterator[str]:
    old, new = (
        (content or b"").decode("utf-8", "surrogateescape").splitlines(keepends=True)
        for content in (before, after)
    )
    start = f"a/{path}" if before is not None else "/dev/null"
    for line in difflib.unified_diff(_shown(old), _shown(new), start, f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _shown(lines: Iterable[str]) -> list[str]:
    # What ends in CR LF would look the same as what it becomes.
    return [line.replace("\r\n", "^M\n") for line in lines]
