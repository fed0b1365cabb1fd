"""May this run change packages? Only where on-commit has dealt with everything before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, GitError
from caur_ci.pipeline.on_commit.commit_range import TagPosition, tag_position

if TYPE_CHECKING:
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.refs import RefSnapshot


class GateError(CaurError):
    """The tag `scheduled` is not where it has to be. Nothing was done."""


def pass_gate(context: RunContext, snapshot: RefSnapshot) -> str:
    """Return the commit to work on: HEAD, where the tag `scheduled` points to it.

    A clone that is merely behind, because another run was faster or this one died after its push,
    works on the tip of the branch instead. Raises GateError where on-commit has not dealt with all
    commits.
    """
    if snapshot.tag is None:
        raise GateError(
            "there is no tag `scheduled`: on-commit has never run to its end here",
            hint="Push a commit, or run `caur-ci on-commit`; --force is for trials on a laptop.",
        )
    tagged = tagged_commit(context, snapshot.tag)
    if tagged == context.head:
        return tagged
    if tagged == snapshot.branch:
        remote = context.shared.remote
        position = tag_position(context.git, remote, head=tagged, tag=context.head)
        if position is TagPosition.BEHIND:
            return tagged
    raise GateError(
        f"the tag `scheduled` points to {tagged[:12]}, and HEAD is {context.head[:12]}: on-commit "
        "has not dealt with all commits",
        hint="See why the last on-commit run failed and run it again; a mistake in a commit "
        "is put right by a further one. --force is for trials on a laptop.",
    )


def tagged_commit(context: RunContext, tag: str) -> str:
    """Return the commit that the tag object or commit `tag` stands for.

    Raises GateError where it stands for none.
    """
    context.shared.fetch_missing([tag])
    try:
        return context.git.commit_id(tag)
    except GitError as error:
        raise GateError(
            "the tag `scheduled` points to something that is no commit",
            hint="Remove it on the server, and run `caur-ci on-commit`.",
        ) from error
