"""Puts a build request together from what was decided."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.config import load_package_config
from caur_ci.errors import ConfigError
from caur_ci.names import MAX_NAME_LENGTH
from caur_ci.pipeline.on_commit.plan import CommitAction, CommitDecision
from caur_ci.pipeline.shared.documents.legacy import arch_mirror
from caur_ci.request import BuildRequest, PackageRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.config import RepositoryConfig
    from caur_ci.deptree import DependencyTree
    from caur_ci.pipeline.shared.forge import ForgePipeline
    from caur_ci.repository import PackageFolders

# The reason is shown to people; a message must not make a request unreadable for its schema.
_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class BuildClasses:
    """The build class of each package that is to be built, and what was odd on the way."""

    by_package: Mapping[str, str | None]
    warnings: tuple[str, ...]


def build_classes(
    folders: PackageFolders, config: RepositoryConfig, overrides: Mapping[str, str | None]
) -> BuildClasses:
    """Find the build class of each package in `overrides`.

    The override comes first, then BUILDER_CLASS of the package, then CI_DEFAULT_CLASS.

    Raises ConfigError naming all configuration files that cannot be used.
    """
    classes: dict[str, str | None] = {}
    warnings: list[str] = []
    problems: list[str] = []
    for package, data in folders.read(".CI/config", overrides).items():
        own = None
        if data is not None:
            try:
                loaded = load_package_config(data, origin=f"{package}/.CI/config")
            except ConfigError as error:
                problems.append(error.message)
                continue
            own = loaded.config.build_class
            warnings += loaded.warnings
        classes[package] = overrides[package] or own or config.default_class
    if problems:
        raise ConfigError(
            "\n".join(problems), hint="Nothing was scheduled; correct it in a further commit."
        )
    return BuildClasses(classes, tuple(warnings))


def build_request(
    decisions: Iterable[CommitDecision],
    *,
    commit: str,
    tree: DependencyTree,
    config: RepositoryConfig,
    pipeline: ForgePipeline,
) -> BuildRequest:
    """Return the request, under a new id, for what `decisions` say about `commit`."""
    decisions = list(decisions)
    return BuildRequest(
        request_id=uuid.uuid4().hex,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source_repo=config.source_repo,
        target_repo=config.target_repo,
        commit=commit,
        arch_mirror=arch_mirror(config.lib_db),
        commit_reference=pipeline.reference(commit),
        packages=tuple(
            _package_request(decision, tree)
            for decision in decisions
            if decision.action is CommitAction.BUILD
        ),
        remove=tuple(d.package for d in decisions if d.action is CommitAction.REMOVE),
    )


def _package_request(decision: CommitDecision, tree: DependencyTree) -> PackageRequest:
    package = decision.package
    own = {package, *tree.pkgnames(package)}
    needed = (name for name in tree.wanted.get(package, ()) if name not in own)
    return PackageRequest(
        pkgbase=package,
        build_class=decision.build_class,
        pkgnames=tree.pkgnames(package),
        provides=tuple(name for name in tree.provides(package) if len(name) <= MAX_NAME_LENGTH),
        depends=tuple(name for name in needed if len(name) <= MAX_NAME_LENGTH),
        reason=decision.reason[:_MAX_REASON],
    )
