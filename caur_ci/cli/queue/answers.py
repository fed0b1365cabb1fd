"""Tells what became of wishes about jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.data import to_json
from caur_ci.errors import ExitCode
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.cli.session import Session
    from scheduler.queue import JobChange


def report(session: Session, answers: Sequence[JobChange], *, done: str = "", as_json: bool) -> int:
    """Show the answers and return the exit code; `done` is said in place of why it went well."""
    if as_json:
        session.print_plain(to_json(answers))
    for answer in answers:
        called = answer.identity or str(answer.target)
        if not answer.done:
            session.warn(f"{called}: {first_line(answer.reason)}")
        elif not as_json:
            said = done or first_line(answer.reason)
            session.out.print(f"{called} (job {answer.job_id}): {said}", markup=False)
    successes = sum(answer.done for answer in answers)
    if successes == len(answers):
        return ExitCode.OK
    return ExitCode.PARTIAL if successes else ExitCode.FAILED
