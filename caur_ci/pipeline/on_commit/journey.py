"""The journey of a pushed commit: find what changed, decide what to build, ask for it.

read (range, messages, folders, configuration) → plan → write the hand-over documents → publish
the tag `scheduled` and the outbox in one atomic push. The queue is not needed for it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.environment import Secrets
from caur_ci.errors import TemporaryError
from caur_ci.git import GitRepository
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.shared.documents.folder import Documents, folder_in
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.repository import SharedRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.pipeline.on_commit.plan import CommitPlan

# How often a run starts over because another one was faster.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCommitOptions:
    """What the caller wants.

    `remote` None means `origin`, or this repository if it has none. `environ` is where the forge's
    variables are looked up, and those of the tunnel to Redis.
    """

    repo: Path
    remote: str | None = None
    push: bool = True
    dry_run: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)


@dataclass(frozen=True, slots=True)
class OnCommitResult:
    """The plan, the documents that were written, and whether tag and outbox were published."""

    plan: CommitPlan
    written: tuple[Path, ...] = ()
    published: bool = False


def on_commit(options: OnCommitOptions) -> OnCommitResult:
    """Run the pipeline for HEAD of `options.repo`.

    Raises InputError for a deploy of a package that does not exist, ConfigError for configuration
    that cannot be used, GitError where git fails, TemporaryError where other runs were faster
    each time. The tag stays where it was in all of these cases.
    """
    git = GitRepository.open(options.repo)
    pipeline = ForgePipeline.from_environment(options.environ)
    credentials = pipeline.credentials(options.secrets)
    shared = SharedRepository.open(git, remote=options.remote, credentials=credentials)
    head = git.commit_id("HEAD")
    with ThreadPoolExecutor(1) as pool:  # the remote may be far, reading takes its time as well
        looking = pool.submit(shared.snapshot)
        reader = CommitPlanner(git, shared, head, options.environ)
        snapshot = looking.result()
    if options.dry_run:
        return OnCommitResult(reader.plan(snapshot))
    with Documents(folder_in(git)) as folder:
        for _ in range(_ATTEMPTS):
            plan = reader.plan(snapshot)
            written = folder.write(
                request=plan.request, schedule_params=plan.schedule_params, deptree=plan.deptree
            )
            if not options.push or plan.commits.is_empty:
                return OnCommitResult(plan, written)
            if shared.publish(
                snapshot,
                head=plan.commits.head,
                request=plan.request,
                decisions=plan.ledger_entries(run="on-commit", link=pipeline.url),
                identity=reader.identity(),
                push_options=pipeline.push_options(),
            ):
                return OnCommitResult(plan, written, published=True)
            snapshot = shared.snapshot()
        raise TemporaryError(
            f"other runs changed the tag `scheduled` or branch `caur` first, {_ATTEMPTS} times",
            hint="Run it again.",
        )
