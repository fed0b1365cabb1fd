"""The bumps that one comment asks for, in one commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pipeline.commenting.answers import Told
from caur_ci.pipeline.commenting.obeying import refusal
from caur_ci.pipeline.manual.bumping import BumpPackages
from caur_ci.pipeline.manual.operation import Edit
from caur_ci.pipeline.shared.commit_messages import bump_message
from caur_ci.review import Command, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.manual.operation import Branch


@dataclass(slots=True)
class CommentedBumps:
    """The bumps of the comment `comment`; `told` is what came of the latest edit, by command."""

    comment: int
    commands: Sequence[Command]
    bumped: dict[str, str] = field(default_factory=dict)
    told: dict[Command, list[Told]] = field(default_factory=dict)

    name = "bump"

    def edit(self, branch: Branch) -> Edit:
        """Return the folders with their bumps, without those that cannot be bumped."""
        self.bumped, self.told = {}, {}
        folders: dict[str, str | None] = {}
        if self.comment in branch.memory.comments.done:
            return Edit()
        for command in self.commands:
            for name in command.packages:
                made = self._one(branch, command, name)
                folders.update(made.folders)
                self.bumped.update(made.reasons)
        message = bump_message(self.bumped, branch.pipeline) if self.bumped else ""
        return Edit(message=message, folders=folders, reasons=dict(self.bumped))

    def failed(self, error: InputError) -> None:
        """Take that nothing of it can be done."""
        self.bumped = {}
        self.told = {
            command: [refusal(f"{Verb.BUMP} {name}", error) for name in command.packages]
            for command in self.commands
        }

    def _one(self, branch: Branch, command: Command, name: str) -> Edit:
        told = self.told.setdefault(command, [])
        about = f"{Verb.BUMP} {name}"
        try:
            folder = branch.repository.deptree.resolve(name)
            if folder in self.bumped:
                told.append(Told(about, "it is bumped already"))
                return Edit()
            made = BumpPackages(packages=(folder,), reason=command.reason).edit(branch)
        except InputError as error:
            told.append(refusal(about, error))
            return Edit()
        hold = branch.memory.holds.get(folder)
        words = "done; it is built once it is let go" if hold else "done, and a build is asked for"
        told.append(Told(about, words, tuple(made.reasons.values())))
        return made
