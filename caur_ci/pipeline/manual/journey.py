"""The journey of an operation by hand.

read (the branch as it is on the remote) → edit (git objects only) → plan, as on-commit does for the
new commit and all before it that it has not seen → publish branch, tag `scheduled` and branch
`caur` in one atomic push. Where somebody was faster, it is done again on what they pushed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.errors import GitError, InputError
from caur_ci.git import RefUpdate
from caur_ci.pipeline.manual.operation import Branch
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.shared.checkout import advance_checkout
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.person import person_behind
from caur_ci.pipeline.shared.publishing import publish
from caur_ci.pipeline.shared.refs import SCHEDULED_TAG

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.pipeline.manual.operation import Edit, Operation
    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.pipeline.shared.options import RunOptions
    from caur_ci.pipeline.shared.refs import RefSnapshot


# Given what is remembered, and the commit of the packages.
Along = Callable[[Memory, str], Memory]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualResult:
    """What was done, or would be. `commit` is empty where there was nothing to do."""

    edit: Edit
    plan: CommitPlan | None = None
    base: str = ""
    commit: str = ""
    written: tuple[Path, ...] = ()
    published: bool = False
    notes: tuple[str, ...] = ()


def by_hand(
    options: RunOptions, operation: Operation, *, person: str = "", along: Along | None = None
) -> ManualResult:
    """Do `operation` on the branch of the packages.

    It is by `person`, or else by whoever runs this. `along` changes what is remembered in the same
    push, also where nothing is to be done to the packages; it is asked again where others were
    faster, after `operation`.

    Raises InputError for what cannot be done, for commits that were never pushed, and as on-commit
    does for the commits that it deals with as well; ConfigError, GitError and TemporaryError as
    on-commit. Nothing was changed in all these cases.
    """
    context = RunContext.open(options)
    snapshot = _pushed(context, context.shared.snapshot(context.branch))
    person = person or person_behind(context)

    def build(current: RefSnapshot) -> _ManualPush:
        return _push(context, operation, _pushed(context, current), person, along)

    if options.dry_run:
        return _result(build(snapshot))
    done = publish(context, snapshot, build, branch=context.branch)
    result = _result(done.push, written=done.written, published=done.pushed)
    if not (result.published and result.commit):
        return result
    trouble = advance_checkout(context.git, done.push.base, done.push.commit)
    return _result(
        done.push, written=done.written, published=True, notes=(trouble,) if trouble else ()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ManualPush:
    """The commit, the tag and branch `caur` as they are to be."""

    edit: Edit
    plan: CommitPlan
    base: str
    commit: str
    updates: tuple[RefUpdate, ...] = ()

    @property
    def documents(self) -> HandoverDocuments:
        return self.plan.documents


def _push(
    context: RunContext,
    operation: Operation,
    snapshot: RefSnapshot,
    person: str,
    along: Along | None,
) -> _ManualPush:
    git, shared = context.git, context.shared
    base = snapshot.branch or ""
    repository = CommittedRepository.read(git, base)
    memory = shared.memory(snapshot)
    edit = operation.edit(
        Branch(
            git=git,
            repository=repository,
            memory=memory,
            pipeline=context.forge_pipeline,
            person=person,
        )
    )
    tree = edit.onto(git, base)
    if tree == git.object_id(f"{base}^{{tree}}"):
        plan = CommitPlanner(context, repository).plan(snapshot)
        updates = (
            shared.memory_update(snapshot, along(memory, base), repository.identity)
            if along
            else ()
        )
        return _ManualPush(edit=edit, plan=plan, base=base, commit="", updates=updates)
    commit = git.write_commit(tree, edit.message, parents=[base], identity=repository.identity)
    if edit.builds:
        plan = CommitPlanner.at(context, commit).plan(snapshot, told=edit.reasons)
    else:  # but what others pushed before
        before = replace(snapshot, tag=snapshot.tag or base)
        plan = CommitPlanner(context, repository).plan(before)
    entries = plan.ledger_entries(
        run=f"caur-ci {operation.name}", link=context.forge_pipeline.url, now=time.time()
    )
    memory = memory.with_run(plan.request, entries).with_sources(edit.seen, memory.commits)
    memory = memory.with_holds(memory.holds.leaving_out(plan.on_hold))
    if along:
        memory = along(memory, commit)
    return _ManualPush(
        edit=edit,
        plan=plan,
        base=base,
        commit=commit,
        updates=(
            RefUpdate(context.branch, commit, base),
            RefUpdate(SCHEDULED_TAG, commit, snapshot.tag),
            *shared.memory_update(snapshot, memory, repository.identity),
        ),
    )


def _pushed(context: RunContext, snapshot: RefSnapshot) -> RefSnapshot:
    """Return `snapshot`, whose branch is there and has all that is checked out here."""
    name = context.branch.removeprefix("refs/heads/")
    if snapshot.branch is None:
        raise GitError(f"there is no branch {name} on the remote", hint="Push it first.")
    git = context.git
    if context.head != snapshot.branch and not git.is_ancestor(context.head, snapshot.branch):
        raise InputError(
            f"HEAD has commits that branch {name} of the remote has not",
            hint="Push them first; what is done by hand goes on top of what everybody has.",
        )
    return snapshot


def _result(
    push: _ManualPush,
    *,
    written: tuple[Path, ...] = (),
    published: bool = False,
    notes: tuple[str, ...] = (),
) -> ManualResult:
    return ManualResult(
        edit=push.edit,
        plan=push.plan if push.commit else None,
        base=push.base,
        commit=push.commit,
        written=written,
        published=published,
        notes=(*push.edit.notes, *notes),
    )
