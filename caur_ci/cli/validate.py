"""`caur-ci validate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion
from caur_ci.cli.options import AsJson, Repo
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, ExitCode, GitError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.git import GitRepository
    from caur_ci.pipeline.validating.journey import Validation
    from caur_ci.pipeline.validating.scope import Scope
    from caur_ci.validation import Surroundings
    from caur_ci.validation.formats import Format
    from caur_ci.validation.model import Report

_FORMATS = ("json", "sarif", "junit", "code-quality")

Packages = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PACKAGE",
        help="Package folders, or files in them. Default: the whole repository.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Range = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="A..B",
        help="Look at what these commits touch, as it is at B; A...B begins where B left A.",
        show_default=False,
    ),
]
Changed = Annotated[bool, typer.Option("--changed", help="Look at what is not committed yet.")]
Commit = Annotated[
    str | None,
    typer.Option(
        "--commit",
        metavar="REV",
        help="Read this commit. Default: the files on disk; with --range its end.",
        show_default=False,
    ),
]
OnDisk = Annotated[
    bool, typer.Option("--worktree", help="Read the files on disk, also with --range.")
]
Databases = Annotated[
    list[str] | None,
    typer.Option(
        "--db",
        metavar="FILE|URL|DIR",
        help="A package database of the distribution, or a folder of them, to tell which "
        "dependencies nobody provides; `configured` stands for those of CI_LIB_DB. May come "
        "several times.",
        show_default=False,
    ),
]
Redis = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        help="The queue's Redis server, to tell which build classes no worker takes.",
        show_default=False,
    ),
]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        metavar="FORMAT=FILE",
        help=f"Also write the report into a file: {', '.join(_FORMATS)}. May come several times.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What part of the repository is meant, by what was said on the command line."""

    packages: Sequence[str]
    commits: str | None
    changed: bool
    commit: str | None
    on_disk: bool


def validate(
    context: typer.Context,
    packages: Packages = None,
    *,
    commits: Range = None,
    changed: Changed = False,
    commit: Commit = None,
    on_disk: OnDisk = False,
    databases: Databases = None,
    redis: Redis = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 for warnings as well.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend on disk what is certain, and show it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --fix: only show what would be changed.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Show each note, however many are alike.")
    ] = False,
    as_json: AsJson = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for forges.")] = False,
    junit: Annotated[bool, typer.Option("--junit", help="Print JUnit's XML.")] = False,
    code_quality: Annotated[
        bool, typer.Option("--code-quality", help="Print a Code Quality report for GitLab.")
    ] = False,
    output: Output = None,
    repo: Repo = Path(),
) -> int:
    """Look for what is wrong in the repository of PKGBUILDs, and mend what is certain.

    Nothing of it is run: PKGBUILDs are evaluated, and what is not sure is no finding. Exit codes: 0
    nothing is wrong, 1 there are errors (or warnings with --strict), 2 it was called wrongly.
    docs/validate.md lists all findings; `.ci/validate.toml` silences those that are meant.
    """
    from caur_ci.git import GitRepository  # noqa: PLC0415 - keeps `--help` fast
    from caur_ci.pipeline.validating import journey  # noqa: PLC0415
    from caur_ci.validation.mending import write  # noqa: PLC0415

    session = session_of(context)
    form = _one_form(
        {"json": as_json, "sarif": sarif, "junit": junit, "code-quality": code_quality}
    )
    files = _outputs(output or ())
    wanted = _Wanted(
        packages=packages or (), commits=commits, changed=changed, commit=commit, on_disk=on_disk
    )
    _check_together(wanted, fix=fix, dry_run=dry_run)
    try:
        git = GitRepository.open(repo)
        scope = _scope(git, wanted)
        surroundings, notes = _surroundings(session, git, scope, databases or (), redis)
        _check_fix(scope, fix=fix)
        done = journey.validate(git, scope, surroundings, fix=fix, not_checked=notes)
    except (InputError, GitError) as error:  # what was named is not there
        raise typer.BadParameter(f"{error.message}. {error.hint}".rstrip()) from error
    if fix and not dry_run:
        write(git.folder, done.edits)
    for kind, path in files:
        _write_report(done.report, kind, path)
    _show(session, done, form, fix=fix, dry_run=dry_run, every=every or bool(packages))
    return _exit_code(done.report, strict=strict)


def _exit_code(report: Report, *, strict: bool) -> int:
    from caur_ci.validation import Severity  # noqa: PLC0415 - keeps `--help` fast

    failing = report.count(Severity.ERROR) + (report.count(Severity.WARNING) if strict else 0)
    return ExitCode.FAILED if failing else ExitCode.OK


def _check_together(wanted: _Wanted, *, fix: bool, dry_run: bool) -> None:
    ways = sum((bool(wanted.packages), wanted.commits is not None, wanted.changed))
    if ways > 1:
        raise typer.BadParameter("PACKAGE, --range and --changed exclude each other")
    if wanted.commit is not None and (wanted.on_disk or wanted.changed or wanted.commits):
        raise typer.BadParameter("--commit excludes --worktree, --changed and --range")
    if dry_run and not fix:
        raise typer.BadParameter("--dry-run belongs to --fix")


def _check_fix(scope: Scope, *, fix: bool) -> None:
    if fix and scope.commit is not None:
        raise typer.BadParameter("--fix is for files on disk: add --worktree")


def _scope(git: GitRepository, wanted: _Wanted) -> Scope:
    """Return what is meant. Raises InputError, GitError."""
    from caur_ci.pipeline.validating import scope  # noqa: PLC0415 - keeps `--help` fast

    if wanted.commits is not None:
        return scope.changed_in(git, wanted.commits, on_disk=wanted.on_disk)
    commit = git.commit_id(wanted.commit or "HEAD") if wanted.commit or git.bare else None
    if wanted.changed:
        return scope.changed_on_disk(git)
    if wanted.packages:
        return scope.named(git, wanted.packages, commit)
    return scope.everything(commit)


def _surroundings(
    session: Session, git: GitRepository, scope: Scope, databases: Sequence[str], redis: str | None
) -> tuple[Surroundings, list[str]]:
    """Return what is known beside the repository, and what is not looked at without it."""
    from caur_ci.pipeline.validating.distribution import (  # noqa: PLC0415 - keeps `--help` fast
        databases_of,
        names_in,
    )
    from caur_ci.validation import Surroundings  # noqa: PLC0415

    notes: list[str] = []
    provided = None
    if databases:
        config = _config(git, scope)
        meant = databases_of(databases, config.lib_db)
        provided, problem = names_in(meant, proxy=config.aur_proxy)
        if problem:
            notes.append(f"dependencies on the distribution: {problem}")
    else:
        notes.append("dependencies on the distribution: name its databases with --db")
    serves = _serves(session, redis) if redis is not None else None
    if serves is None:
        notes.append("build classes: name the queue with --redis")
    return Surroundings(provided=provided, serves=serves), notes


def _config(git: GitRepository, scope: Scope) -> RepositoryConfig:
    """Return `.ci/config` as far as it can be used; what is wrong with it is told anyway."""
    from caur_ci.config import (  # noqa: PLC0415 - keeps `--help` fast
        RepositoryConfig,
        load_repository_config,
    )
    from caur_ci.package_folders import read_regular  # noqa: PLC0415

    if scope.commit is None:
        data = read_regular(git.folder / RepositoryConfig.FILE)
    else:
        (data,) = git.read_blobs([f"{scope.commit}:{RepositoryConfig.FILE}"])
    try:
        return load_repository_config(data or b"").config
    except InputError:
        return RepositoryConfig()


def _serves(session: Session, redis: str) -> Callable[[str], bool]:
    """Return what tells whether the queue knows a worker for a class. Raises TemporaryError."""
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    workers = open_queue(session, redis).snapshot(limit=0).workers

    def serves(build_class: str) -> bool:
        if build_class.isdecimal():
            return any(worker.build_class >= int(build_class) for worker in workers)
        return any(worker.name == build_class for worker in workers)

    return serves


def _one_form(asked: dict[str, bool]) -> Format | None:
    from caur_ci.validation.formats import Format  # noqa: PLC0415 - keeps `--help` fast

    forms = [name for name, is_asked in asked.items() if is_asked]
    if len(forms) > 1:
        raise typer.BadParameter(f"--{forms[0]} and --{forms[1]} exclude each other; use --output")
    return Format(forms[0]) if forms else None


def _outputs(given: Sequence[str]) -> list[tuple[Format, Path]]:
    from caur_ci.names import suggestion  # noqa: PLC0415 - keeps `--help` fast
    from caur_ci.validation.formats import Format  # noqa: PLC0415

    found = []
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise typer.BadParameter(f"--output {text}: write FORMAT=FILE")
        if name not in _FORMATS:
            meant = suggestion(name, _FORMATS, 1)
            raise typer.BadParameter(
                f"--output {text}: {name} is none of {', '.join(_FORMATS)}. {meant}".rstrip()
            )
        found.append((Format(name), Path(path)))
    return found


def _write_report(report: Report, form: Format, path: Path) -> None:
    from caur_ci.validation.formats import render  # noqa: PLC0415 - keeps `--help` fast

    try:
        path.write_text(render(report, form), encoding="utf-8")
    except OSError as error:
        raise CaurError(f"{path} cannot be written: {error.strerror}") from error


def _show(
    session: Session,
    done: Validation,
    form: Format | None,
    *,
    fix: bool,
    dry_run: bool,
    every: bool,
) -> None:
    from caur_ci.cli.validate_report import show_edits, show_report  # noqa: PLC0415
    from caur_ci.validation.formats import render  # noqa: PLC0415

    if fix:
        show_edits(session, done, as_diff=dry_run, aside=form is not None)
    if form is None:
        show_report(session, done.report, every=every)
    else:
        session.print_plain(render(done.report, form))
