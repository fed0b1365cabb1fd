"""What callers of every journey say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.environment import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the caller wants of a run.

    `remote` None means `origin`, or this repository if it has none. `environ` is where the forge's
    variables are looked up, and those of the tunnel to Redis; `secrets` has the token to push with.
    """

    repo: Path
    remote: str | None = None
    push: bool = True
    dry_run: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
