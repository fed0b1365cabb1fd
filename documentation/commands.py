"""The command line as data: every command with what it takes, as the real parser knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from caur_ci.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROGRAM = "caur-ci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An argument or option. `names` is how it is written, `value` what follows an option."""

    names: tuple[str, ...]
    value: str
    help: str
    default: str
    is_argument: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command. `name` is without the program's; `panel` is the heading it is listed under."""

    name: str
    usage: str
    summary: str
    description: str
    panel: str
    parameters: tuple[Parameter, ...]
    children: tuple[Command, ...]


def command_tree() -> Command:
    """Return the program with all that is below it."""
    return _command(get_command(app), "")


def all_commands(command: Command) -> Iterator[Command]:
    """Yield a command and all below it, groups before what is in them."""
    yield command
    for child in command.children:
        yield from all_commands(child)


def _command(parsed: Any, name: str) -> Command:  # noqa: ANN401 - its class is private to typer
    path = f"{PROGRAM} {name}".strip()
    context = parsed.make_context(path, [], resilient_parsing=True)
    description = cleandoc(parsed.help or "").partition("\f")[0]
    children: tuple[Command, ...] = ()
    if isinstance(parsed, TyperGroup):
        shown = [child for child in parsed.commands.values() if not child.hidden]
        children = tuple(_command(child, f"{name} {child.name}".strip()) for child in shown)
    return Command(
        name=name,
        usage=" ".join([path, *_plain(parsed.collect_usage_pieces(context))]),
        summary=re.split(r"\n\n|(?<=\.)\s", description, maxsplit=1)[0].replace("\n", " "),
        description=description,
        panel=str(getattr(parsed, "rich_help_panel", None) or "").strip("<>"),
        parameters=tuple(_parameters(parsed, context)),
        children=children,
    )


def _parameters(parsed: Any, context: Any) -> Iterator[Parameter]:  # noqa: ANN401
    for each in parsed.get_params(context):
        if getattr(each, "hidden", False) or each.name == "help":
            continue
        is_argument = isinstance(each, TyperArgument)
        default = ""
        if (record := each.get_help_record(context)) and (
            found := re.search(r"\[default: ([^\]]*)\]", record[1])
        ):
            default = found[1]
        is_flag = getattr(each, "is_flag", False)
        yield Parameter(
            names=_plain(each.get_usage_pieces(context)) if is_argument else _names(each),
            value="" if is_argument or is_flag else _value(each, context),
            help=each.help or "",
            default=default,
            is_argument=is_argument,
        )


def _value(option: Any, context: Any) -> str:  # noqa: ANN401 - as above
    """Return what stands for an option's value: what its help begins with, without its names."""
    head = str(option.get_help_record(context)[0])
    return re.sub(r"^(-{1,2}[a-z-]+(, |[ /=]|$))+", "", head).strip()


def _names(option: Any) -> tuple[str, ...]:  # noqa: ANN401 - as above
    return (*option.opts, *option.secondary_opts)


def _plain(pieces: Iterable[str]) -> tuple[str, ...]:
    return tuple(piece.replace("{", "").replace("}", "") for piece in pieces)
