"""What `--help` says of every command."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from caur_ci.cli.app import app
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

# What has another meaning in another command, which its help tells.
OWN_MEANING = {"--key", "--commit", "--executor", "--keep", "--output"}


def _commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield " ".join((*path, name)), command
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*path, name))


ROOT = get_command(app)
assert isinstance(ROOT, TyperGroup)
COMMANDS = dict(_commands(ROOT))


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_it_speaks_of_no_python_type(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "160")
    assert run([*name.split(), "--help"], Session()) == ExitCode.OK
    shown = capsys.readouterr().out
    # `<proceed|hold>` is to be chosen from, `<bool>` is nothing that anybody types.
    assert not re.search(r"<[^|>]*>|list\[|\[\[|\{[A-Z]", shown)
    assert "--help" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_everything_is_explained(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"


def test_what_is_called_the_same_is_the_same() -> None:
    found: dict[str, dict[tuple[object, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, command in COMMANDS.items():
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option not in OWN_MEANING:
                    is_flag = getattr(parameter, "is_flag", False)
                    found[option][is_flag, parameter.metavar].append(name)
    different = {option: dict(kinds) for option, kinds in found.items() if len(kinds) > 1}
    assert not different
