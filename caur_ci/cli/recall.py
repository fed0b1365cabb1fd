"""`caur-ci recall`."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.cli import completion, options
from caur_ci.cli.hold import Reason, open_keeper
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, ConfigError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caur_ci.cli.recall_findings import Findings, Investigation
    from scheduler.queue import Queue

Packages = Annotated[
    list[str] | None,
    typer.Argument(
        parser=options.named_as_completed,
        metavar="PACKAGE",
        help="Package folders. Default: those that are gone from the AUR, or that a run has put on "
        "hold.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Do it without being asked, as where there is no terminal.")
]


def recall(
    context: typer.Context,
    *,
    packages: Packages = None,
    yes: Yes = False,
    reason: Reason = "",
    wait: options.Wait = 0.0,
    arch: options.Arch = DEFAULT_ARCHITECTURE,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    repo_path: options.RepoPath = None,
    config: options.Config = None,
    redis: options.Redis = None,
    as_json: options.AsJson = False,
) -> int:
    """List what was built from packages, and take it out of the repositories.

    Shows builds, published files and the generations with them; the latter where REPO_PATH is on
    this machine. Once that is confirmed, the packages are put on hold and named as recalled on
    branch `caur`, their jobs are canceled, and the database runner is asked to remove them. Their
    folders stay; `caur-ci unhold` lets them be built again.

    Ends with 0 if there is nothing to recall or all of it was asked for, with 1 if nobody
    confirmed it or the removal failed, with 3 if a part of it could not be asked for.
    """
    from caur_ci.cli.recall_report import show  # noqa: PLC0415 - slow to import
    from caur_ci.cli.working_tree import as_folders  # noqa: PLC0415

    session = session_of(context)
    investigation = _investigation(session, _root(repo_path, config), (repo, remote, redis, arch))
    names = as_folders(packages, repo) if packages else investigation.suspects()
    if packages:
        _check(investigation, names)
    findings = investigation.findings(names)
    show(session, findings, as_json=as_json)
    if not findings:
        session.note("no package is gone or was put on hold by a run")
        return ExitCode.OK
    if not (yes or _is_confirmed(names)):
        session.note("nothing was done; --yes recalls them")
        return ExitCode.FAILED
    return _carry_out(session, investigation, findings, reason=reason, wait=wait)


def _investigation(
    session: Session, root: Path | None, place: tuple[Path, str | None, str | None, str]
) -> Investigation:
    from caur_ci.cli.queue_connection import known_queue  # noqa: PLC0415 - slow to import
    from caur_ci.cli.recall_findings import Investigation  # noqa: PLC0415

    repo, remote, redis, arch = place
    keeper = open_keeper(session, repo, remote)
    queue = None
    try:
        queue = known_queue(session, redis, repo)
    except CaurError as error:
        session.warn(f"what the queue has of it is not known: {error.message}")
    if root is None:
        session.note(
            "where the repositories are published is not known here (REPO_PATH): files and "
            "generations are not listed"
        )
    return Investigation(keeper=keeper, memory=keeper.memory(), queue=queue, root=root, arch=arch)


def _root(repo_path: Path | None, config: Path | None) -> Path | None:
    from caur_ci.cli.signals import environment_with  # noqa: PLC0415
    from scheduler.settings import variables  # noqa: PLC0415 - slow to import
    from scheduler.settings.values import Values  # noqa: PLC0415

    values = Values(environment_with(CAUR_CONFIG=config, REPO_PATH=repo_path))
    root = values.get(variables.REPO_PATH, None)
    if root is not None and not root.is_dir():
        raise ConfigError(f"there is no folder {root}", hint="REPO_PATH and --repo-path name it.")
    return root


def _check(investigation: Investigation, names: Iterable[str]) -> None:
    """Raise InputError for what was never a package here."""
    from caur_ci.pipeline.holding import check_known  # noqa: PLC0415 - slow to import

    memory = investigation.memory
    known = {*investigation.keeper.folders(), *memory.holds.packages, *memory.seen.lines}
    check_known(names, known)


def _is_confirmed(names: Sequence[str]) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"Recall {', '.join(names)}?", err=True)


def _carry_out(
    session: Session,
    investigation: Investigation,
    findings: Sequence[Findings],
    *,
    reason: str,
    wait: float,
) -> int:
    names = [it.package for it in findings]
    held = investigation.keeper.recall(names, reason)
    for name, hold in held.items():
        session.note(f"{name} is {hold}")
    queue = investigation.queue
    if queue is None:
        session.fail(
            "the packages are on hold, and stay published: no queue could be asked",
            "Run it again where the queue's Redis server is named, or with --redis URL.",
        )
        return ExitCode.PARTIAL
    try:
        code = _remove(session, queue, findings, wait=wait)
    except CaurError as error:
        session.fail(f"the packages are on hold, but their removal is not done: {error.message}")
        return ExitCode.PARTIAL
    _tell_what_stays(session, findings)
    return code


def _remove(session: Session, queue: Queue, findings: Sequence[Findings], *, wait: float) -> int:
    """Ask for the removal of the packages from every place they may be published in."""
    from caur_ci.cli.removal_report import report_removals  # noqa: PLC0415
    from scheduler.job import Removal  # noqa: PLC0415 - slow to import

    bases: dict[tuple[str, str], list[str]] = {}
    for it in findings:
        for place in it.targets:
            bases.setdefault(place, []).append(it.package)
    removals = [
        Removal(target_repo=target_repo, arch=arch, remove=tuple(names), confirmed=True)
        for (target_repo, arch), names in bases.items()
    ]
    after = queue.last_event_id()
    done = queue.submit(uuid.uuid4().hex, [], removals)
    for removal in removals:
        session.note(
            f"removal from {removal.target_repo}/{removal.arch} is queued: "
            f"{', '.join(removal.remove)}"
        )
    if done.canceled:
        session.note(f"jobs that were canceled: {', '.join(map(str, done.canceled))}")
    return report_removals(session, queue, done.removals, after=after, wait=wait)


def _tell_what_stays(session: Session, findings: Iterable[Findings]) -> None:
    """Say what nobody's pacman is told of any more, and who wants it gone has to delete."""
    paths = [path for it in findings for trace in it.traces or () for path in trace.paths]
    if not paths:
        return
    session.note(
        "for the record, the files stay on disk until their time is over (REPO_GRACE, "
        "REPO_ARCHIVE_DAYS, and as long as a generation needs them); once the removal is done, "
        "they may be deleted by hand, and generations with them cannot be brought back then. "
        "What is in place now moves to the archive:"
    )
    for path in paths:
        session.note(f"  {path}")
