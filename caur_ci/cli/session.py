"""What every command gets: the secrets, and the consoles to write to."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, cast

from caur_ci.cli.output import DefusedStream
from caur_ci.environment import Secrets
from caur_ci.plaintext import json_without_commands, without_commands

if TYPE_CHECKING:
    import typer
    from rich.console import Console

# Whoever reads from a pipe, or a log, wants whole names.
_UNFOLDED = 1_000_000


@dataclass
class Session:
    """One run of the command line."""

    secrets: Secrets = field(default_factory=Secrets)
    debug: bool = False

    @cached_property
    def out(self) -> Console:
        """Results: standard output, which nothing is folded for unless it is a terminal."""
        from rich.console import Console  # noqa: PLC0415 - slow to import

        width = None if sys.stdout.isatty() else _UNFOLDED
        return Console(soft_wrap=True, highlight=False, width=width, file=_defused("stdout"))

    @cached_property
    def err(self) -> Console:
        """Progress, warnings and errors: standard error."""
        from rich.console import Console  # noqa: PLC0415 - slow to import

        return Console(stderr=True, soft_wrap=True, highlight=False, file=_defused("stderr"))

    def print_plain(self, text: str) -> None:
        """Write `text` to standard output for other programs, without commands to a log.

        JSON says the same as before.
        """
        is_json = text.startswith(("{", "["))
        text = json_without_commands(text) if is_json else without_commands(text)
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")

    def note(self, text: str) -> None:
        """Tell something worth knowing."""
        self.err.print(self.secrets.redact(text), style="dim", markup=False)

    def warn(self, text: str) -> None:
        """Tell something that somebody should look at."""
        self._labelled("warning", "yellow", text)

    def fail(self, text: str, hint: str = "") -> None:
        """Tell what went wrong and what to do about it."""
        self._labelled("error", "bold red", text)
        if hint:
            self._labelled("hint", "cyan", hint)

    def _labelled(self, label: str, style: str, text: str) -> None:
        self.err.print(f"{label}: ", style=style, end="")
        self.err.print(self.secrets.redact(text), markup=False)


def session_of(context: typer.Context) -> Session:
    """Return the session that `main` opened for this run."""
    session = context.find_object(Session)
    return session if session is not None else Session()


def _defused(name: str) -> IO[str]:
    return cast("IO[str]", DefusedStream(name))
