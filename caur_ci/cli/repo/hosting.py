"""`caur-ci repo upload` and `pick-up`: between the disk and a publishing target."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import PUBLISHING_TARGET, AsJson, Config, GpgPath, RepoPath
from caur_ci.cli.repo.selection import TargetRepo, repo_root, settings_from
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.hosting.protocol import PublishingTarget
    from scheduler.settings.values import Values

Address = Annotated[
    str | None,
    typer.Option(
        "--publish-to",
        metavar="ADDRESS",
        help=f"{PUBLISHING_TARGET}.",
        show_default=False,
    ),
]


def upload(
    context: typer.Context,
    *,
    publish_to: Address = None,
    target_repo: TargetRepo = None,
    repo_path: RepoPath = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bring what is published to a publishing target, where readers fetch it from.

    Only what differs is uploaded, packages first and databases last, so that readers never see a
    database without its files. What was interrupted is repeated. Ends with 75 while another upload
    to the same place is under way.
    """
    from caur_ci.pipeline.shared.forge import ForgePipeline  # noqa: PLC0415
    from scheduler.hosting.uploading import upload as uploaded  # noqa: PLC0415 - slow to import
    from scheduler.settings import DEFAULT_GRACE, variables  # noqa: PLC0415 - slow to import

    session = session_of(context)
    values = settings_from(CAUR_CONFIG=config, REPO_PATH=repo_path, PUBLISH_TO=publish_to)
    target, root = target_of(session, values), repo_root(values)
    grace = values.get(variables.REPO_GRACE, DEFAULT_GRACE)
    who = ForgePipeline.from_environment(os.environ).url
    results = {
        name: uploaded(target, root, name, grace=grace, who=who)
        for name in _names(root, target_repo)
    }
    if as_json:
        counts = {
            name: {"uploaded": each.uploads, "removed": len(each.change.removals)}
            for name, each in results.items()
        }
        session.print_plain(
            json.dumps({"target": target.address, "repositories": counts}, indent=2)
        )
        return
    for name, each in results.items():
        done = f"{each.uploads} files uploaded, {len(each.change.removals)} removed"
        told = "nothing has changed" if each.is_empty else done
        session.out.print(f"{name} at {target.address}: {told}", markup=False)


def pick_up(
    context: typer.Context,
    *,
    publish_to: Address = None,
    target_repo: Annotated[
        str, typer.Option("--target-repo", metavar="NAME", help="Which repository.")
    ],
    repo_path: RepoPath = None,
    gpg_path: GpgPath = None,
    config: Config = None,
) -> None:
    """Go on with a repository that is at a publishing target.

    Its databases are fetched into REPO_PATH; the packages stay where they are. Their signature has
    to be by a key in GPG_PATH. What is in REPO_PATH already, and follows from what is there, stays.
    """
    from caur_ci.names import check_repository_name  # noqa: PLC0415
    from scheduler.database.signing import Keyring  # noqa: PLC0415 - slow to import
    from scheduler.hosting.picking_up import pick_up as picked_up  # noqa: PLC0415
    from scheduler.settings.database import gpg_home  # noqa: PLC0415 - slow to import

    session = session_of(context)
    values = settings_from(
        CAUR_CONFIG=config, REPO_PATH=repo_path, GPG_PATH=gpg_path, PUBLISH_TO=publish_to
    )
    target = target_of(session, values)
    name = check_repository_name(target_repo)
    found = picked_up(target, repo_root(values), name, Keyring(gpg_home(values)))
    archs = ", ".join(layout.arch for layout in found) or "nothing is published there yet"
    session.out.print(f"{name} from {target.address}: {archs}", markup=False)


def target_of(session: Session, values: Values) -> PublishingTarget:
    """Return the publishing target that is set. Raises ConfigError and InputError."""
    from scheduler.hosting.opening import Surroundings, open_target  # noqa: PLC0415
    from scheduler.settings import variables  # noqa: PLC0415 - slow to import

    address = values.need(variables.PUBLISH_TO)
    return open_target(address, Surroundings(os.environ, session.secrets))


def _names(root: Path, target_repo: str | None) -> list[str]:
    from scheduler.database.layout import repositories  # noqa: PLC0415 - slow to import

    names = [target_repo] if target_repo else repositories(root)
    if not names:
        raise InputError(f"nothing is published in {root}")
    return names
