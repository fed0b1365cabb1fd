"""The entry point and the one error boundary."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from caur_ci.cli import interruption, streams
from caur_ci.cli.garbage import collect_rarely
from caur_ci.cli.session import Session
from caur_ci.environment import take_secrets
from caur_ci.errors import CaurError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command line and exit."""
    streams.take_over()
    collect_rarely()
    try:
        session = Session(secrets=take_secrets())
    except CaurError as error:
        Session().fail(error.message, error.hint)
        sys.exit(error.exit_code)
    code = run(sys.argv[1:], session)
    if (lost := streams.lost_output()) and code != ExitCode.FAILED:
        session.fail(f"standard output cannot be written: {lost}")
        code = code or ExitCode.FAILED
    sys.exit(code)


def run(arguments: Sequence[str], session: Session) -> int:
    """Run one command and return its exit code; every error ends here."""
    from typer import Abort  # noqa: PLC0415 - keeps `import caur_ci.cli.main` cheap
    from typer.exceptions import TyperException  # noqa: PLC0415

    from caur_ci.cli.app import app  # noqa: PLC0415

    try:
        interruption.raise_soon()
        result = app(args=list(arguments), prog_name="caur-ci", obj=session, standalone_mode=False)
    except TyperException as error:
        # Without a message it is a group without a command, whose help was shown.
        if message := error.format_message():
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "caur-ci"
            session.fail(message.replace(": Value error, ", ": "), f"See `{command} --help`.")
        return ExitCode.USAGE
    except (KeyboardInterrupt, Abort):
        session.fail("interrupted")
        return ExitCode.INTERRUPTED
    except SystemExit as done:  # the answer to a shell that completes a word
        return int(done.code or ExitCode.OK)
    except CaurError as error:
        session.fail(error.message, error.hint)
        _show_trace(session, error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the boundary
        session.fail(
            f"this is a bug in caur-ci: {type(error).__name__}: {error}",
            "Run it again with --debug and report what it shows.",
        )
        _show_trace(session, error)
        return ExitCode.BUG
    if result == ExitCode.INTERRUPTED:  # what typer makes of Ctrl-C
        session.fail("interrupted")
    return int(result or ExitCode.OK)


def _show_trace(session: Session, error: BaseException) -> None:
    if session.debug:
        session.err.print(
            session.secrets.redact("".join(traceback.format_exception(error))), markup=False
        )
