"""Options that several commands have, spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    """Return a package's name as it is meant: the completion of shells leaves `folder/`."""
    return name.rstrip("/") or name


Redis = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        help="The queue's Redis server. Default: REDIS_URL, REDIS_HOST, or one of our own.",
        show_default=False,
    ),
]

Arch = Annotated[str, typer.Option("--arch", metavar="ARCH", help="The architecture.")]

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
