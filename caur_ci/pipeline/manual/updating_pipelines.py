"""The pipelines of a repository follow releases: pinned, and without losing what people changed."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.config import read_repository_config
from caur_ci.errors import InputError
from caur_ci.pipeline.manual.operation import Edit
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.process import run
from caur_ci.setup.pipelines import FORGES, Forge, is_serverless
from caur_ci.setup.releases import Releases, pinned_version
from caur_ci.update.fetching import Fetcher
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.pipeline.manual.operation import Branch
    from caur_ci.pipeline.shared.options import RunOptions
    from caur_ci.setup.releases import Release

_MESSAGE = "chore(ci): update CI from template"
# More conflicts than git counts in an exit code.
_FAILED = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePipelines:
    """Bring the pipelines to the release `version`, by default the newest."""

    name = "update-pipelines"

    releases: Releases
    version: str = ""

    def edit(self, branch: Branch) -> Edit:
        """Return the change. Raises InputError for a version that is not there."""
        target = self.releases.of(self.version) if self.version else self.releases.newest()
        files: dict[str, bytes | None] = {}
        notes: list[str] = []
        for forge in FORGES:
            path = forge.pipeline_path
            (there,) = branch.git.read_blobs([f"{branch.repository.commit}:{path}"])
            if there is None:
                continue
            try:
                changed = self._updated(there, forge, target, asked_for=bool(self.version))
            except InputError as error:
                notes.append(f"{path} stays as it is: {error.message}")
                continue
            if changed != there:
                files[path] = changed
        return Edit(
            message=f"{_MESSAGE}\n\nTo caur-ci {target.version}, {target.commit}.\n",
            files=files,
            builds=False,
            notes=tuple(notes),
        )

    def _updated(self, there: bytes, forge: Forge, target: Release, *, asked_for: bool) -> bytes:
        """Return a pipeline at the release, with what people changed in it.

        Raises InputError where that cannot be said.
        """
        version = pinned_version(there)
        if not version:
            raise InputError("it names no CAUR_CI_VERSION, and is none of ours")
        if not asked_for and vercmp(version, target.version) >= 0:
            return there
        alone = is_serverless(there)
        old = self.releases.pipeline(self.releases.of(version), forge, serverless=alone)
        new = self.releases.pipeline(target, forge, serverless=alone)
        if old is None or new is None:
            raise InputError("the releases have no such template")
        return new if there == old else _merged(there, old, new)


def follows_releases(options: RunOptions) -> bool:
    """Tell whether `.ci/config` at HEAD wants pipelines to follow releases. Raises ConfigError."""
    context = RunContext.open(options)
    config = read_repository_config(context.git, context.head).config
    return bool(config.template_repo) and config.template_enable_updates


@contextmanager
def pipeline_update(options: RunOptions, *, version: str = "") -> Iterator[UpdatePipelines]:
    """Provide the operation. Raises InputError where TEMPLATE_REPO names no repository."""
    context = RunContext.open(options)
    config = read_repository_config(context.git, context.head).config
    if not config.template_repo:
        raise InputError(
            "TEMPLATE_REPO of .ci/config names no repository with releases of caur-ci",
            hint="Set it to the URL of one, such as the project's own.",
        )
    with Fetcher(context.git, parallel=2, delay=config.clone_delay) as fetcher:
        yield UpdatePipelines(releases=Releases(fetcher, config.template_repo), version=version)


def _merged(there: bytes, old: bytes, new: bytes) -> bytes:
    """Return `new` with what `there` has changed since `old`. Raises InputError for conflicts."""
    with tempfile.TemporaryDirectory(prefix="caur-merge-") as folder:
        files = [Path(folder, name) for name in ("there", "old", "new")]
        for file, content in zip(files, (there, old, new), strict=True):
            file.write_bytes(content)
        done = run(["git", "merge-file", "--stdout", *files], allowed=range(_FAILED))
    if done.returncode:
        raise InputError(
            "it was changed by hand where the release has changed it, too: "
            f"{done.returncode} places"
        )
    return done.stdout
