"""A library moves to another soname, and what needs it is rebuilt."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.demo.packages import LIBRARY, NEEDS_LIBRARY, REBUILT
from caur_ci.demo.setup import REPOSITORY
from caur_ci.elf import read_elf
from caur_ci.errors import ProcessError
from caur_ci.linkage import LINKAGE, LinkageIndexError, read_index
from caur_ci.process import run
from scheduler.database.generations import Generations
from scheduler.database.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from caur_ci.demo.client import PacmanClient
    from caur_ci.request import BuildRequest

OLD_SONAME, NEW_SONAME = f"{LIBRARY}.so.1", f"{LIBRARY}.so.2"
EXPECTED_TIME = "04:17\n"
# What a rebuild adds to the pkgrel.
BUMP = ".1"
_BUILDS = frozenset({"update", "bump", "build"})
# When they were committed, and when they were rebuilt.
_BUILDS_IN_ALL = 2


@dataclass(slots=True, kw_only=True)
class Rebuild:
    """What was found. Of the program, `needed` are the sonames of before, `needs` those of after.

    `action` and `reason` are what on-schedule decided when the library had moved, `asked` what it
    asked to build, in the rebuild groups `groups`, and `asked_later` what the run after that would
    have. `together` is what the last step of publishing brought. `problem` is what kept the program
    from being installed and run, `output` what it printed.
    """

    action: str = ""
    reason: str = ""
    asked: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    asked_later: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    version: str = ""
    output: str = ""
    problem: str = ""

    def decided(self, plan: Mapping[str, Any], request: BuildRequest) -> None:
        """Take down what on-schedule said of it, to programs and to the queue."""
        for decision in plan["decisions"]:
            if decision["package"] == NEEDS_LIBRARY:
                self.action, self.reason = decision["action"], decision["reason"]
        self.asked = tuple(package.pkgbase for package in request.packages)
        self.groups = frozenset(package.group for package in request.packages)

    def decided_later(self, plan: Mapping[str, Any]) -> None:
        """Take down what the plan of a later run would have built."""
        self.asked_later = tuple(
            decision["package"] for decision in plan["decisions"] if decision["action"] in _BUILDS
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON document."""
        return {
            "package": NEEDS_LIBRARY,
            "version": self.version,
            "reason": self.reason,
            "needed": list(self.needed),
            "needs": list(self.needs),
            "together": list(self.together),
        }


def published_needs(published: Path) -> tuple[str, ...]:
    """Return the sonames that the program needs, by the index beside the published database."""
    try:
        packages = list(read_index(LINKAGE, published / LINKAGE.file(REPOSITORY)))
    except (OSError, LinkageIndexError):
        return ()
    needs = [need for it in packages if it.name == NEEDS_LIBRARY for need in it.needs]
    return tuple(sorted(need.partition(":")[2] for need in needs))


def published_last(published: Path) -> tuple[str, ...]:
    """Return the packages that the last step of publishing brought in another version."""
    layout = Layout(published.parent.parent, REPOSITORY, published.name)
    return Generations(layout.private / "generations").latest().updated


def try_program(client: PacmanClient, rebuild: Rebuild) -> None:
    """Install the program and the library by pacman, look what it needs, and run it."""
    try:
        client.install(NEEDS_LIBRARY)
        rebuild.version = client.installed().get(NEEDS_LIBRARY, "")
        program = client.root / "usr" / "bin" / NEEDS_LIBRARY
        rebuild.needs = _needs_of(program)
        libraries = {"LD_LIBRARY_PATH": str(client.root / "usr" / "lib")}
        rebuild.output = run([program], environment=libraries).stdout.decode(errors="replace")
    except ProcessError as error:
        rebuild.problem = error.message


def rebuild_problems(rebuild: Rebuild, *, version: str, builds: int) -> Iterator[str]:
    """Yield what is not as it was promised.

    `version` is that of the program as it was committed, `builds` how often all that were rebuilt
    were built.
    """
    if rebuild.problem:
        yield rebuild.problem
        return
    if rebuild.needed != (OLD_SONAME,):
        yield f"at first it needed {_listed(rebuild.needed)}, not {OLD_SONAME}"
    if rebuild.action != "bump" or OLD_SONAME not in rebuild.reason:
        yield f"on-schedule decided: {rebuild.action or 'nothing'} ({rebuild.reason})"
    if rebuild.asked != REBUILT:
        yield f"on-schedule asked for {_listed(rebuild.asked)}"
    yield from _publishing_problems(rebuild)
    if builds != _BUILDS_IN_ALL * len(REBUILT):
        yield f"they were built {builds} times, not {_BUILDS_IN_ALL} times each"
    if rebuild.asked_later:
        yield f"after that, on-schedule asked for {_listed(rebuild.asked_later)}"
    if rebuild.version != f"{version}{BUMP}":
        yield f"installed is {rebuild.version or 'nothing'}, not {version}{BUMP}"
    if rebuild.needs != (NEW_SONAME,):
        yield f"it needs {_listed(rebuild.needs)}, not {NEW_SONAME}"
    if rebuild.output != EXPECTED_TIME:
        yield f"it printed {rebuild.output!r}"


def _publishing_problems(rebuild: Rebuild) -> Iterator[str]:
    if len(rebuild.groups) != 1 or "" in rebuild.groups:
        yield f"it asked for them in the groups {_listed(tuple(sorted(rebuild.groups)))}"
    if rebuild.together != REBUILT:
        yield f"the last step of publishing brought {_listed(rebuild.together)}"


def _needs_of(program: Path) -> tuple[str, ...]:
    with program.open("rb") as file:
        found = read_elf(file.read, os.fstat(file.fileno()).st_size)
    return found.needs if found is not None else ()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"
