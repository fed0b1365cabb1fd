"""`caur-ci bump`, `drop`, `rename` and `update-pipelines`: what people do, for all to see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion, options
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.pipeline.manual.journey import ManualResult
    from caur_ci.pipeline.manual.operation import Operation
    from caur_ci.pipeline.shared.options import RunOptions

_PACKAGES = typer.Argument(
    parser=options.named_as_completed,
    metavar="PACKAGE",
    help="Package folders; `a:b` and `a,b` are lists. Variable PACKAGES.",
    autocompletion=completion.packages,
    show_default=False,
)
Packages = Annotated[list[str] | None, _PACKAGES]
PackagesOrAll = Annotated[
    list[str] | None,
    typer.Argument(
        parser=options.named_as_completed,
        metavar="PACKAGE|all",
        help="Package folders; `a:b` and `a,b` are lists. Variable PACKAGES.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]
Folder = Annotated[
    str,
    typer.Argument(
        parser=options.named_as_completed,
        autocompletion=completion.packages,
        help="The package folder.",
        show_default=False,
    ),
]
NewName = Annotated[
    str, typer.Argument(parser=options.named_as_completed, help="Its new name.", show_default=False)
]
Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        metavar="TEXT",
        help="What others are told about it, in the commit and by `caur-ci why`. Variable "
        "CUSTOM_REQUEST_REASON.",
        envvar="CUSTOM_REQUEST_REASON",
        show_envvar=False,
        show_default=False,
    ),
]
DependentsOf = Annotated[
    list[str] | None,
    typer.Option(
        "--dependents-of",
        metavar="PACKAGE",
        help="All packages here that need this one, to build or to run. May be repeated.",
        autocompletion=completion.packages,
        show_default=False,
    ),
]


def bump(
    context: typer.Context,
    *,
    packages: PackagesOrAll = None,
    dependents_of: DependentsOf = None,
    reason: Reason = "",
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Build packages once more, in a version of their own.

    Raises CI_PACKAGE_BUMP in their .CI/config, so that `.1`, `.2` … follows their pkgrel until
    they have another version. It is one commit on top of the remote's branch, which is dealt with
    at once, as on-commit does; the working tree follows where it can.

    Packages that are not named themselves and cannot be bumped are left out, and told. Ends with
    0 if all is well, with 3 if packages were left out that cannot be used as they are.
    """
    from caur_ci.pipeline.manual.bumping import BumpPackages  # noqa: PLC0415 - slow to import

    names = _names(packages, needed=not dependents_of)
    operation = BumpPackages(
        packages=names, dependents_of=tuple(dependents_of or ()), reason=reason
    )
    return _do(context, operation, repo, remote, dry_run=dry_run, as_json=as_json)


def drop(
    context: typer.Context,
    *,
    packages: Packages = None,
    reason: Reason = "",
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Remove packages: their folders, and what is published of them.

    It is one commit on top of the remote's branch, which is dealt with at once, as on-commit does.
    Who needs the packages is told. `git revert` of the commit brings them back.
    """
    from caur_ci.pipeline.manual.dropping import DropPackages  # noqa: PLC0415 - slow to import

    operation = DropPackages(packages=_names(packages, needed=True), reason=reason)
    return _do(context, operation, repo, remote, dry_run=dry_run, as_json=as_json)


def rename(
    context: typer.Context,
    *,
    old: Folder,
    new: NewName,
    reason: Reason = "",
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Give a package folder another name.

    What was published from it goes, and it is built from the new folder: a folder is a package
    base. It is one commit on top of the remote's branch, which is dealt with at once, as on-commit
    does.
    """
    from caur_ci.pipeline.manual.renaming import RenamePackage  # noqa: PLC0415 - slow to import

    operation = RenamePackage(old=old, new=new, reason=reason)
    return _do(context, operation, repo, remote, dry_run=dry_run, as_json=as_json)


def update_pipelines(
    context: typer.Context,
    *,
    version: Annotated[
        str,
        typer.Option(
            "--to", metavar="VERSION", help="Default: the newest release.", show_default=False
        ),
    ] = "",
    if_enabled: Annotated[
        bool,
        typer.Option(
            "--if-enabled",
            help="Do nothing where TEMPLATE_REPO names no repository, or TEMPLATE_ENABLE_UPDATES "
            "is false.",
        ),
    ] = False,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Bring the pipeline files of the repository to another release of caur-ci.

    Releases are the tags of the repository that TEMPLATE_REPO names: never a branch. What people
    changed in the files is kept; where the release has changed the same lines, the file stays as
    it is, and that is told. It is one commit, nothing is built because of it, and the tag
    `scheduled` moves along.
    """
    from caur_ci.pipeline.manual.updating_pipelines import (  # noqa: PLC0415 - slow to import
        follows_releases,
        pipeline_update,
    )
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

    session = session_of(context)
    wanted = RunOptions(
        repo=repo, remote=remote, dry_run=dry_run, environ=os.environ, secrets=session.secrets
    )
    if if_enabled and not follows_releases(wanted):
        session.note("the pipelines of this repository follow no releases")
        return ExitCode.OK
    with pipeline_update(wanted, version=version) as operation:
        return perform(session, wanted, operation, as_json=as_json)


def _names(given: Iterable[str] | None, *, needed: bool) -> tuple[str, ...]:
    """Return the packages that were named, or else those in the environment.

    Raises InputError where there are none, though they are `needed`.
    """
    texts = list(given or ()) or ([] if not needed else [os.environ.get("PACKAGES", "")])
    names = tuple(dict.fromkeys(it for text in texts for it in options.package_list(text)))
    if needed and not names:
        raise InputError("no package is named", hint="Name them, or set PACKAGES to a list.")
    if classes := [name for name in names if "/" in name]:
        raise InputError(
            f"{classes[0][:200]} is no package",
            hint="A class goes with builds only: `caur-ci schedule PACKAGE/CLASS`.",
        )
    return names


def perform(session: Session, wanted: RunOptions, operation: Operation, *, as_json: bool) -> int:
    """Do an operation, show what came of it, and return the exit code. Raises as `by_hand`."""
    from caur_ci.pipeline.manual.journey import by_hand  # noqa: PLC0415 - slow to import

    result = by_hand(wanted, operation)
    plan = result.plan
    for warning in plan.warnings if plan else ():
        session.warn(warning)
    for note in (*(plan.notes if plan else ()), *result.notes):
        session.note(note)
    if as_json:
        session.print_plain(_as_json(result))
    else:
        _show(session, result, dry_run=wanted.dry_run)
    for decision in plan.left_out if plan else ():
        session.warn(f"{decision.package} is left out: {decision.reason}")
    return ExitCode.PARTIAL if plan and plan.left_out else ExitCode.OK


def _do(
    context: typer.Context,
    operation: Operation,
    repo: Path,
    remote: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415 - slow to import

    session = session_of(context)
    wanted = RunOptions(
        repo=repo, remote=remote, dry_run=dry_run, environ=os.environ, secrets=session.secrets
    )
    return perform(session, wanted, operation, as_json=as_json)


def _as_json(result: ManualResult) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415

    plan = result.plan
    return to_json(
        {
            "commit": result.commit if result.published else "",
            "message": result.edit.message,
            "folders": sorted(result.edit.folders),
            "files": sorted(result.edit.files),
            "decisions": plan.to_dict()["decisions"] if plan else [],
            "request_id": plan.request.request_id if plan and result.published else "",
            "notes": list(result.notes),
            "published": result.published,
        }
    )


def _show(session: Session, result: ManualResult, *, dry_run: bool) -> None:
    if result.plan is None:
        session.out.print("nothing is to be done")
        return
    from caur_ci.cli.decisions import decision_table  # noqa: PLC0415 - slow to import

    for path in sorted(result.edit.files):
        session.out.print(f"changed {path}", markup=False)
    if result.plan.decisions:
        session.out.print(decision_table(result.plan.decisions))
    subject = result.edit.message.partition("\n")[0]
    if dry_run:
        session.note(f"dry run: nothing was written or pushed; the commit would be: {subject}")
    else:
        request = result.plan.request
        outbox = "" if request.is_empty else f"; request {request.request_id} is in the outbox"
        session.note(f"pushed {result.commit[:12]}, {subject}{outbox}")
