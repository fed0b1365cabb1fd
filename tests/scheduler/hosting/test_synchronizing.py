"""What has to change at a target, and in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.database.hosted import HostedFiles
from scheduler.hosting.protocol import TargetError
from scheduler.hosting.synchronizing import (
    LocalFile,
    PublishedHere,
    Synchronization,
    synchronization,
)

_names = st.sampled_from([f"x86_64/p{number}.pkg.tar.zst" for number in range(6)])
_contents = st.binary(min_size=1, max_size=2).map(bytes.hex)
_states = st.dictionaries(_names, _contents, max_size=6)


def _file(content: str) -> LocalFile:
    return LocalFile(size=len(content), sha256=content, source=Path("/source") / content)


def _here(packages: dict[str, str]) -> PublishedHere:
    database = "-".join(f"{name}={content}" for name, content in sorted(packages.items())) or "none"
    return PublishedHere(
        repository="repo",
        packages={name: _file(content) for name, content in packages.items()},
        documents={"pkgs.txt": _file(f"list {database}")},
        archives={"x86_64/repo.db.tar.zst": _file(database)},
        databases={"x86_64/repo.db": _file(database)},
    )


class _Model:
    """A target that is killed after some steps. Its files are by path, with their contents."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.hosted = HostedFiles()

    def listing(self) -> dict[str, int]:
        return {path: len(content) for path, content in self.files.items()}

    def apply(self, planned: Synchronization, steps: int) -> None:
        if steps < 1:
            return
        self.hosted = planned.announced
        for upload in (each for stage in planned.change.stages for each in stage):
            if (steps := steps - 1) < 0:
                return
            self.files[upload.path] = str(upload.source.relative_to("/source"))
            self.check()
        if steps < 1:
            return
        self.hosted = planned.hosted
        for path in planned.change.removals:
            if (steps := steps - 1) < 0:
                return
            self.files.pop(path, None)
            self.check()

    def check(self) -> None:
        """Whoever reads the database finds what it lists, or what takes its place by now."""
        database = self.files.get("repo/x86_64/repo.db", "none")
        for item in database.split("-") if database != "none" else ():
            assert f"repo/{item.partition('=')[0]}" in self.files


@given(st.lists(st.tuples(_states, st.integers(0, 20)), min_size=1, max_size=6))
def test_whatever_is_killed_readers_find_what_is_listed_and_the_next_run_brings_the_rest(
    runs: list[tuple[dict[str, str], int]],
) -> None:
    model = _Model()
    for now, (packages, steps) in enumerate(runs):
        here = _here(packages)
        planned = synchronization(here, model.listing(), model.hosted, grace=1, now=now)
        model.apply(planned, steps)
    final = _here(runs[-1][0])
    for now in (100, 200):
        planned = synchronization(final, model.listing(), model.hosted, grace=1, now=now)
        model.apply(planned, 1000)

    wanted = {name: file for files in final.stages for name, file in files.items()}
    for name, file in wanted.items():
        assert model.files[f"repo/{name}"] == file.sha256
    assert model.files.keys() == {f"repo/{name}" for name in wanted}
    assert synchronization(final, model.listing(), model.hosted, grace=1, now=300).is_empty


def test_what_is_only_there_stays_there() -> None:
    model = _Model()
    model.apply(synchronization(_here({"a": "1"}), {}, model.hosted, grace=1, now=0), 100)
    here = _here({"a": "1"})
    elsewhere = {name: replace(file, source=None) for name, file in here.packages.items()}
    here = replace(here, packages=elsewhere)

    assert synchronization(here, model.listing(), model.hosted, grace=1, now=0).is_empty
    with pytest.raises(TargetError, match="a are listed, but neither here nor at"):
        synchronization(here, {}, model.hosted, grace=1, now=0)
