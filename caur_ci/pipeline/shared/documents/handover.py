"""The hand-over documents of one run, put together from what it decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.deptree import entries_of, write_wire
from caur_ci.pipeline.shared.documents.build_request import build_request
from caur_ci.pipeline.shared.documents.legacy import schedule_params

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
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
    context: RunContext, decisions: Iterable[PackageDecision], repository: CommittedRepository
) -> HandoverDocuments:
    """Return the documents for what `decisions` say about the packages of `repository`.

    The request has a new id.
    """
    request = build_request(decisions, repository, pipeline=context.forge_pipeline)
    tree = repository.deptree
    return HandoverDocuments(
        request=request,
        schedule_params=schedule_params(
            request, repository.config, keep=tree.packages, environ=context.environ
        ),
        deptree=write_wire(entries_of(tree)),
    )
