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

    from caur_ci.architectures import BuildTarget
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
    from caur_ci.pipeline.shared.forge import ForgePipeline

_WATCHED_DATABASE = re.compile(r"(?P<base>.+)/(?:core|extra|community)/os/[^/]+/[^/]+")
# The reason is shown to people; a message must not make a request unreadable for its schema.
_MAX_REASON = 500


def build_request(
    decisions: Iterable[PackageDecision],
    repository: CommittedRepository,
    *,
    pipeline: ForgePipeline,
) -> BuildRequest:
    """Return the request, under a new id, for what `decisions` say about `repository`.

    A package comes once for each architecture that it is built for.
    """
    decisions = list(decisions)
    config = repository.config
    first, *others = config.architectures
    builds = [it for it in decisions if it.action is PackageAction.BUILD]
    targets = repository.build_targets([it.package for it in builds])
    return BuildRequest(
        request_id=uuid.uuid4().hex,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source_repo=config.source_repo,
        target_repo=config.target_repo,
        commit=repository.commit,
        arch=first,
        arch_mirror=mirror_of_databases(config.lib_db),
        commit_reference=pipeline.reference(repository.commit),
        packages=tuple(
            _package_request(decision, repository, target)
            for decision in builds
            for target in targets[decision.package]
        ),
        remove=tuple(d.package for d in decisions if d.action is PackageAction.REMOVE),
        remove_from=(first, *others) if others else (),
    )


def _package_request(
    decision: PackageDecision, repository: CommittedRepository, target: BuildTarget
) -> PackageRequest:
    package, tree = decision.package, repository.deptree_for(target.arch)
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
        arch="" if target.arch == repository.config.architectures[0] else target.arch,
        shared_with=target.shared_with,
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
