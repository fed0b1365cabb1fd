"""What a check sees of a package, and of the repository around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.srcinfo import SRCINFO
from caur_ci.validation.catalogue import finding
from caur_ci.validation.snapshot import PKGBUILD
from caur_ci.validation.srcinfo_lines import SrcinfoLines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from caur_ci.config import PackageConfig, RepositoryConfig
    from caur_ci.deptree import DependencyTree
    from caur_ci.pkgbuild.recipe import Recipe
    from caur_ci.srcinfo import SrcinfoFields
    from caur_ci.validation.model import Finding
    from caur_ci.validation.snapshot import Folder

# What makes the PKGBUILD another one before it is built.
_CHANGING = frozenset(
    f".CI/{name}"
    for name in ("prepare", "prepare.sh", "interfere.patch", "PKGBUILD.prepend", "PKGBUILD.append")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known beside the repository.

    `provided` are the names in the distribution's databases, each with the versions that there are
    of it (none of what is provided without one), None where these are not known;
    `serves` tells whether a worker of the queue takes a build class, None where nobody was asked.
    """

    provided: Mapping[str, Collection[str]] | None = None
    serves: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageView:
    """One folder with all that was found out about it.

    `config` is None where it cannot be used, `config_lines` has where its keys are. `srcinfo` is
    what counts: what follows from the PKGBUILD where that is sure, else what is committed.
    `is_committed` tells that its lines are those of the committed file; `fields` is what the
    pipelines take from it, None where they cannot; `problem` says why the committed file is of no
    use, `nvchecker_problem` the same of that of nvchecker.
    """

    folder: Folder
    config: PackageConfig | None
    config_lines: Mapping[str, int] = field(default_factory=dict)
    recipe: Recipe | None = None
    srcinfo: SrcinfoLines = field(default_factory=lambda: SrcinfoLines({}))
    is_committed: bool = True
    fields: SrcinfoFields | None = None
    problem: str = ""
    nvchecker_problem: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def may_be_renamed(self) -> bool:
        """Whether interfere files can give the package other names than are committed."""
        return not _CHANGING.isdisjoint(self.folder.files)

    def found(self, code: str, file: str, line: int = 0, *, what: str = "") -> Finding:
        """Return a finding about a file of the folder."""
        path = self.folder.path(file)
        return finding(code, package=self.name, file=path, line=line, what=what)

    def about(
        self, code: str, name: str, text: str = "", *, line: int = 0, what: str = ""
    ) -> Finding:
        """Return a finding about a field, placed where the PKGBUILD sets it.

        `line` is that in the `.SRCINFO`. `text` is a part of the value, whose line is looked for.
        """
        start = (self.recipe.lines or {}).get(name, 0) if self.recipe else 0
        if placed := self._line_of(text, start):
            return self.found(code, PKGBUILD, placed, what=what)
        if line and self.is_committed:
            return self.found(code, SRCINFO, line, what=what)
        file = PKGBUILD if self.folder.pkgbuild is not None else SRCINFO
        return self.found(code, file, what=what)

    def _line_of(self, text: str, start: int) -> int:
        """Return the first line of the PKGBUILD from `start` that has `text`; else `start`."""
        wanted = text.encode("utf-8", "surrogateescape")
        lines = (self.folder.pkgbuild or b"").split(b"\n") if wanted else []
        places = range(max(start, 1), len(lines) + 1)
        return next((it for it in places if wanted in lines[it - 1]), start)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryView:
    """All folders of a repository as checks see them; `checked` are those that are looked at."""

    packages: Mapping[str, PackageView]
    checked: frozenset[str]
    config: RepositoryConfig
    tree: DependencyTree
    surroundings: Surroundings
