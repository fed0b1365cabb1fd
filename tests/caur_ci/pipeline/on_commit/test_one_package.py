"""What is wrong with one package is that package's, whatever it is: the others are built."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from caur_ci import config
from caur_ci import srcinfo as srcinfo_reader
from caur_ci.config import load_package_config
from caur_ci.config.loading import load
from caur_ci.errors import CaurError, ConfigError, InputError
from caur_ci.expectation import FILES, expected_packages
from caur_ci.interfere import Interfere
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.srcinfo import parse_fields
from tests.support.git import Checkout, git, srcinfo
from tests.support.hostile import HostileFile, hostile_folders, hostile_names, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable

PKGBUILD = "pkgname={0}\npkgver=1\npkgrel=1\narch=(any)\n"
NAMES = ("p0", "p1", "p2", "p3")

World = dict[bytes, dict[bytes, HostileFile]]


def worlds() -> st.SearchStrategy[World]:
    """Return top-level folders beside that of the package `good`."""
    packages = st.fixed_dictionaries({name.encode(): hostile_folders(name) for name in NAMES})
    others = st.dictionaries(hostile_names(), hostile_folders("other"), max_size=2)
    return st.tuples(packages, others).map(lambda both: both[1] | both[0])


def commit(checkout: Checkout, folders: World) -> None:
    """Commit folders beside those that are there, without a working tree in between."""
    listing = git(checkout.folder, "ls-tree", "-z", "HEAD").encode("utf-8", "surrogateescape")
    entries = {entry.partition(b"\t")[2]: entry for entry in listing.split(b"\0") if entry}
    for name, files in folders.items():
        tree = write_tree(checkout.folder, files)
        entries[name] = b"040000 tree %s\t%s" % (tree.encode(), name)
    tree = git(
        checkout.folder, "mktree", "-z", stdin=b"".join(entry + b"\0" for entry in entries.values())
    )
    new = git(checkout.folder, "commit-tree", tree, "-p", "HEAD", stdin=b"feat: all")
    git(checkout.folder, "update-ref", "refs/heads/main", new)
    git(checkout.folder, "push", "--quiet", "origin", "main")


def good() -> dict[bytes, HostileFile]:
    return {
        b"PKGBUILD": HostileFile("100644", PKGBUILD.format("good").encode()),
        b".SRCINFO": HostileFile("100644", srcinfo("good").encode()),
    }


# Making one smaller takes minutes.
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(world=worlds())
def test_a_hostile_folder_costs_no_other_its_build(world: World) -> None:
    with tempfile.TemporaryDirectory() as base:
        checkout = Checkout.create(Path(base) / "world")
        checkout.commit("x", {".ci/config": "BUILD_REPO=source\nREPO_NAME=target\n"})
        git(checkout.folder, "branch", "--quiet", "--move", "--force", "main")
        checkout.schedule_here()
        commit(checkout, {**world, b"good": good()})

        result = on_commit(OnCommitOptions(repo=checkout.folder))

        assert "good" in [package.pkgbase for package in result.plan.request.packages]
        assert result.published


@settings(max_examples=100, deadline=None)
@given(files=hostile_folders("tool"))
def test_readers_refuse_in_their_own_words(files: dict[bytes, HostileFile]) -> None:
    contents = {path.decode("latin-1"): file.content for path, file in files.items()}
    with suppress(CaurError):
        expected_packages({name: contents[name] for name in FILES if name in contents}, folder="t")


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError(), ValueError("odd")])
@pytest.mark.parametrize("read", ["config", "srcinfo", "expectation"])
def test_an_error_nobody_thought_of_is_that_of_its_package(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, error: Exception, read: str
) -> None:
    def breaking(inner: Callable[..., object]) -> Callable[..., object]:
        def broken(*arguments: object, **named: object) -> object:
            if "bad" in str(named.get("origin") or getattr(arguments[0], "origin", "")):
                raise error
            return inner(*arguments, **named)

        return broken

    if read == "config":
        monkeypatch.setattr(config, "load", breaking(load))
    elif read == "srcinfo":
        reader = srcinfo_reader._Reader
        monkeypatch.setattr(reader, "read", breaking(reader.read))
    else:
        monkeypatch.setattr(Interfere, "of_files", breaking(Interfere.of_files))
    files: dict[str, str | bytes | None] = {}
    for name in ("bad", "well"):
        files |= {f"{name}/PKGBUILD": PKGBUILD.format(name), f"{name}/.SRCINFO": srcinfo(name)}
        files[f"{name}/.CI/config"] = "BUILDER_CLASS=2\n"
    checkout.commit("x", files)
    on_commit(OnCommitOptions(repo=checkout.folder))
    checkout.commit("y", {f"{name}/note": "x" for name in ("bad", "well")})

    result = on_commit(OnCommitOptions(repo=checkout.folder))

    assert "well" in [package.pkgbase for package in result.plan.request.packages]


def test_such_an_error_is_told_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(config, "load", broken)
    monkeypatch.setattr(srcinfo_reader._Reader, "read", broken)
    with pytest.raises(ConfigError, match=r"tool/\.CI/config cannot be used: ValueError\('odd'\)"):
        load_package_config(b"", origin="tool/.CI/config")
    with pytest.raises(InputError, match=r"tool/\.SRCINFO cannot be read: ValueError\('odd'\)"):
        parse_fields(b"", origin="tool/.SRCINFO")
