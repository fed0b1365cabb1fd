"""Packages are put on hold through the web server, in a clone that may push to its remote."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from caur_ci.names import check_package_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from caur_ci.cli.session import Session
    from caur_ci.pipeline.holding import Keeper
    from caur_ci.pipeline.shared.memory.holds import Hold


class CloneHolds:
    """What `PackageHolds` asks for, with a clone of the repository of PKGBUILDs.

    The packages are those at its HEAD. Safe to use from several threads.
    """

    def __init__(self, session: Session, repo: Path) -> None:
        self._session = session
        self._repo = repo
        self._lock = threading.Lock()

    def hold(self, packages: Sequence[str], *, reason: str, who: str) -> Mapping[str, str]:
        """Put packages on hold. Raises as `Keeper.hold` does."""
        return self._change(packages, who, lambda keeper, names: keeper.hold(names, reason))

    def unhold(self, packages: Sequence[str], *, reason: str, who: str) -> Mapping[str, str]:  # noqa: ARG002 - nobody is told why
        """Let packages go. Raises as `Keeper.unhold` does."""
        return self._change(packages, who, lambda keeper, names: keeper.unhold(names))

    def _change(
        self,
        packages: Sequence[str],
        who: str,
        change: Callable[[Keeper, list[str]], Mapping[str, Hold]],
    ) -> Mapping[str, str]:
        # Where it is published does not matter: a hold is about the folder.
        names = [check_package_name(package.rpartition("/")[2]) for package in packages]
        with self._lock:
            held = change(self._keeper(who), list(dict.fromkeys(names)))
        return {name: str(hold) for name, hold in held.items()}

    def _keeper(self, who: str) -> Keeper:
        from caur_ci.config import read_repository_config  # noqa: PLC0415 - slow to import
        from caur_ci.pipeline.holding import Keeper  # noqa: PLC0415
        from caur_ci.pipeline.shared.context import RunContext  # noqa: PLC0415
        from caur_ci.pipeline.shared.options import RunOptions  # noqa: PLC0415

        context = RunContext.open(
            RunOptions(repo=self._repo, environ=os.environ, secrets=self._session.secrets)
        )
        config = read_repository_config(context.git, context.head).config
        return Keeper(context=context, config=config, person=who, now=int(time.time()))
