"""`caur-ci build`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.cli import completion
from caur_ci.cli.options import Arch, AsJson, Config
from caur_ci.cli.session import Session, session_of
from caur_ci.cli.worker import Engine, Executor, Image, Timeout
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.cli.build_source import BuildSource
    from caur_ci.deptree import DependencyTree
    from scheduler.job import JobSpec
    from scheduler.settings import WorkerSettings
    from scheduler.source.cache import SourceCache
    from scheduler.worker.local import LocalBuilds, LocalResult

_OUTPUT = Path(".caur-build")
_NO_TARGET = "local"
_CONFIG = ".ci/config"

Package = Annotated[
    str,
    typer.Argument(
        metavar="PACKAGE[@COMMIT]",
        help="A package folder, or a package that one makes; with a commit, as it was there.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Repository = Annotated[
    str,
    typer.Option(
        "--repo",
        metavar="DIR",
        help="The repository of PKGBUILD folders, or a folder in it; its URL does as well.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="DIR", help="Where the packages go, and the log of each build."
    ),
]
WithDependencies = Annotated[
    bool,
    typer.Option(
        "--with-dependencies",
        help="First build what it needs of this repository, and let it have that.",
    ),
]
Again = Annotated[
    bool,
    typer.Option("--again", help="Build it even if the target repository has it already."),
]
TargetRepo = Annotated[
    str,
    typer.Option(
        "--target-repo",
        metavar="NAME",
        help="One of PACKAGE_TARGET_REPOS, whose packages it is built with. Default: the "
        "REPO_NAME in `.ci/config`, or the only one.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What somebody wants to have built."""

    package: str
    repo: str
    output: Path
    with_dependencies: bool
    again: bool
    target_repo: str
    arch: str
    environment: Mapping[str, str]
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is to be built, in this order: the package itself is the last."""

    packages: tuple[str, ...]
    sources: SourceCache
    source_repo: str
    target_repo: str
    arch: str
    commit: str
    uncommitted: bool

    @property
    def state(self) -> str:
        """What is built, in words."""
        return "the working tree" if self.uncommitted else f"commit {self.commit}"

    def spec(self, package: str) -> JobSpec:
        from scheduler.job import JobSpec  # noqa: PLC0415 - slow to import

        return JobSpec(
            pkgbase=package,
            target_repo=self.target_repo,
            source_repo=self.source_repo,
            commit=self.commit,
            arch=self.arch,
        )


def build(
    context: typer.Context,
    *,
    package: Package,
    repo: Repository = ".",
    output: Output = _OUTPUT,
    with_dependencies: WithDependencies = False,
    again: Again = False,
    target_repo: TargetRepo = "",
    arch: Arch = DEFAULT_ARCHITECTURE,
    executor: Executor = None,
    image: Image = None,
    engine: Engine = None,
    timeout: Timeout = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Build one package here, as a worker would: without a queue, and nothing is published.

    It is built in the same sandbox and with the same steps, settings and checks. Without a commit
    the working tree counts, with what is not committed yet; git-ignored files are left out, and
    what makepkg leaves behind.

    Ends with 0 if it was built, 1 with an explanation if that failed, 3 if it skipped itself or
    was published before. Ctrl-C ends the build and removes what is left of it.
    """
    from caur_ci.cli.signals import environment_with  # noqa: PLC0415 - slow to import
    from caur_ci.errors import CaurError  # noqa: PLC0415
    from caur_ci.names import check_architecture  # noqa: PLC0415

    options = _Options(
        package=package,
        repo=repo,
        output=output,
        with_dependencies=with_dependencies,
        again=again,
        target_repo=target_repo,
        arch=check_architecture(arch),
        environment=environment_with(
            CAUR_CONFIG=config,
            BUILDER_EXECUTOR=executor,
            BUILDER_IMAGE=image,
            CONTAINER_ENGINE=engine,
            BUILDER_TIMEOUT=timeout,
        ),
        as_json=as_json,
    )
    try:
        return _run(session_of(context), options)
    except OSError as error:
        place = error.filename or output
        raise CaurError(f"{place}: {error.strerror}", hint="Is the disk full?") from error


def _run(session: Session, options: _Options) -> int:
    """Build what is wanted. Raises CaurError and OSError."""
    from caur_ci.cli.build_source import (  # noqa: PLC0415 - slow to import
        opened_source,
        source_repository,
        split_reference,
    )
    from caur_ci.cli.signals import service  # noqa: PLC0415
    from scheduler.connection import default_state_dir  # noqa: PLC0415
    from scheduler.worker.local import local_builds, local_settings  # noqa: PLC0415

    package, revision = split_reference(options.package)
    repository = source_repository(options.repo)
    settings = local_settings(options.environment, state_dir=default_state_dir(), source=repository)
    with ExitStack() as opened:
        source = opened.enter_context(opened_source(repository, revision, settings.shared))
        order = _order(session, source, settings, options, package)
        _make_folder(options.output)
        stop = opened.enter_context(service(session))
        builds = opened.enter_context(
            local_builds(settings, order.sources, stop, arch=options.arch, rebuilds=options.again)
        )
        if len(order.packages) > 1 and not builds.installs_dependencies:
            session.warn(
                "nothing is installed for builds on this machine: what is built first is not "
                "there for what comes later; --executor container installs it"
            )
        return _build_all(session, builds, order, options)


def _order(
    session: Session,
    source: BuildSource,
    settings: WorkerSettings,
    options: _Options,
    package: str,
) -> _Order:
    """Find out what is to be built, and tell what may be missing for it. Raises CaurError."""
    from caur_ci.cli.build_source import has_changes  # noqa: PLC0415 - slow to import
    from caur_ci.config import load_repository_config  # noqa: PLC0415
    from caur_ci.deptree import DependencyTree  # noqa: PLC0415
    from caur_ci.names import check_repository_name  # noqa: PLC0415

    tree = DependencyTree.read_each(source.folders.srcinfos(), arch=options.arch)
    folder = tree.resolve(package)
    packages = _in_order(tree, folder) if options.with_dependencies else (folder,)
    sources, commit = source.take(packages)
    needed = [] if options.with_dependencies else sorted(tree.dependencies(folder))
    if needed:
        session.note(
            f"{folder} needs {', '.join(needed)} of this repository, as published; "
            "--with-dependencies builds that first"
        )
    if source.uncommitted and has_changes(source.repository, packages):
        session.note(f"what is built is not committed: {' '.join(packages)} as on disk")
    files = sources.read_files(source.repository, commit, [_CONFIG])
    own = load_repository_config(files.get(_CONFIG, b"")).config.repo_name
    only = next(iter(settings.target_repos)) if len(settings.target_repos) == 1 else ""
    return _Order(
        packages=packages,
        sources=sources,
        source_repo=source.repository.name,
        target_repo=check_repository_name(options.target_repo or own or only or _NO_TARGET),
        arch=options.arch,
        commit=commit,
        uncommitted=source.uncommitted,
    )


def _in_order(tree: DependencyTree, folder: str) -> tuple[str, ...]:
    """Return the package and all that it needs of the repository, what is needed first."""
    from caur_ci.deptree import build_order  # noqa: PLC0415 - slow to import

    layers = build_order(tree.subset([folder])).layers
    needed = (name for layer in layers for name in layer if name != folder)
    return (*needed, folder)


def _make_folder(output: Path) -> None:
    """Make the folder for packages, which git takes no notice of then. Raises OSError."""
    if not output.is_dir():
        output.mkdir(parents=True)
        (output / ".gitignore").write_text("*\n", encoding="utf-8")


def _build_all(session: Session, builds: LocalBuilds, order: _Order, options: _Options) -> int:
    from scheduler.job import Outcome  # noqa: PLC0415 - slow to import

    done: list[Mapping[str, object]] = []
    code = ExitCode.OK
    for package in order.packages:
        if len(order.packages) > 1:
            session.note(f"building {package}")
        result, told = _build_one(session, builds, order, package, options)
        done.append(told)
        code = _exit_code(result)
        is_there = result.job.outcome in {Outcome.SUCCESS, Outcome.ALREADY_BUILT}
        if not is_there and package != order.packages[-1]:
            session.fail(f"{order.packages[-1]} needs {package}, and is not built")
            code = code if code == ExitCode.INTERRUPTED else ExitCode.FAILED
            break
        builds.provide(result)
    if options.as_json:
        from caur_ci.cli.data import to_json  # noqa: PLC0415 - slow to import

        commit = None if order.uncommitted else order.commit
        session.print_plain(to_json({"commit": commit, "builds": done}))
    return code


def _build_one(
    session: Session,
    builds: LocalBuilds,
    order: _Order,
    package: str,
    options: _Options,
) -> tuple[LocalResult, Mapping[str, object]]:
    from caur_ci.cli.explanation_view import print_explanation  # noqa: PLC0415
    from caur_ci.cli.log_output import LogOutput  # noqa: PLC0415
    from scheduler.diagnosis import explain  # noqa: PLC0415
    from scheduler.worker.local import LocalLog  # noqa: PLC0415

    shown = LogOutput.standard()
    show = (lambda _: None) if options.as_json else shown.write
    secrets = session.secrets.values()
    with LocalLog(options.output / f"{package}.log", show, secrets=secrets) as log:
        result = builds.build(order.spec(package), log, options.output, state=order.state)
    explanation = None if result.interrupted else explain(result.job, logs=log)
    shown.close()
    for path in result.packages:
        session.note(f"built {path}")
    if explanation is not None:
        print_explanation(session.err, explanation, command=False)
    elif result.job.reason and not result.interrupted:
        session.note(f"{package}: {result.job.reason}")
    session.note(f"its log is {log.path}")
    return result, {
        "package": package,
        "outcome": result.job.outcome,
        "failure": result.job.failure,
        "reason": result.job.reason,
        "packages": [str(path) for path in result.packages],
        "log": str(log.path),
        "explanation": explanation,
    }


def _exit_code(result: LocalResult) -> ExitCode:
    from scheduler.job import Outcome  # noqa: PLC0415 - slow to import

    if result.interrupted:
        return ExitCode.INTERRUPTED
    codes = {
        Outcome.SUCCESS: ExitCode.OK,
        Outcome.ALREADY_BUILT: ExitCode.PARTIAL,
        Outcome.SKIPPED: ExitCode.PARTIAL,
    }
    return codes.get(result.job.outcome, ExitCode.FAILED)
