"""What came of it: for people, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from caur_ci.demo.packages import HIJACKED, NEEDS_LIBRARY, REBUILT
from caur_ci.standalone.progress import words
from scheduler.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from caur_ci.demo.checks import Check
    from caur_ci.demo.rebuild import Rebuild
    from caur_ci.standalone.board import JobProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """The outcome of a demonstration. `jobs` are in the order of hand-out.

    `findings` are what was found in the update that was stopped.
    """

    checks: Sequence[Check]
    findings: Sequence[str]
    rebuild: Rebuild
    jobs: Sequence[JobProgress]
    seconds: float
    output: Path
    logs: Path
    pacman_lines: str
    public_key: Path
    fingerprint: str
    kept_work: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether everything went as it should."""
        return all(check.kept for check in self.checks)

    def log_of(self, job: JobProgress) -> Path:
        """Return the file with the log of a build."""
        return self.logs / f"{job.pkgbase}.log"

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for a JSON document."""
        return {
            "ok": self.ok,
            "seconds": round(self.seconds, 1),
            "promises": [
                {"promise": p.text, "kept": p.kept, "problem": p.problem} for p in self.checks
            ],
            "builds": [
                {
                    "pkgbase": job.pkgbase,
                    "outcome": job.outcome.name if job.outcome is not None else None,
                    "state": job.state.value,
                    "worker": job.worker,
                    "seconds": round(job.seconds, 1),
                    "reason": job.reason,
                    "log": str(self.log_of(job)),
                }
                for job in self.jobs
            ],
            "stopped": {"package": HIJACKED, "findings": list(self.findings)},
            "rebuilt": self.rebuild.to_dict(),
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
    for job in report.jobs:
        if job.outcome is not Outcome.SUCCESS:
            reason = job.reason or job.state.value
            out.print(Text.assemble(("not built: ", "bold red"), f"{job.pkgbase}: {reason}"))
            out.print(Text(f"    its log: {report.log_of(job)}"))
    out.print(Text.assemble(("not taken over: ", "bold red"), f"{HIJACKED}, whose update has"))
    for finding in report.findings:
        out.print(Text(f"    {finding}"))
    out.print()
    out.print(Text.assemble(("rebuilt: ", "bold green"), _rebuilt(report.rebuild)))
    out.print()
    for check in report.checks:
        out.print(_line(check))
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
    for place, job in enumerate(report.jobs, 1):
        table.add_row(str(place), job.pkgbase, words(job), job.worker, f"{job.seconds:.1f}")
    return table


def _rebuilt(rebuild: Rebuild) -> str:
    before, after = ", ".join(rebuild.needed), ", ".join(rebuild.needs)
    return (
        f"{' and '.join(REBUILT)}, published in one step; {NEEDS_LIBRARY} needed {before} and "
        f"needs {after} now ({rebuild.reason})"
    )


def _line(check: Check) -> Text:
    if check.kept:
        return Text.assemble(("✓ ", "green"), check.text)
    return Text.assemble(("✗ ", "bold red"), check.text, (f"\n    {check.problem}", "red"))


def _last_line(report: DemoReport) -> Text:
    took = f"after {report.seconds:.0f} s"
    if report.ok:
        return Text(f"Everything that was promised happened, {took}.", style="bold green")
    broken = sum(not check.kept for check in report.checks)
    return Text(f"{broken} of {len(report.checks)} checks were not kept, {took}.", style="bold red")
