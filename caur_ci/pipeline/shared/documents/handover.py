"""The hand-over documents of one run, put together from what it decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.deptree import entries_of, write_wire
from caur_ci.pipeline.shared.documents.build_request import build_request
from caur_ci.pipeline.shared.documents.legacy import schedule_params

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.config import RepositoryConfig
    from caur_ci.deptree import DependencyTree
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.decision import PackageDecision
    from caur_ci.request import BuildRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDocuments:
    """The request for the queue, and the same in the two formats of the existing manager.

    `schedule_params` is a piece of bash, `deptree` the one line of `.ci/deptree.txt`.
    """

    request: BuildRequest
    schedule_params: str
    deptree: str


def handover_documents(
    context: RunContext,
    decisions: Iterable[PackageDecision],
    *,
    commit: str,
    tree: DependencyTree,
    config: RepositoryConfig,
) -> HandoverDocuments:
    """Return the documents for what `decisions` say about `commit`, whose packages are in `tree`.

    The request has a new id.
    """
    request = build_request(
        decisions, commit=commit, tree=tree, config=config, pipeline=context.forge_pipeline
    )
    return HandoverDocuments(
        request=request,
        schedule_params=schedule_params(
            request, config, keep=tree.packages, environ=context.environ
        ),
        deptree=write_wire(entries_of(tree)),
    )
