"""The interfere files of a package: which there are, and whether they can be used."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.interfere.errors import InterfereError
from caur_ci.interfere.patches import problems_of_patch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = ".CI"
MAX_SIZE = 1024 * 1024
# In the order in which they are applied. The older documentation calls the first `prepare.sh`.
_FILES = {
    "prepare": ("prepare", "prepare.sh"),
    "patch": ("interfere.patch",),
    "prepend": ("PKGBUILD.prepend",),
    "append": ("PKGBUILD.append",),
    "on_success": ("on-success.sh",),
    "on_failure": ("on-failure.sh",),
}
PATHS = tuple(f"{FOLDER}/{name}" for names in _FILES.values() for name in names)
_HINT = "docs/interfere.md shows each kind of file with an example."


@dataclass(frozen=True, slots=True, kw_only=True)
class Interfere:
    """The content of each interfere file, None where there is none."""

    prepare: bytes | None = None
    patch: bytes | None = None
    prepend: bytes | None = None
    append: bytes | None = None
    on_success: bytes | None = None
    on_failure: bytes | None = None

    @classmethod
    def of_files(cls, files: Mapping[str, bytes], *, origin: str) -> Self:
        """Read and check the files of a package; the keys are paths in its folder.

        `origin` names that folder in messages. Raises InterfereError, with all that is wrong.
        """
        found: dict[str, bytes] = {}
        problems: list[str] = []
        for field, names in _FILES.items():
            there = [path for name in names if (path := f"{FOLDER}/{name}") in files]
            if len(there) > 1:
                problems.append(f"{origin}: {' and '.join(there)} are the same thing; keep one")
            for path in there:
                found[field] = files[path]
                problems += [f"{origin}/{path}{text}" for text in _problems(field, files[path])]
        if problems:
            raise InterfereError("\n".join(problems), hint=_HINT)
        return cls(**found)

    @classmethod
    def of_folder(cls, folder: Path, *, origin: str) -> Self:
        """Read and check the files in a package's folder that nobody is changing meanwhile.

        Raises InterfereError, also for what is no plain file, and OSError.
        """
        files: dict[str, bytes] = {}
        for path in PATHS:
            file = folder / path
            try:
                status = file.lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            if not stat.S_ISREG(status.st_mode):
                raise InterfereError(f"{origin}/{path} is no plain file", hint=_HINT)
            with file.open("rb") as stream:
                files[path] = stream.read(MAX_SIZE + 1)
        return cls.of_files(files, origin=origin)

    @property
    def changes_pkgbuild(self) -> tuple[bytes, ...]:
        """The files that can make the PKGBUILD another one than is committed."""
        kinds = (self.prepare, self.patch, self.prepend, self.append)
        return tuple(content for content in kinds if content is not None)


def _problems(field: str, content: bytes) -> list[str]:
    if len(content) > MAX_SIZE:
        return [f" is larger than {MAX_SIZE // 1024} KiB"]
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        return [f":{line}: a NUL byte; interfere files are text"]
    if field == "patch":
        return [f":{line}: {text}" for line, text in problems_of_patch(content)]
    if b"\r\n" in content:
        line = content[: content.index(b"\r\n")].count(b"\n") + 1
        return [f":{line}: the line ends as on Windows, which bash does not read"]
    return []
