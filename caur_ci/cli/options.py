"""Options that several commands have, spelt once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from caur_ci.cli import completion

Repo = Annotated[
    Path,
    typer.Option(
        "--repo", metavar="DIR", help="The repository of PKGBUILD folders, or a folder in it."
    ),
]

Remote = Annotated[
    str | None,
    typer.Option(
        "--remote",
        metavar="NAME",
        help="The remote that holds the tag `scheduled` and branch `caur`. Default: origin, or "
        "the repository itself if it has no origin.",
        show_default=False,
    ),
]


def named_as_completed(name: str) -> str:
    """Return a package's name as it is meant: the completion of shells leaves `./folder/`."""
    return name.removeprefix("./").rstrip("/") or name


def package_list(text: str) -> list[str]:
    """Return the names in a list as pipelines write them: `a:b`, `a,b` or `a b`."""
    return [named_as_completed(name) for name in re.split(r"[\s,:;]+", text) if name]


Redis = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        help="The queue's Redis server, such as redis://HOST:6379. Variables REDIS_URL or "
        "REDIS_HOST, default: a server of this machine (see `caur-ci redis`).",
        show_default=False,
    ),
]

Arch = Annotated[str, typer.Option("--arch", metavar="ARCH", help="The architecture.")]

AnyArch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        metavar="ARCH",
        help="Only this architecture. Default: those in CI_ARCHITECTURES at HEAD.",
        show_default=False,
    ),
]

OneArch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        metavar="ARCH",
        help="The architecture. Default: the first in CI_ARCHITECTURES at HEAD.",
        show_default=False,
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Do nothing where the Redis server may lose jobs: without append-only file, or "
        "with a policy that evicts keys. Without this it is a warning.",
    ),
]

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file with settings; options and variables win over it. Variable CAUR_CONFIG.",
        show_default=False,
    ),
]

_JOB = typer.Argument(
    parser=named_as_completed,
    metavar="PACKAGE",
    help="`pkgbase`, `target/pkgbase`, `target/arch/pkgbase`, or the number of a job.",
    autocompletion=completion.packages,
    show_default=False,
)
Job = Annotated[str, _JOB]
Jobs = Annotated[list[str], _JOB]
AnyJobs = Annotated[list[str] | None, _JOB]

Push = Annotated[
    bool,
    typer.Option(
        "--push/--no-push",
        help="Whether to publish what came of it, in one push: all or nothing.",
    ),
]

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only show what would be done: no file, no tag, no push."),
]

Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        help="Wait this long for the removal to be done. Default: do not wait.",
        min=0.0,
        show_default=False,
    ),
]

PUBLISHING_TARGET = (
    "The publishing target: /FOLDER, ssh://HOST/FOLDER, s3://BUCKET/PREFIX, "
    "github-release:OWNER/NAME or git+URL#BRANCH. Variable PUBLISH_TO"
)
RepoPath = Annotated[
    Path | None,
    typer.Option(
        "--repo-path",
        metavar="DIR",
        help="Where the pacman repositories are published, as DIR/NAME/ARCH. Variable REPO_PATH.",
        show_default=False,
    ),
]

LandingZone = Annotated[
    Path | None,
    typer.Option(
        "--landing-zone",
        metavar="DIR",
        help="Where workers put what they built, for the database runner. "
        "Variable LANDING_ZONE_PATH.",
        show_default=False,
    ),
]

GpgPath = Annotated[
    Path | None,
    typer.Option(
        "--gpg-path",
        metavar="DIR",
        help="The GnuPG folder with the key of the pacman repositories. Variable GPG_PATH.",
        show_default=False,
    ),
]

GpgKey = Annotated[
    str | None,
    typer.Option(
        "--gpg-key",
        metavar="KEY",
        help="Which key, where there are several. Variable GPG_KEY.",
        show_default=False,
    ),
]

IdleExit = Annotated[
    float | None,
    typer.Option(
        "--idle-exit",
        metavar="SECONDS",
        min=0.0,
        help="End after this long without work. Default: go on for ever.",
        show_default=False,
    ),
]
