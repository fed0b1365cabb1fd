"""Every command line in README and docs is one that the real parser takes."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from caur_ci.cli.app import app
from tests.documentation.command_lines import CommandLine, command_lines, pages

_FOUND = list(chain.from_iterable(command_lines(page) for page in pages()))
_ROOT = get_command(app)
# What stands for a number or another word of few.
_STAND_INS = {"NUMBER": "1", "N": "1", "ID": "1", "SECONDS": "1", "ATTEMPT": "1"}


def test_there_are_commands_to_look_at() -> None:
    assert len(_FOUND) > 150
    assert sum(not each.is_in_sentence for each in _FOUND) > 60


@pytest.mark.parametrize("found", _FOUND, ids=str)
def test_the_parser_takes_it(found: CommandLine) -> None:
    command, rest = _resolved(found)
    if isinstance(command, TyperGroup):
        assert set(rest) <= {"--help", "--version", "--debug", "--install-completion"}
        return
    words = [_STAND_INS.get(word, word).strip("[]") for word in rest]
    try:
        command.make_context("caur-ci", [word for word in words if word not in {"…", "..."}])
    except TyperException as error:
        # A sentence may leave out what everybody would add.
        left_out = ("Missing", "requires an argument")
        said = error.format_message()
        if not (found.is_in_sentence and any(words in said for words in left_out)):
            pytest.fail(f"{found}: {said}")


def _resolved(found: CommandLine) -> tuple[Any, list[str]]:
    """Return the command that is meant, and what follows its name."""
    command: Any = _ROOT
    words = list(found.words)
    while isinstance(command, TyperGroup) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    if isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        pytest.fail(f"{found}: there is no command {words[0]!r}")
    return command, words
