"""The demonstration from beginning to end."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.demo import inspection, setup
from caur_ci.demo.aur import local_aur
from caur_ci.demo.checks import Evidence, attack_in, run_checks
from caur_ci.demo.client import repository_section
from caur_ci.demo.machine import BuildMachine
from caur_ci.demo.packages import (
    FROM_AUR,
    HIJACKED,
    LAST_OF_CHAIN,
    LIBRARY,
    NEEDS_LIBRARY,
    REBUILT,
    RETIRED,
    Fixtures,
)
from caur_ci.demo.page import running_page
from caur_ci.demo.rebuild import OLD_SONAME, Rebuild, published_last, published_needs
from caur_ci.demo.requirements import builds_without_network, check_machine
from caur_ci.demo.summary import DemoReport
from caur_ci.demo.system import running_build_system
from caur_ci.request import BuildRequest
from caur_ci.srcinfo import parse_fields
from caur_ci.standalone.board import JobBoard
from caur_ci.standalone.interrupts import Interrupts
from caur_ci.standalone.progress import progress_on
from scheduler.settings import ExecutorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import Console

    from caur_ci.demo.aur import LocalAur
    from caur_ci.demo.setup import DemoFolders, DemoRepository
    from caur_ci.demo.system import BuildSystem
    from caur_ci.standalone.progress import Progress

_REQUEST = ".ci/schedule.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the caller wants. `timeout` is how many seconds the builds of a commit may take."""

    output: Path
    executor: ExecutorKind = ExecutorKind.HOST
    keep: bool = False
    timeout: float = 180.0


def demonstrate(
    options: DemoOptions,
    console: Console,
    present: Callable[[DemoReport, str], None] | None = None,
) -> DemoReport:
    """Build, publish, update and install the packages of the demo; progress goes to `console`.

    `present` is given the report and the address of a page on it, which is there until it returns
    or a signal comes. Whatever happens, nothing is left running, and nothing is left behind but the
    output folder. Raises CaurError where the machine lacks something, InputError for an output
    folder that cannot be used, ProcessError where one of its processes fails.
    """
    check_machine(options.executor)
    with (
        Interrupts() as interrupts,
        setup.places(options.output, interrupts, keep=options.keep) as folders,
    ):
        report = _done(options, console, folders, interrupts)
        if present is not None:
            with (
                suppress(KeyboardInterrupt),
                running_page(folders, interrupts, executor=options.executor) as address,
            ):
                present(report, address)
    return report


def _done(
    options: DemoOptions, console: Console, folders: DemoFolders, interrupts: Interrupts
) -> DemoReport:
    """Do all of it in those folders."""
    began = time.monotonic()
    board = JobBoard()
    with local_aur(folders) as aur, progress_on(console, board) as progress:
        progress.begin("Making a package repository, its remote, an AUR, and a signing key")
        source = _make_repository(folders, aur, options.executor)
        fingerprint = setup.make_key(folders)
        machine = BuildMachine(folders, fingerprint)
        section = repository_section(setup.REPOSITORY, folders.published)
        folders.pacman_conf.write_text(section, encoding="utf-8")
        progress.begin("Starting an embedded Redis, two workers and the database runner")
        with running_build_system(folders, board, interrupts, executor=options.executor) as system:
            demo = _Demo(
                folders=folders,
                source=source,
                aur=aur,
                machine=machine,
                system=system,
                progress=progress,
                timeout=options.timeout,
            )
            demo.build_and_publish()
            asked = _read_request(folders)
            plan = demo.update_from_aur()
            update, update_head = _read_request(folders), source.head()
            rebuild = demo.move_library()
        evidence = _gather(
            *(folders, source, board, rebuild),
            asked=asked,
            update=update,
            update_head=update_head,
            plan=plan,
        )
        progress.begin(f"Installing {LAST_OF_CHAIN} with pacman, signatures required")
        inspection.install(folders, fingerprint, evidence)
        progress.begin("Exchanging signatures, which pacman has to notice")
        inspection.try_what_must_not_work(folders, fingerprint, evidence)
    return DemoReport(
        checks=run_checks(evidence),
        findings=evidence.attack.findings,
        rebuild=evidence.rebuild,
        jobs=list(board),
        seconds=time.monotonic() - began,
        output=folders.output,
        logs=folders.logs,
        pacman_lines=folders.pacman_conf.read_text(encoding="utf-8"),
        public_key=folders.public_key,
        fingerprint=fingerprint,
        kept_work=folders.work if options.keep else None,
    )


def _make_repository(folders: DemoFolders, aur: LocalAur, executor: ExecutorKind) -> DemoRepository:
    library_root = folders.machine_root if executor is ExecutorKind.HOST else None
    source = setup.DemoRepository(folders, Fixtures.find(), library_root=library_root)
    offline = builds_without_network(executor)
    source.create(
        f"{aur.settings}{setup.rebuild_settings(folders)}"
        f"BUILDER_NETWORK={'false' if offline else 'true'}\n"
    )
    return source


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demo:
    """All that takes part. `timeout` is for what is waited for each time, in seconds."""

    folders: DemoFolders
    source: DemoRepository
    aur: LocalAur
    machine: BuildMachine
    system: BuildSystem
    progress: Progress
    timeout: float

    def build_and_publish(self) -> None:
        """Push two commits with all that follows from them.

        The library is in the first one: where builds do not install what they need, it has to be
        there before them.
        """
        source, system, begin = self.source, self.system, self.progress.begin
        begin(f"Publishing {LIBRARY}, and {RETIRED}, which the next commit removes")
        source.change(add=[LIBRARY, RETIRED])
        source.push(f"feat: add {LIBRARY} and {RETIRED}")
        system.on_commit()
        system.schedule("--from", _REQUEST)
        system.follow(self.progress, timeout=self.timeout)

        self.machine.install(LIBRARY)
        added = [name for name in source.fixtures.names if name not in {LIBRARY, RETIRED}]
        begin(f"Committing {len(added)} packages and the removal of {RETIRED}")
        source.change(add=added, remove=[RETIRED])
        source.push(f"feat: add {len(added)} packages, remove {RETIRED}")
        begin("Running on-commit, and handing its outbox over to the queue")
        system.on_commit()
        system.schedule("--outbox")
        begin("Building in the order of the dependencies, signing and publishing")
        system.follow(self.progress, timeout=self.timeout)

    def update_from_aur(self) -> dict[str, Any]:
        """Let an update and an attack appear in the AUR, with all that follows; return the plan."""
        fixtures, news = self.source.fixtures, self.folders.work / "news"
        version = self.aur.push(fixtures.place_update(news))
        attack = self.aur.push(fixtures.place_attack(self.folders.work / "attack"))
        self.progress.begin(
            f"Running on-schedule: {FROM_AUR} {version} has appeared in the AUR, and a "
            f"{HIJACKED} {attack} that downloads what it runs"
        )
        plan = self.system.on_schedule()
        self.system.schedule("--outbox")
        return plan

    def move_library(self) -> Rebuild:
        """Commit a version of the library with another soname, with all that follows from it.

        What is to be built from the AUR is built meanwhile.
        """
        source, system, begin = self.source, self.system, self.progress.begin
        rebuild = Rebuild(needed=published_needs(self.folders.published))
        version = source.move_library()
        begin(f"Committing {LIBRARY} {version}, without {OLD_SONAME} that {NEEDS_LIBRARY} needs")
        source.push(f"feat({LIBRARY}): update to {version}")
        system.on_commit()
        system.schedule("--outbox")
        begin("Building, signing and publishing the new versions")
        system.follow(self.progress, timeout=self.timeout)

        self.machine.install(LIBRARY)
        begin(f"Running on-schedule: {' and '.join(REBUILT)} have lost {OLD_SONAME}")
        plan = system.on_schedule()
        rebuild.decided(plan, _read_request(self.folders))
        system.schedule("--outbox")
        begin(f"Rebuilding {' and '.join(REBUILT)}, which are published in one step")
        system.follow(self.progress, timeout=self.timeout)
        rebuild.together = published_last(self.folders.published)
        begin("Running on-schedule once more, which has nothing left to do")
        rebuild.decided_later(system.on_schedule())
        return rebuild


def _read_request(folders: DemoFolders) -> BuildRequest:
    """Return what the latest pipeline asked for."""
    return BuildRequest.from_json((folders.checkout / _REQUEST).read_bytes(), origin=_REQUEST)


def _gather(
    folders: DemoFolders,
    source: DemoRepository,
    board: JobBoard,
    rebuild: Rebuild,
    *,
    asked: BuildRequest,
    update: BuildRequest,
    update_head: str,
    plan: Mapping[str, Any],
) -> Evidence:
    pkgbuilds = source.fixtures.pkgbuilds
    refs = source.remote_refs()
    files = {name: pkgbuilds / name / ".SRCINFO" for name in source.fixtures.names}
    files[FROM_AUR] = folders.work / "news" / FROM_AUR / ".SRCINFO"
    files[LIBRARY] = folders.checkout / LIBRARY / ".SRCINFO"
    return Evidence(
        packages={
            name: parse_fields(path.read_bytes(), origin=name) for name, path in files.items()
        },
        request=asked,
        update=update,
        update_head=update_head,
        attack=attack_in(plan),
        rebuild=rebuild,
        head=refs.get("refs/heads/main", ""),
        board=board,
        scheduled_tag=refs.get("refs/tags/scheduled", ""),
        outbox=source.outbox(),
        failure_log=inspection.read_failure_log(folders),
    )
