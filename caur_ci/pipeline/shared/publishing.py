"""The one way by which runs publish what they decided: one atomic push, made anew until it lands.

Somebody else may be faster at any time. Then nothing of the push has happened, and what is to be
pushed is worked out again from where the refs are now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from caur_ci.errors import TemporaryError
from caur_ci.pipeline.shared.documents.folder import DocumentFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from caur_ci.git import RefUpdate
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.pipeline.shared.refs import RefSnapshot

_ATTEMPTS = 10


class Push(Protocol):
    """What a run wants to publish, given where the shared refs are."""

    @property
    def documents(self) -> HandoverDocuments:
        """What the pipeline's schedule job is handed."""
        ...

    @property
    def updates(self) -> Sequence[RefUpdate]:
        """The refs to set, all of them or none; empty where there is nothing to publish."""
        ...


P_co = TypeVar("P_co", bound=Push, covariant=True)


@dataclass(frozen=True, slots=True)
class Published(Generic[P_co]):
    """What was pushed in the end, and the hand-over documents that were written for it."""

    push: P_co
    written: tuple[Path, ...]

    @property
    def pushed(self) -> bool:
        """Whether there was anything to push."""
        return bool(self.push.updates)


def publish(
    context: RunContext,
    snapshot: RefSnapshot,
    build: Callable[[RefSnapshot], P_co],
    *,
    branch: str = "",
) -> Published[P_co]:
    """Write the documents of what `build` makes of `snapshot`, and push it.

    Where others were faster, `build` is asked again, with a new snapshot that knows `branch`.
    Raises what `build` does, InputError for a bare repository, GitError where git fails, and
    TemporaryError where others were faster each time: no ref was changed, and no document is left.
    """
    with DocumentFolder.of(context.git) as folder:
        for _ in range(_ATTEMPTS):
            push = build(snapshot)
            written = folder.write(push.documents)
            if not push.updates or context.shared.push(
                push.updates, context.forge_pipeline.push_options()
            ):
                return Published(push, written)
            snapshot = context.shared.snapshot(branch)
        raise TemporaryError(
            f"other runs changed the branches or the tag `scheduled` first, {_ATTEMPTS} times",
            hint="Run it again.",
        )
