"""The whole journey of a run: from the outbox to what readers find."""

from __future__ import annotations

import hashlib
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.config import read_repository_config
from caur_ci.credentials import without_credentials
from caur_ci.git import Identity
from caur_ci.names import check_repository_name
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.standalone import workdir
from caur_ci.standalone.interrupts import Interrupts
from caur_ci.standalone.lease import Lease
from caur_ci.standalone.report import RunReport
from caur_ci.standalone.rounds import Deadline, Rounds, for_us
from caur_ci.standalone.settings import Setting
from caur_ci.standalone.settling import got_through, not_here
from caur_ci.standalone.signing import signing_home
from caur_ci.standalone.source import SharedSource
from caur_ci.standalone.system import build_side
from scheduler.database.entries import read_entries
from scheduler.database.forms import database_in_place
from scheduler.database.layout import layouts
from scheduler.database.signing import Keyring
from scheduler.files import remove_tree
from scheduler.hosting.opening import Surroundings, open_target
from scheduler.hosting.picking_up import pick_up
from scheduler.job import jobs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.shared.options import RunOptions
    from caur_ci.request import BuildRequest
    from caur_ci.standalone.board import JobBoard
    from caur_ci.standalone.progress import Progress
    from caur_ci.standalone.signing import SigningHome
    from caur_ci.standalone.workdir import WorkDir
    from scheduler.hosting.protocol import PublishingTarget
    from scheduler.settings import ExecutorKind

# What of the time of a run is left for publishing: this part of it, within these limits in seconds.
_PUBLISHING_SHARE = 0.1
_LEAST, _MOST = 5.0, 600.0
# Targets that cannot store every file name, or not so that readers find it.
_NOT_ALL_NAMES = ("github-release:", "s3:")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandaloneOptions:
    """What the caller wants.

    `publish_to` is the address of a publishing target, empty for a repository that stays in the
    work folder, or in REPO_PATH. `time_left` is how many seconds all of it may take. What was built
    is published every `publish_every` seconds.
    """

    run: RunOptions
    work_dir: Path
    executor: ExecutorKind
    publish_to: str = ""
    workers: int = 1
    time_left: float | None = None
    publish_every: float = 1800.0


def usual_work_dir(run: RunOptions, state_dir: Path) -> Path:
    """Return the work folder of the repository, another one for each remote."""
    context = RunContext.open(run)
    config = read_repository_config(context.git, context.head).config
    remote = context.shared.remote
    where = str(context.git.folder.resolve())
    if remote is not None:
        where = without_credentials(remote.url())
    digest = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return state_dir / "run" / f"{check_repository_name(config.source_repo)}-{digest}"


def waiting_requests(context: RunContext) -> tuple[BuildRequest, ...]:
    """Return the requests in the outbox."""
    return context.shared.memory(context.shared.snapshot()).outbox.requests


def build_what_waits(options: StandaloneOptions, board: JobBoard, progress: Progress) -> RunReport:
    """Build, sign and publish what the outbox asks for, until nothing is left that can be done.

    Where nothing waits, nothing is touched. Raises ConfigError without a key to sign with,
    TemporaryError while another run is under way, ProcessError where a worker cannot work, and what
    the publishing target raises. What was done before is not lost: the next run goes on.
    """
    began = time.monotonic()
    context = RunContext.open(options.run)
    requests = waiting_requests(context)
    config = read_repository_config(context.git, context.head).config
    requests = _without_dropped(requests, context, config, progress)
    if not requests:
        return RunReport()
    environ, secrets = options.run.environ, options.run.secrets
    target = _target(options)
    # On a pipeline's runner a key that is made would be gone with the job.
    may_make = not context.forge_pipeline.forge
    with (
        Interrupts() as interrupts,
        workdir.opened(options.work_dir) as work,
        signing_home(work.signing_key, environ, secrets, may_make=may_make) as signing,
    ):
        setting = _setting(
            options, requests, config=config, work=work, signing=signing, target=target
        )
        if all(for_us(it, setting.architectures).is_empty for it in requests):
            return RunReport(left=_left_to_others(requests))
        lease = _lease(options, config, context, work)
        with lease.kept():
            if not lease.goes_on:
                _prepare(setting, target, lease, progress)
            progress.begin("Starting the queue, workers and the database runner")
            passphrase = secrets.get("GPG_PASSPHRASE", "")
            with build_side(setting, options.workers, interrupts, passphrase=passphrase) as side:
                rounds = Rounds(
                    context=context,
                    lease=lease,
                    source=SharedSource(work.source, context),
                    setting=setting,
                    side=side,
                    target=target,
                    board=board,
                    progress=progress,
                    deadline=_deadline(options),
                    publish_every=options.publish_every,
                )
                rounds.build()
            lease.change(lambda memory, _: replace(memory, run=None))
        work.forget_work()
    return _report(rounds, setting, target, seconds=time.monotonic() - began)


def _without_dropped(
    requests: tuple[BuildRequest, ...],
    context: RunContext,
    config: RepositoryConfig,
    progress: Progress,
) -> tuple[BuildRequest, ...]:
    """Return the requests without what no run is ever to build, which leaves the outbox as well.

    CI_ARCHITECTURES may have changed since it was asked for.
    """
    asked = {spec.arch for request in requests for spec in jobs_of(request)}
    others = sorted(asked - set(config.architectures))
    if not others:
        return requests
    progress.begin(f"The repository is not built for {', '.join(others)} any more")
    return context.shared.change_memory(
        lambda it: replace(it, outbox=it.outbox.for_architectures(config.architectures)),
        identity=Identity(config.author_name, config.author_email),
        push_options=context.forge_pipeline.push_options(),
    ).outbox.requests


def _target(options: StandaloneOptions) -> PublishingTarget | None:
    if not options.publish_to:
        return None
    surroundings = Surroundings(options.run.environ, options.run.secrets)
    return open_target(options.publish_to, surroundings)


def _setting(
    options: StandaloneOptions,
    requests: Sequence[BuildRequest],
    *,
    config: RepositoryConfig,
    work: WorkDir,
    signing: SigningHome,
    target: PublishingTarget | None,
) -> Setting:
    named = options.run.environ.get("REPO_PATH", "")
    stays_here = named and target is None
    return Setting(
        work=work,
        signing=signing,
        sources=frozenset(it.source_repo for it in requests),
        targets=frozenset(it.target_repo for it in requests),
        source_url=work.source.as_uri(),
        executor=options.executor,
        repo_path=Path(named).absolute() if stays_here else work.repository,
        target_architectures=config.architectures,
        servers=(target.server,) if target is not None and target.server else (),
        portable_names=options.publish_to.startswith(_NOT_ALL_NAMES),
    )


def _left_to_others(requests: Iterable[BuildRequest]) -> dict[str, str]:
    return {spec.pkgbase: not_here(spec.arch) for request in requests for spec in jobs_of(request)}


def _lease(
    options: StandaloneOptions, config: RepositoryConfig, context: RunContext, work: WorkDir
) -> Lease:
    return Lease.take(
        RunContext.open(options.run),  # of its own: it is asked by another thread
        Identity(config.author_name, config.author_email),
        known=work.unfinished,
        who=context.forge_pipeline.url or f"on {platform.node()}, in {work.folder}",
    )


def _prepare(
    setting: Setting, target: PublishingTarget | None, lease: Lease, progress: Progress
) -> None:
    """Begin with nothing but what readers have."""
    work = setting.work
    work.forget_work()
    if target is not None:
        progress.begin(f"Picking up what is published at {target.address}")
        remove_tree(setting.repo_path)
        keyring = Keyring(setting.signing.folder)
        for name in sorted(setting.targets):
            pick_up(target, setting.repo_path, name, keyring)
    filenames = _listed(setting)
    lease.change(lambda memory, run: got_through(memory, run, filenames))
    # From here on, what is in the folder is more than readers have.
    work.mark(lease.id)


def _listed(setting: Setting) -> set[str]:
    """Return the names of the package files that the databases list."""
    found: set[str] = set()
    for name in setting.targets:
        for layout in layouts(setting.repo_path, name):
            database = database_in_place(layout, "db")
            if database is not None:
                found.update(entry.filename for entry in read_entries(database).values())
    return found


def _deadline(options: StandaloneOptions) -> Deadline:
    if options.time_left is None:
        return Deadline.never()
    for_publishing = min(_MOST, max(_LEAST, options.time_left * _PUBLISHING_SHARE))
    return Deadline(time.monotonic() + options.time_left - for_publishing, for_publishing)


def _report(
    rounds: Rounds, setting: Setting, target: PublishingTarget | None, *, seconds: float
) -> RunReport:
    targets = sorted(setting.targets)
    server = target.server if target is not None else f"{setting.repo_path.as_uri()}/$repo/$arch"
    return RunReport(
        packages=tuple(rounds.packages.values()),
        removed=tuple(rounds.removed),
        left=rounds.left,
        out_of_time=rounds.out_of_time,
        published=rounds.published,
        targets=tuple(targets),
        server=server or "",
        public_keys=tuple(setting.repo_path / name / f"{name}.asc" for name in targets),
        key_made_here=setting.signing.made_here,
        seconds=seconds,
    )
