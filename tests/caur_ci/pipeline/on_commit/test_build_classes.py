"""Which build class a package gets, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import RepositoryConfig
from caur_ci.pipeline.on_commit.build_classes import build_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from caur_ci.generated_srcinfo import Srcinfo


@dataclass
class Folders:
    """Package folders that hold nothing but their `.CI/config`."""

    configs: dict[str, bytes | None]
    packages: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def read(self, file: str, packages: Iterable[str] | None = None) -> dict[str, bytes | None]:
        assert file == ".CI/config"
        assert packages is not None
        self.asked = list(packages)
        return {name: self.configs[name] for name in self.asked}

    def srcinfos(self, packages: Iterable[str] | None = None) -> Iterator[tuple[str, Srcinfo]]:
        raise AssertionError(packages)


@pytest.mark.parametrize(
    ("override", "own", "default", "expected"),
    [
        (None, None, None, None),
        (None, b"", None, None),
        (None, b"BUILDER_CLASS=\n", "4", "4"),
        (None, None, "4", "4"),
        (None, b"BUILDER_CLASS=3\n", "4", "3"),
        (None, b"BUILDER_CLASS=3\n", None, "3"),
        ("2", b"BUILDER_CLASS=3\n", "4", "2"),
        ("2", None, None, "2"),
    ],
)
def test_the_nearest_one_counts(
    override: str | None, own: bytes | None, default: str | None, expected: str | None
) -> None:
    config = RepositoryConfig(default_class=default)

    found = build_classes(Folders({"a": own}), config, {"a": override})

    assert (found.by_package, found.warnings) == ({"a": expected}, ())


def test_only_packages_that_are_built_are_looked_at() -> None:
    folders = Folders({"a": None, "b": b"BUILDER_CLASS=!\n"})

    build_classes(folders, RepositoryConfig(), {"a": None})

    assert folders.asked == ["a"]


def test_odd_lines_are_told_of_each_package() -> None:
    folders = Folders({"a": b"MOOD=good\n", "b": b"?\nBUILDER_CLASS=3\n"})

    found = build_classes(folders, RepositoryConfig(), {"a": None, "b": None})

    assert found.by_package == {"a": None, "b": "3"}
    assert [warning.split(" ")[0] for warning in found.warnings] == [
        "a/.CI/config:1:",
        "b/.CI/config:1:",
    ]


def test_a_file_that_cannot_be_used_costs_its_own_package() -> None:
    folders = Folders({"a": b"CI_FORCE_VCS=x\n", "b": None, "c": b"BUILDER_EXTRA_TIMEOUT=x\n"})

    classes = build_classes(folders, RepositoryConfig(), {"a": "2", "b": None, "c": None})

    assert classes.by_package == {"b": None}
    assert {name: reason.split(" ")[0] for name, reason in classes.unusable.items()} == {
        "a": "a/.CI/config:1:",
        "c": "c/.CI/config:1:",
    }
