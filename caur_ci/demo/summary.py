"""What came of it: for people, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from caur_ci.demo.progress import words
from scheduler.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from caur_ci.demo.board import Course
    from caur_ci.demo.verdict import Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """The outcome of a demonstration. `courses` are in the order of hand-out."""

    promises: Sequence[Promise]
    courses: Sequence[Course]
    seconds: float
    output: Path
    logs: Path
    pacman_lines: str
    public_key: Path
    fingerprint: str
    kept_work: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return all(promise.kept for promise in self.promises)

    def log_of(self, course: Course) -> Path:
        """Return the file with the log of a build."""
        return self.logs / f"{course.pkgbase}.log"

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for a JSON document."""
        return {
            "ok": self.ok,
            "seconds": round(self.seconds, 1),
            "promises": [
                {"promise": p.text, "kept": p.kept, "problem": p.problem} for p in self.promises
            ],
            "builds": [
                {
                    "pkgbase": course.pkgbase,
                    "outcome": course.outcome.name if course.outcome is not None else None,
                    "state": course.state.value,
                    "worker": course.worker,
                    "seconds": round(course.seconds, 1),
                    "reason": course.reason,
                    "log": str(self.log_of(course)),
                }
                for course in self.courses
            ],
            "output": str(self.output),
            "public_key": str(self.public_key),
            "fingerprint": self.fingerprint,
            "pacman_conf": self.pacman_lines,
            "work_folder": str(self.kept_work) if self.kept_work else None,
        }


def show(report: DemoReport, out: Console) -> None:
    """Print the report for people."""
    out.print()
    out.print(_builds(report))
    out.print()
    for course in report.courses:
        if course.outcome is not Outcome.SUCCESS:
            reason = course.reason or course.state.value
            out.print(Text.assemble(("not built: ", "bold red"), f"{course.pkgbase}: {reason}"))
            out.print(Text(f"    its log: {report.log_of(course)}"))
    out.print()
    for promise in report.promises:
        out.print(_line(promise))
    out.print()
    out.print(Text(f"To use the repository, put this into /etc/pacman.conf ({report.output}):"))
    for line in report.pacman_lines.splitlines():
        out.print(Text(f"    {line}", style="cyan"))
    out.print(Text("and let pacman know its key:"))
    out.print(Text(f"    pacman-key --add {report.public_key}", style="cyan"))
    out.print(Text(f"    pacman-key --lsign-key {report.fingerprint}", style="cyan"))
    out.print()
    if report.kept_work:
        out.print(Text(f"The work folder was kept: {report.kept_work}"))
    out.print(_last_line(report))


def _builds(report: DemoReport) -> Table:
    table = Table("order", "package", "result", "worker", "seconds", box=None, padding=(0, 2))
    for place, course in enumerate(report.courses, 1):
        table.add_row(
            str(place), course.pkgbase, words(course), course.worker, f"{course.seconds:.1f}"
        )
    return table


def _line(promise: Promise) -> Text:
    if promise.kept:
        return Text.assemble(("✓ ", "green"), promise.text)
    return Text.assemble(("✗ ", "bold red"), promise.text, (f"\n    {promise.problem}", "red"))


def _last_line(report: DemoReport) -> Text:
    took = f"after {report.seconds:.0f} s"
    if report.ok:
        return Text(f"Everything that was promised happened, {took}.", style="bold green")
    broken = sum(not promise.kept for promise in report.promises)
    return Text(
        f"{broken} of {len(report.promises)} promises were not kept, {took}.", style="bold red"
    )
