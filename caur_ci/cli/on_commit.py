"""`caur-ci on-commit`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caur_ci.cli import options
from caur_ci.cli.data import as_data
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from caur_ci.pipeline.on_commit.journey import OnCommitResult


OnUnknownConfig = Annotated[
    Literal["stop", "default"],
    typer.Option(
        "--on-unknown-config",
        help="What a first run does where .ci/config names neither REPO_NAME nor BUILD_REPO: "
        "stop, or go on with the default names.",
    ),
]


def on_commit(
    context: typer.Context,
    *,
    repo: options.Repo = Path(),
    remote: options.Remote = None,
    push: options.Push = True,
    dry_run: options.DryRun = False,
    on_unknown_config: OnUnknownConfig = "stop",
    as_json: options.AsJson = False,
) -> int:
    """Find out which packages the pushed commits change, and ask for their builds.

    Looks at everything between the tag `scheduled` and HEAD: changed, added, removed and
    renamed package folders, and the words `[deploy NAME]`, `[deploy NAME/CLASS]`,
    `[deploy a b]`, `[deploy all]` in commit messages. A name that does not exist stops
    the run and leaves the tag where it was; a later commit with `[deploy-skip SHA]` takes
    the wish back.

    Writes .ci/schedule.json, and .ci/schedule-params.txt and .ci/deptree.txt for the existing
    manager; then moves the tag and puts the request into the outbox on branch `caur`, both or
    neither. Hand it to the queue with `caur-ci schedule`. Then packages with CI_MANAGE_AUR are
    pushed to the AUR, where it does not have them as they are here (see `caur-ci aur`).

    Ends with 0 if all is well, with 3 if packages were left out that cannot be used as they are, or
    could not be pushed to the AUR; all others are scheduled then.
    """
    from caur_ci.cli.aur_report import aur_exit_code, print_aur_report  # noqa: PLC0415
    from caur_ci.pipeline.on_commit.journey import OnCommitOptions  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.on_commit.journey import on_commit as journey  # noqa: PLC0415

    session = session_of(context)
    result = journey(
        OnCommitOptions(
            repo=repo,
            remote=remote,
            push=push,
            dry_run=dry_run,
            environ=os.environ,
            secrets=session.secrets,
            default_names=on_unknown_config == "default",
        )
    )
    for warning in result.plan.warnings:
        session.warn(warning)
    for note in result.plan.notes:
        session.note(note)
    if as_json:
        session.print_plain(_as_json(result))
    else:
        _show(session, result, dry_run=dry_run)
    for decision in result.plan.left_out:
        session.warn(f"{decision.package} is left out: {decision.reason}")
    print_aur_report(session, result.aur)
    return ExitCode.PARTIAL if result.plan.left_out else aur_exit_code(result.aur)


def _as_json(result: OnCommitResult) -> str:
    document = result.plan.to_dict()
    document["request"] = json.loads(result.plan.request.to_json())
    document["written"] = [str(path) for path in result.written]
    document["published"] = result.published
    document["aur"] = as_data(result.aur)
    return json.dumps(document, indent=2)


def _show(session: Session, result: OnCommitResult, *, dry_run: bool) -> None:
    plan = result.plan
    if plan.decisions:
        from caur_ci.cli.decisions import decision_table  # noqa: PLC0415 - slow to import

        session.out.print(decision_table(plan.decisions))
    else:
        session.out.print(f"nothing to build: {plan.commits.position.value}")
    head = plan.commits.head[:12]
    if dry_run:
        session.note("dry run: nothing was written or pushed")
    elif result.published and not plan.request.is_empty:
        session.note(f"scheduled {head}; request {plan.request.request_id} is in the outbox")
    elif result.published:
        session.note(f"scheduled {head}")
