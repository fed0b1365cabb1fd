"""A package folder gets another name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import check_package_name
from caur_ci.pipeline.manual.operation import Edit, done_by
from caur_ci.pipeline.shared.commit_messages import rename_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pipeline.manual.operation import Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamePackage:
    """Rename the folder `old` to `new`."""

    name = "rename"

    old: str
    new: str
    reason: str = ""

    def edit(self, branch: Branch) -> Edit:
        """Return the change.

        Raises InputError for a package that does not exist, and a name that cannot be or is taken.
        """
        check_package_name(self.new)
        old = branch.repository.deptree.resolve(self.old)
        taken = {entry.name for entry in branch.git.entries(branch.repository.commit)}
        if self.new in taken:
            raise InputError(f"there is a folder {self.new} already")
        reason = done_by(f"renamed from {old}", branch.person, self.reason)
        return Edit(
            message=rename_message(old, self.new, reason, branch.pipeline),
            folders={old: None, self.new: branch.repository.folders.tree(old)},
            reasons={
                old: done_by(f"renamed to {self.new}", branch.person, self.reason),
                self.new: reason,
            },
            notes=tuple(self._notes(branch, old)),
        )

    def _notes(self, branch: Branch, old: str) -> Iterator[str]:
        fields = branch.repository.deptree.fields.get(old)
        if fields is not None and fields.pkgbase != self.new:
            yield (
                f"the pkgbase in {self.new}/PKGBUILD is {fields.pkgbase}: "
                "the folder is what has another name, the packages keep theirs"
            )
        if branch.memory.holds.get(old) is not None:
            yield f"{old} is on hold, {self.new} is not: `caur-ci hold {self.new}` holds it"
