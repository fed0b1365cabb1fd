"""The demonstration from beginning to end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.demo import inspection, world
from caur_ci.demo.aur import local_aur
from caur_ci.demo.board import Board
from caur_ci.demo.client import repository_section
from caur_ci.demo.interrupts import Interrupts
from caur_ci.demo.packages import FROM_AUR, LAST_OF_CHAIN, RETIRED, Fixtures
from caur_ci.demo.progress import progress_on
from caur_ci.demo.requirements import builds_without_network, check_machine
from caur_ci.demo.stage import running_stage
from caur_ci.demo.summary import DemoReport
from caur_ci.demo.verdict import Evidence, judge
from caur_ci.request import BuildRequest
from caur_ci.srcinfo import parse_fields
from scheduler.settings import ExecutorKind

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from caur_ci.demo.aur import LocalAur
    from caur_ci.demo.progress import DemoProgress
    from caur_ci.demo.stage import Stage
    from caur_ci.demo.world import DemoFolders, DemoRepository

_REQUEST = ".ci/schedule.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the caller wants. `timeout` is how many seconds the builds of a commit may take."""

    output: Path
    executor: ExecutorKind = ExecutorKind.HOST
    keep: bool = False
    timeout: float = 180.0


def demonstrate(options: DemoOptions, console: Console) -> DemoReport:
    """Do everything, and report whether it went as promised; progress goes to `console`.

    Whatever happens, nothing is left running, and nothing is left behind but the output folder.
    """
    began = time.monotonic()
    check_machine(options.executor)
    board = Board()
    with (
        Interrupts() as interrupts,
        world.places(options.output, interrupts, keep=options.keep) as made,
        local_aur(made) as aur,
        progress_on(console, board) as progress,
    ):
        progress.begin("Making a package repository, its remote, an AUR, and a signing key")
        source = world.DemoRepository(made, Fixtures.find())
        offline = builds_without_network(options.executor)
        source.create(f"{aur.settings}BUILDER_NETWORK={'false' if offline else 'true'}\n")
        fingerprint = world.make_key(made)
        section = repository_section(world.REPOSITORY, made.published)
        made.pacman_conf.write_text(section, encoding="utf-8")
        progress.begin("Starting an embedded Redis, two workers and the database runner")
        with running_stage(made, board, interrupts, executor=options.executor) as stage:
            _build_and_publish(source, stage, progress, options.timeout)
            asked = _read_request(made)
            _update_from_aur(made, source, aur, stage, progress, options.timeout)
            update = _read_request(made)
        evidence = _gather(made, source, board, asked, update)
        progress.begin(f"Installing {LAST_OF_CHAIN} with pacman, signatures required")
        inspection.install(made, fingerprint, evidence)
        progress.begin("Exchanging signatures, which pacman has to notice")
        inspection.try_what_must_not_work(made, fingerprint, evidence)
    return DemoReport(
        promises=judge(evidence),
        courses=list(board),
        seconds=time.monotonic() - began,
        output=made.output,
        logs=made.logs,
        pacman_lines=made.pacman_conf.read_text(encoding="utf-8"),
        public_key=made.public_key,
        fingerprint=fingerprint,
        kept_work=made.work if options.keep else None,
    )


def _build_and_publish(
    source: DemoRepository, stage: Stage, progress: DemoProgress, timeout: float
) -> None:
    """Push two commits with all that follows from them."""
    progress.begin(f"Publishing {RETIRED}, which the next commit removes")
    source.change(add=[RETIRED])
    source.push(f"feat({RETIRED}): init")
    stage.on_commit()
    stage.schedule("--from", _REQUEST)
    stage.follow(progress, timeout=timeout)

    added = [name for name in source.fixtures.names if name != RETIRED]
    progress.begin(f"Committing {len(added)} packages and the removal of {RETIRED}")
    source.change(add=added, remove=[RETIRED])
    source.push(f"feat: add {len(added)} packages, remove {RETIRED}")
    progress.begin("Running on-commit, and handing its outbox over to the queue")
    stage.on_commit()
    stage.schedule("--outbox")
    progress.begin("Building in the order of the dependencies, signing and publishing")
    stage.follow(progress, timeout=timeout)


def _update_from_aur(  # noqa: PLR0917 - all that takes part
    made: DemoFolders,
    source: DemoRepository,
    aur: LocalAur,
    stage: Stage,
    progress: DemoProgress,
    timeout: float,
) -> None:
    """Let a new version appear in the AUR, with all that follows from it."""
    version = aur.push(source.fixtures.place_update(made.work / "news"))
    progress.begin(f"Running on-schedule: {FROM_AUR} {version} has appeared in the AUR")
    stage.on_schedule()
    stage.schedule("--outbox")
    progress.begin("Building, signing and publishing the new version")
    stage.follow(progress, timeout=timeout)


def _read_request(made: DemoFolders) -> BuildRequest:
    """Return what the latest pipeline asked for."""
    return BuildRequest.from_json((made.checkout / _REQUEST).read_bytes(), origin=_REQUEST)


def _gather(
    made: DemoFolders,
    source: DemoRepository,
    board: Board,
    asked: BuildRequest,
    update: BuildRequest,
) -> Evidence:
    pkgbuilds = source.fixtures.pkgbuilds
    refs = source.remote_refs()
    files = {name: pkgbuilds / name / ".SRCINFO" for name in source.fixtures.names}
    files[FROM_AUR] = made.work / "news" / FROM_AUR / ".SRCINFO"
    return Evidence(
        packages={
            name: parse_fields(path.read_bytes(), origin=name) for name, path in files.items()
        },
        request=asked,
        update=update,
        head=refs.get("refs/heads/main", ""),
        board=board,
        scheduled_tag=refs.get("refs/tags/scheduled", ""),
        outbox=source.outbox(),
        failure_log=inspection.read_failure_log(made),
    )
