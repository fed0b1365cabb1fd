"""Puts a build request together from what was decided."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.names import MAX_NAME_LENGTH
from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.request import BuildRequest, PackageRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.config import RepositoryConfig
    from caur_ci.deptree import DependencyTree
    from caur_ci.pipeline.shared.forge import ForgePipeline

_WATCHED_DATABASE = re.compile(r"(?P<base>.+)/(?:core|extra|community)/os/[^/]+/[^/]+")
# The reason is shown to people; a message must not make a request unreadable for its schema.
_MAX_REASON = 500


def build_request(
    decisions: Iterable[PackageDecision],
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
        arch_mirror=mirror_of_databases(config.lib_db),
        commit_reference=pipeline.reference(commit),
        packages=tuple(
            _package_request(decision, tree)
            for decision in decisions
            if decision.action is PackageAction.BUILD
        ),
        remove=tuple(d.package for d in decisions if d.action is PackageAction.REMOVE),
    )


def _package_request(decision: PackageDecision, tree: DependencyTree) -> PackageRequest:
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
        group=decision.group,
        publish=decision.publish,
    )


def mirror_of_databases(databases: Iterable[str]) -> str:
    """Return the mirror that the watched databases come from, as pacman's `Server` has it.

    `databases` are those of CI_LIB_DB: URLs like `BASE/extra/os/x86_64/extra.db`. Empty where
    none of them is one of the distribution's own.
    """
    for database in databases:
        match = _WATCHED_DATABASE.fullmatch(database)
        if match:
            return f"{match['base']}/$repo/os/$arch"
    return ""
