"""The pages of the reference, as Markdown."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from documentation.commands import PROGRAM, all_commands, command_tree
from documentation.keys import CONFIG_FILES, CONFIG_FORM, keys_of
from scheduler.diagnosis.hints import hint_for
from scheduler.diagnosis.rules.catalogue import RULES
from scheduler.job import FailureClass, Outcome
from scheduler.web.api.document import description

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from documentation.commands import Command, Parameter

_NOTE = "<!-- Made by `make reference` from the code. -->\n"
_OTHERS = "Other commands"


def pages() -> dict[str, str]:
    """Return the text of each page by its name below `docs/reference`."""
    makers: dict[str, Callable[[], Iterator[str]]] = {
        "commands.md": _commands,
        "failures.md": _failures,
        "keys.md": _keys,
        "routes.md": _routes,
    }
    return {name: _NOTE + "\n".join(make()).rstrip() + "\n" for name, make in makers.items()}


def _commands() -> Iterator[str]:
    tree = command_tree()
    yield "# Commands\n"
    yield tree.description + "\n"
    yield "| option before the command | what for |\n|-|-|"
    yield from map(_row, tree.parameters)
    yield "\nExit codes are in [exit-codes.md](exit-codes.md).\n"
    panels = groupby(tree.children, key=lambda each: each.panel)
    for panel, commands in panels:
        yield f"## {panel or _OTHERS}\n"
        for command in commands:
            for each in all_commands(command):
                yield from _command(each)


def _command(command: Command) -> Iterator[str]:
    yield f"### `{PROGRAM} {command.name}`\n"
    yield command.description + "\n"
    if command.children:
        return
    yield f"    {command.usage}\n"
    if command.parameters:
        yield "| argument or option | what for |\n|-|-|"
        yield from map(_row, command.parameters)
        yield ""


def _row(parameter: Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.names)
    value = f" `{parameter.value}`" if parameter.value else ""
    default = f" Default: `{parameter.default}`." if parameter.default else ""
    return f"| {_cell(names + value)} | {_cell(parameter.help + default)} |"


def _keys() -> Iterator[str]:
    yield "# Keys of `.ci/config` and `.CI/config`\n"
    yield CONFIG_FORM + "\n"
    for kind, title in CONFIG_FILES.items():
        yield f"## {title}\n"
        yield "| key | what for |\n|-|-|"
        for key, what_for in keys_of(kind):
            yield f"| `{key}` | {_cell(what_for)} |"
        yield ""


def _failures() -> Iterator[str]:
    yield "# Kinds of failures\n"
    yield (
        "What `caur-ci explain`, the pages of builds and notifications say of a build that failed. "
        "The kind comes from the first line of the log that is the message of a tool, and from the "
        "step that failed where no message tells; [building.md](../building.md) has more.\n"
    )
    yield "| kind | known by messages of | what usually helps |\n|-|-|-|"
    for failure in FailureClass:
        tools = sorted({rule.tool for rule in RULES if rule.failure is failure and rule.tool})
        helps = hint_for(failure, Outcome.FAILED)
        yield f"| {failure} | {', '.join(tools)} | {_cell(helps)} |"


def _routes() -> Iterator[str]:
    yield "# Routes of the web server\n"
    yield (
        "What can be asked of the API. The same as OpenAPI 3.1, with the form of each answer, is "
        "at `/api/openapi.json` of every server. [web.md](../web.md) tells how it is used.\n"
    )
    yield "| request | what it does | parameters | token |\n|-|-|-|-|"
    for path, operations in description()["paths"].items():
        for method, operation in operations.items():
            names = ", ".join(f"`{each['name']}`" for each in operation.get("parameters", ()))
            token = "needed" if operation.get("security") else ""
            yield (
                f"| `{method.upper()} {path}` | {_cell(operation['summary'])} | {names} | {token} |"
            )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
