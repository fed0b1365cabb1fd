"""Groups whose commands are built when one of them is asked for, not for every `--help`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from typer.main import get_group

from caur_ci.cli.help import Group

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def lazy_group(module: str) -> type[Group]:
    """Return a class of groups with the commands of the Typer application `app` in `module`."""
    loaded: dict[str, Any] = {}

    class LazyGroup(Group):
        @property
        def commands(self) -> MutableMapping[str, Any]:
            if not loaded:
                loaded.update(get_group(import_module(module).app).commands)
            return loaded

        @commands.setter
        def commands(self, _given: MutableMapping[str, Any]) -> None:
            """Take no notice of the ones that the application was made with: it has none."""

    return LazyGroup
