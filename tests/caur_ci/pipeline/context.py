"""The context of a run in a repository that is its own remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.environment import Secrets
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.refs import SharedRepository

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

MAIN = "refs/heads/main"


def context_in(
    store: ObjectStore,
    head: str = "",
    *,
    pipeline: ForgePipeline | None = None,
    secrets: Secrets | None = None,
) -> RunContext:
    """Return the context of a run at the commit `head`."""
    return RunContext(
        git=store.git,
        shared=SharedRepository(store.git, None),
        forge_pipeline=pipeline or ForgePipeline(),
        head=head,
        branch=MAIN,
        environ={},
        secrets=secrets or Secrets(),
    )
