"""Which of the published repositories a command is about, and with which settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.session import Session
from caur_ci.errors import InputError

if TYPE_CHECKING:
    from scheduler.database.layout import Layout
    from scheduler.database.signing import Signer
    from scheduler.settings.values import Values

TargetRepo = Annotated[
    str | None,
    typer.Option(
        "--target-repo",
        metavar="NAME",
        help="Which repository. Default: the only one there is.",
        show_default=False,
    ),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        metavar="ARCH",
        help="Which architecture. Default: the only one there is.",
        show_default=False,
    ),
]


def signer_of(session: Session, values: Values) -> Signer:
    from scheduler.database.signing import Signer  # noqa: PLC0415 - slow to import
    from scheduler.settings import variables  # noqa: PLC0415 - slow to import
    from scheduler.settings.database import gpg_home  # noqa: PLC0415 - slow to import

    return Signer(
        gpg_home(values),
        key=values.get(variables.GPG_KEY, ""),
        passphrase=session.secrets.get("GPG_PASSPHRASE", ""),
    )


def settings_from(**options: object) -> Values:
    from caur_ci.cli.signals import environment_with  # noqa: PLC0415
    from scheduler.settings.values import Values  # noqa: PLC0415 - slow to import

    return Values(environment_with(**options))


def repo_root(values: Values) -> Path:
    from scheduler.settings import variables  # noqa: PLC0415 - slow to import

    return values.need(variables.REPO_PATH)


def several_layouts(
    root: Path, target_repo: str | None, arch: str | None, *, also_lost: bool = False
) -> list[Layout]:
    """Return the repositories that are meant. Raises InputError where there is none.

    With `also_lost`, also those whose database is gone.
    """
    from caur_ci.names import check_architecture  # noqa: PLC0415
    from scheduler.database.layout import layouts, repositories  # noqa: PLC0415

    if arch is not None:
        check_architecture(arch)
    names = [target_repo] if target_repo else repositories(root)
    found = [
        layout
        for name in names
        for layout in layouts(root, name)
        if (layout.is_published or also_lost) and arch in {None, layout.arch}
    ]
    if not found:
        wanted = "/".join(part for part in (target_repo, arch) if part)
        raise InputError(f"nothing is published in {root}" + (f" as {wanted}" if wanted else ""))
    return found


def one_layout(root: Path, target_repo: str | None, arch: str | None) -> Layout:
    found = several_layouts(root, target_repo, arch)
    if len(found) > 1:
        names = ", ".join(f"{layout.name}/{layout.arch}" for layout in found)
        raise InputError(
            f"there are several repositories in {root}: {names}",
            hint="Say which one with --target-repo NAME and --arch ARCH.",
        )
    return found[0]
