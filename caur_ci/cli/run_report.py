"""Tells people what came of `caur-ci run`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from caur_ci.cli.explanation_view import in_short, print_explanation
from caur_ci.cli.folding import add_to_job_page, section
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.plaintext import in_markdown, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from caur_ci.cli.session import Session
    from caur_ci.standalone.report import PackageResult, RunReport

# What is shown of the log of a build that failed.
_TAIL_LINES, _TAIL_BYTES = 60, 16 * 1024


def print_report(
    session: Session, report: RunReport, environ: Mapping[str, str], *, to: Console
) -> None:
    """Show results, and of each failure its explanation and the end of its log."""
    for it in report.packages:
        if not it.has_failed:
            to.print(f"{it.package}: {_words(it)}", markup=False)
    for name in report.removed:
        to.print(f"{name}: removed", markup=False)
    forge = ForgePipeline.from_environment(environ).forge
    for number, it in enumerate(report.failed, 1):
        _show_failure(session, it, forge, number, to)
    for name, reason in report.left.items():
        session.warn(f"{name} is left for the next run: {one_line(reason)}")
    if report.out_of_time:
        session.warn("the time was over before everything was built: the next run goes on")
    if not (report.packages or report.removed or report.left):
        session.note("nothing waits to be built")
    _show_place(session, report)


def _show_failure(
    session: Session, it: PackageResult, forge: str, number: int, to: Console
) -> None:
    session.fail(f"{it.package}: {_words(it)}", f"Its log: {it.log}" if it.log else "")
    if it.explanation is not None:
        print_explanation(to, it.explanation)
    if it.log is None or not forge:
        return
    title = f"The end of the log of {it.package}"
    with section(forge, f"log_{number}", title) if to is session.out else nullcontext():
        for line in _tail(it):
            to.print(line, markup=False)


def _show_place(session: Session, report: RunReport) -> None:
    if not report.published:
        return
    session.note(f"published at {report.published}, after {report.seconds:.0f} s")
    if report.key_made_here is not None:
        session.warn(
            f"packages are signed with a key that was made here, {report.key_made_here}: keep a "
            "copy, or set GPG_PRIVATE_KEY or GPG_PATH to one of yours"
        )
    if report.pacman_lines:
        session.note(f"For /etc/pacman.conf:\n\n{report.pacman_lines}")
    for path in report.public_keys:
        session.note(f"pacman-key --add {path}, then --lsign-key it")


def job_page(session: Session, report: RunReport, environ: Mapping[str, str]) -> None:
    """Show a table on GitHub's page about the running job."""
    if not (report.packages or report.removed or report.left):
        return
    rows = [
        (it.package, _words(it), f"{it.seconds:.0f} s")
        for it in sorted(report.packages, key=lambda it: not it.has_failed)
    ]
    rows += [(name, "removed", "") for name in report.removed]
    rows += [(name, f"left: {one_line(reason)}", "") for name, reason in report.left.items()]
    lines = ["### Packages", "", "| package | result | time |", "|-|-|-|"]
    lines += [f"| {' | '.join(in_markdown(one_line(it)) for it in row)} |" for row in rows]
    add_to_job_page(session, environ, "\n".join([*lines, "", ""]))


def _words(it: PackageResult) -> str:
    told = "published" if it.files else it.outcome.name.lower().replace("_", " ")
    if it.has_failed and it.explanation is not None:
        reason = in_short(it.explanation) or it.reason
    else:
        reason = it.reason
    return f"{told}: {one_line(reason)}" if reason else told


def _tail(it: PackageResult) -> list[str]:
    if it.log is None:
        return []
    with it.log.open("rb") as stream:
        stream.seek(max(0, it.log.stat().st_size - _TAIL_BYTES))
        text = stream.read().decode(errors="replace")
    return [printable(line) for line in text.splitlines()[-_TAIL_LINES:]]
