"""`caur-ci doctor`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Config, Redis, Remote, Repo
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caur_ci.cli.doctor.checks import Examination, Finding
    from caur_ci.config import RepositoryConfig
    from caur_ci.git import GitRepository
    from scheduler.queue import Queue


class Part(StrEnum):
    """What can be looked at."""

    REPOSITORY = "repository"
    QUEUE = "queue"
    WORKER = "worker"
    DATABASE = "database"


Parts = Annotated[
    list[Part] | None,
    typer.Argument(
        metavar="PART",
        help="repository, queue, worker or database. Default: all that this machine seems to be.",
        show_default=False,
    ),
]


def doctor(
    context: typer.Context,
    *,
    parts: Parts = None,
    repo: Repo = Path(),
    remote: Remote = None,
    config: Config = None,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Tell what is missing or misconfigured, and what helps.

    Looks at the repository of PKGBUILDs around, the pipeline that runs this, the queue and who
    works for it, and at this machine as a builder and as the one that publishes, as far as
    settings say that it is. Changes nothing; nothing secret is shown.

    Ends with 1 if there is a problem.
    """
    session = session_of(context)
    findings = _Doctor(session, repo, remote, redis, config).examine(parts)
    if as_json:
        from caur_ci.cli.data import to_json  # noqa: PLC0415

        session.print_plain(to_json(findings))
    else:
        _show(session, findings)
    is_bad = any(finding.state == "problem" for finding in findings)
    return ExitCode.FAILED if is_bad else ExitCode.OK


class _Doctor:
    """Looks at the parts that there are."""

    def __init__(
        self,
        session: Session,
        repo: Path,
        remote: str | None,
        redis: str | None,
        config: Path | None,
    ) -> None:
        from caur_ci.cli.signals import environment_with  # noqa: PLC0415 - slow to import

        self._session = session
        self._repo = repo
        self._remote = remote
        self._redis = redis
        self._environ: Mapping[str, str] = environment_with(CAUR_CONFIG=config)
        self._workers: list[str] = []

    def examine(self, parts: Sequence[Part] | None) -> list[Finding]:
        from caur_ci.cli.doctor.checks import Examination  # noqa: PLC0415 - slow to import

        looks = {
            Part.REPOSITORY: self._repository,
            Part.QUEUE: self._queue,
            Part.WORKER: self._worker,
            Part.DATABASE: self._database,
        }
        findings: list[Finding] = []
        for name, look in looks.items():
            if parts and name not in parts:
                continue
            found = Examination(name)
            look(found, asked_for=bool(parts))
            findings += found.findings
        if not findings:
            raise InputError(
                "there is nothing to look at here",
                hint="Run it in a repository of PKGBUILDs, or where workers and database runners "
                "have their settings; or name a part.",
            )
        return findings

    def _repository(self, found: Examination, *, asked_for: bool) -> None:
        from caur_ci.cli.doctor.pipeline import examine_pipeline  # noqa: PLC0415 - slow to import
        from caur_ci.cli.doctor.repository import examine_repository  # noqa: PLC0415
        from caur_ci.pipeline.shared.forge import ForgePipeline  # noqa: PLC0415

        git = self._git()
        if git is None:
            if asked_for:
                found.problem("repository", f"{self._repo} is in no Git repository", "See --repo.")
            return
        pipeline = ForgePipeline.from_environment(os.environ)
        secrets = self._session.secrets
        examine_repository(found, git, self._remote, pipeline.credentials(secrets))
        if pipeline.forge:
            examine_pipeline(found, pipeline, os.environ, secrets.get("ACCESS_TOKEN", ""))

    def _queue(self, found: Examination, *, asked_for: bool) -> None:
        from caur_ci.cli.doctor.queue import examine_queue  # noqa: PLC0415 - slow to import
        from caur_ci.cli.doctor.telling import examine_outboxes  # noqa: PLC0415
        from caur_ci.cli.queue_connection import known_server  # noqa: PLC0415
        from scheduler.queue import Queue  # noqa: PLC0415

        try:
            client = known_server(self._session, self._redis, self._repo)
        except CaurError as error:
            found.problem("Redis", error.message, error.hint)
            return
        if client is not None:
            queue = Queue(client)
            examine_queue(found, queue, client, self._config())
            examine_outboxes(found, queue)
            self._workers = _names(queue)
        elif asked_for:
            found.problem(
                "Redis", "no server is named, and none runs here", "Set REDIS_URL, or --redis URL."
            )

    def _worker(self, found: Examination, *, asked_for: bool) -> None:
        from caur_ci.cli.doctor.worker import examine_worker  # noqa: PLC0415 - slow to import
        from scheduler.connection import default_state_dir  # noqa: PLC0415
        from scheduler.settings import WorkerSettings  # noqa: PLC0415

        if not asked_for and not self._is_set("PACKAGE_REPOS", "BUILDER_KEY", "BUILDER_CLASS"):
            return
        with _as_problem(found, "settings"):
            settings = WorkerSettings.from_environment(self._environ, state_dir=default_state_dir())
            allowed = self._environ.get("ALLOWED_WORKERS", "")
            examine_worker(found, settings, Path(allowed) if allowed else None)

    def _database(self, found: Examination, *, asked_for: bool) -> None:
        from caur_ci.cli.doctor.database import examine_database  # noqa: PLC0415 - slow to import
        from caur_ci.cli.doctor.telling import examine_telling  # noqa: PLC0415
        from scheduler.connection import default_state_dir  # noqa: PLC0415
        from scheduler.settings import DatabaseSettings  # noqa: PLC0415

        if not asked_for and not self._is_set("REPO_PATH", "GPG_PATH"):
            return
        with _as_problem(found, "settings"):
            settings = DatabaseSettings.from_environment(
                self._environ, state_dir=default_state_dir()
            )
            passphrase = self._session.secrets.get("GPG_PASSPHRASE", "")
            examine_database(found, settings, passphrase, self._workers)
        examine_telling(found, self._session, self._environ)

    def _is_set(self, *names: str) -> bool:
        return any(self._environ.get(name) for name in names)

    def _git(self) -> GitRepository | None:
        from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

        try:
            return GitRepository.open(self._repo)
        except CaurError:
            return None

    def _config(self) -> RepositoryConfig | None:
        from caur_ci.cli.head_config import head_config  # noqa: PLC0415

        git = self._git()
        try:
            config = head_config(git) if git else None
        except CaurError:  # which the repository's part tells
            return None
        return config if config and (config.repo_name or config.build_repo) else None


@contextmanager
def _as_problem(found: Examination, what: str) -> Iterator[None]:
    try:
        yield
    except CaurError as error:
        found.problem(what, error.message, error.hint)


def _names(queue: Queue) -> list[str]:
    try:
        return [it.name for it in queue.snapshot(limit=1).workers if it.build_class]
    except CaurError:  # which the queue's part tells
        return []


def _show(session: Session, findings: Sequence[Finding]) -> None:
    from caur_ci.cli.tables import table  # noqa: PLC0415 - slow to import

    rows = table("", None, "part", "what", "", "found")
    for finding in findings:
        rows.add(finding.part, finding.what, finding.state.value, finding.message)
    session.out.print(rows)
    bad = [finding for finding in findings if finding.remedy]
    for finding in bad:
        session.err.print(f"{finding.part}, {finding.what}: {finding.remedy}", markup=False)
