"""Help as people know it from elsewhere: flags take no value, arguments have no Python type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from collections.abc import Callable


class Command(TyperCommand):
    """A command whose help says what has to be typed."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - its class is private to typer
        """Return the parameters, made fit to be shown."""
        return _shown(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - as above
        """Return the parts of the line that says how to call it, without braces."""
        return [piece.strip("{}").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class Group(TyperGroup):
    """A group of such commands."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - its class is private to typer
        """Return the parameters, made fit to be shown."""
        return _shown(super().get_params(ctx))


class Application(typer.Typer):
    """Commands with such help, which is written in Markdown."""

    def __init__(self, *, cls: type[TyperGroup] = Group, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(cls=cls, rich_markup_mode="markdown", **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[..., Any]:  # noqa: ANN401
        """Add a command, as `Typer.command` does."""
        return super().command(name, **{"cls": Command, **settings})


def _shown(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        is_flag = isinstance(parameter, TyperOption) and parameter.is_flag
        if is_flag or isinstance(parameter, TyperArgument):
            parameter.display_type_rich = _nothing
    return parameters


def _nothing(**_: object) -> str:
    return ""
