"""`caur-ci repo`: the published repositories, on the machine where they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Config, GpgKey, GpgPath, LandingZone, RepoPath
from caur_ci.cli.repo.selection import (
    Arch,
    TargetRepo,
    one_layout,
    repo_root,
    settings_from,
    several_layouts,
    signer_of,
)
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from scheduler.database.consistency import Inconsistency
    from scheduler.database.generations import Generation
    from scheduler.database.layout import Layout
    from scheduler.database.repair import Repaired


def history(
    context: typer.Context,
    *,
    target_repo: TargetRepo = None,
    arch: Arch = None,
    repo_path: RepoPath = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the states that were published, the newest first.

    Each can be brought back with `caur-ci repo rollback NUMBER`.
    """
    from scheduler.database.repository import open_repository  # noqa: PLC0415 - slow to import

    session = session_of(context)
    root = repo_root(settings_from(CAUR_CONFIG=config, REPO_PATH=repo_path))
    with open_repository(one_layout(root, target_repo, arch)) as repository:
        store = repository.generations
        generations = [store.get(number) for number in reversed(store.numbers())]
    if as_json:
        session.print_plain(json.dumps([_data(each) for each in generations], indent=2))
        return
    _show_history(session, generations)


def rollback(
    context: typer.Context,
    *,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="As `caur-ci repo history` shows it.", min=1)
    ],
    target_repo: TargetRepo = None,
    arch: Arch = None,
    repo_path: RepoPath = None,
    gpg_path: GpgPath = None,
    gpg_key: GpgKey = None,
    even_recalled: Annotated[
        bool,
        typer.Option(
            "--even-recalled", help="Also if packages come back that `caur-ci recall` took away."
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Publish an earlier state again.

    It becomes a state of its own, so that this can be undone in the same way. Packages that are
    built from now on are compared with what is published then.
    """
    from scheduler.database.repository import open_repository  # noqa: PLC0415 - slow to import
    from scheduler.database.rollback import roll_back  # noqa: PLC0415 - slow to import

    session = session_of(context)
    values = settings_from(
        CAUR_CONFIG=config, REPO_PATH=repo_path, GPG_PATH=gpg_path, GPG_KEY=gpg_key
    )
    signer = signer_of(session, values)
    layout = one_layout(repo_root(values), target_repo, arch)
    with open_repository(layout) as repository:
        made = roll_back(repository, number, signer, even_recalled=even_recalled)
    session.out.print(
        f"{layout.name}/{layout.arch}: what generation {number} had is published as generation "
        f"{made.number}: {_changes(made)}",
        markup=False,
    )


def verify(
    context: typer.Context,
    *,
    target_repo: TargetRepo = None,
    arch: Arch = None,
    repo_path: RepoPath = None,
    gpg_path: GpgPath = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Prove that files, signatures and databases agree; without names, of all repositories.

    What was interrupted is finished first. Nothing is published meanwhile.

    Ends with 1 if something is wrong.
    """
    from scheduler.database.consistency import verify as verified  # noqa: PLC0415
    from scheduler.database.repository import open_repository  # noqa: PLC0415 - slow to import
    from scheduler.database.signing import Keyring  # noqa: PLC0415 - slow to import
    from scheduler.settings.database import gpg_home  # noqa: PLC0415 - slow to import

    session = session_of(context)
    values = settings_from(CAUR_CONFIG=config, REPO_PATH=repo_path, GPG_PATH=gpg_path)
    keyring = Keyring(gpg_home(values))
    found: list[tuple[Layout, list[Inconsistency]]] = []
    for layout in several_layouts(repo_root(values), target_repo, arch):
        with open_repository(layout) as repository:
            found.append((layout, verified(repository, keyring)))
    if as_json:
        session.print_plain(
            json.dumps(
                [
                    {
                        "target_repo": layout.name,
                        "arch": layout.arch,
                        "findings": [asdict(finding) for finding in findings],
                    }
                    for layout, findings in found
                ],
                indent=2,
            )
        )
    else:
        _show_findings(session, found)
    return ExitCode.FAILED if any(findings for _, findings in found) else ExitCode.OK


def repair(
    context: typer.Context,
    *,
    target_repo: TargetRepo = None,
    arch: Arch = None,
    repo_path: RepoPath = None,
    landing_zone: LandingZone = None,
    gpg_path: GpgPath = None,
    gpg_key: GpgKey = None,
    config: Config = None,
) -> int:
    """Bring back published files that were lost or spoilt; without names, of all repositories.

    They come from the archive, from another architecture or from the landing zone. Signatures,
    links and lists are made anew. A package of which nothing is left has to be built again, which
    replaces it in the same version: `caur-ci queue retry PACKAGE`.

    Ends with 1 if something is left to do.
    """
    from scheduler.database.repair import repair as repaired  # noqa: PLC0415 - slow to import
    from scheduler.database.repository import open_repository  # noqa: PLC0415 - slow to import
    from scheduler.database.signing import Keyring  # noqa: PLC0415 - slow to import
    from scheduler.landing import LandingZone  # noqa: PLC0415 - slow to import
    from scheduler.settings import variables  # noqa: PLC0415 - slow to import
    from scheduler.settings.database import gpg_home  # noqa: PLC0415 - slow to import

    session = session_of(context)
    values = settings_from(
        CAUR_CONFIG=config,
        REPO_PATH=repo_path,
        LANDING_ZONE_PATH=landing_zone,
        GPG_PATH=gpg_path,
        GPG_KEY=gpg_key,
    )
    keyring, signer = Keyring(gpg_home(values)), signer_of(session, values)
    place = values.get(variables.LANDING_ZONE_PATH, "")
    landing = LandingZone(Path(place)) if place else None
    left = False
    for layout in several_layouts(repo_root(values), target_repo, arch, also_lost=True):
        with open_repository(layout) as repository:
            results = repaired(repository, keyring, signer, landing)
        left = left or not all(result.source for result in results)
        _show_repaired(session, layout, results)
    return ExitCode.FAILED if left else ExitCode.OK


def index(
    context: typer.Context,
    *,
    target_repo: TargetRepo = None,
    arch: Arch = None,
    repo_path: RepoPath = None,
    config: Config = None,
) -> int:
    """Look into published packages whose needs are not known; without names, of all repositories.

    What is published from now on is known by itself. This reads each of the other files once, and
    goes on where it was interrupted; packages can be published meanwhile. `caur-ci broken` and
    automatic rebuilds go by it.

    Ends with 3 if a package cannot be read.
    """
    from caur_ci.cli.progress import progress_on  # noqa: PLC0415 - slow to import
    from scheduler.database.indexing import index_published  # noqa: PLC0415 - slow to import

    session = session_of(context)
    root = repo_root(settings_from(CAUR_CONFIG=config, REPO_PATH=repo_path))
    complete = True
    for layout in several_layouts(root, target_repo, arch):
        name = f"{layout.name}/{layout.arch}"
        with progress_on(session.err) as progress:
            begin = partial(progress.begin, f"looking into packages of {name}")
            done = index_published(layout, begin=begin, advance=progress.advance)
        for file, problem in done.problems.items():
            session.warn(f"{file}: {problem}")
        complete = complete and not done.problems
        session.out.print(f"{name}: {done.packages} packages were looked into", markup=False)
    return ExitCode.OK if complete else ExitCode.PARTIAL


def _data(generation: Generation) -> dict[str, object]:
    return {
        "number": generation.number,
        "time": generation.time,
        "kind": generation.kind.value,
        "origin": generation.origin or None,
        "packages": len(generation.packages),
        "added": _with_versions(generation, generation.added),
        "updated": _with_versions(generation, generation.updated),
        "removed": list(generation.removed),
    }


def _with_versions(generation: Generation, names: tuple[str, ...]) -> dict[str, str]:
    return {name: generation.packages[name].version for name in names}


def _show_history(session: Session, generations: list[Generation]) -> None:
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415
    from caur_ci.cli.tables import table  # noqa: PLC0415

    rows = table("", None, "number", "when", "what", "packages", "changes")
    for generation in generations:
        kind = generation.kind.value
        if generation.origin:
            kind = f"{kind} to {generation.origin}"
        rows.add(
            str(generation.number),
            timestamp(generation.time),
            kind,
            str(len(generation.packages)),
            _changes(generation),
        )
    session.out.print(rows)


def _changes(generation: Generation) -> str:
    counts = {
        "added": generation.added,
        "updated": generation.updated,
        "removed": generation.removed,
    }
    return (
        ", ".join(
            f"{what} {names[0] if len(names) == 1 else f'{len(names)} packages'}"
            for what, names in counts.items()
            if names
        )
        or "nothing changed"
    )


def _show_findings(session: Session, found: list[tuple[Layout, list[Inconsistency]]]) -> None:
    from caur_ci.cli.tables import table  # noqa: PLC0415

    for layout, findings in found:
        name = f"{layout.name}/{layout.arch}"
        if not findings:
            session.out.print(f"{name}: all is well", markup=False)
            continue
        rows = table(name, len(findings), "file", "what is wrong")
        for finding in findings:
            rows.add(finding.file, finding.problem)
        session.out.print(rows)


def _show_repaired(session: Session, layout: Layout, results: list[Repaired]) -> None:
    from caur_ci.cli.tables import table  # noqa: PLC0415

    name = f"{layout.name}/{layout.arch}"
    if not results:
        session.out.print(f"{name}: nothing had to be repaired", markup=False)
        return
    rows = table(name, len(results), "file", "what became of it")
    for result in results:
        if result.source:
            became = f"brought back from {result.source}"
        else:
            became = f"is lost: build {result.folder} again, as with `queue retry {result.folder}`"
        rows.add(result.file, became)
    session.out.print(rows)
