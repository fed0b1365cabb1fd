"""`caur-ci deptree`, as a maintainer uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.deptree import entries_of, read_wire
from caur_ci.errors import ExitCode
from tests.support.git import Checkout, git, srcinfo
from tests.support.trees import tree_of_words

if TYPE_CHECKING:
    from pathlib import Path

CHAIN = {"app": "depends = lib", "lib": "makedepends = base>=1", "base": "", "c++filt": ""}


@pytest.fixture
def repository(tmp_path: Path) -> Checkout:
    """A repository with a chain of three packages and one alone."""
    made = Checkout.create(tmp_path / "world")
    made.commit(
        "feat: begin",
        {f"{name}/.SRCINFO": srcinfo(name, line, names=(name,)) for name, line in CHAIN.items()},
    )
    return made


def deptree(
    capsys: pytest.CaptureFixture[str], repository: Checkout, *arguments: str
) -> tuple[str, str]:
    """Run the command, expect success, and return what it printed and what it said."""
    code = run(["deptree", "--repo", str(repository.folder), *arguments], Session())
    captured = capsys.readouterr()
    assert code == ExitCode.OK, captured.err
    return captured.out, captured.err


def test_the_whole_repository_is_a_tree(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    out, err = deptree(capsys, repository)
    assert out.splitlines() == [
        "app",
        "└── lib",
        "    └── base  makedepends base>=1",
        "1 of 4 packages need no other one here and are needed by none",
    ]
    assert err == ""


def test_the_dependants_of_one_package_to_a_depth(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    out, _ = deptree(capsys, repository, "base", "--reverse", "--depth", "1")
    assert out.splitlines() == ["base", "└── lib  makedepends base>=1"]
    out, _ = deptree(capsys, repository, "base", "-r")
    assert out.splitlines()[-1] == "    └── app"


def test_the_order_of_what_a_package_needs(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    out, _ = deptree(capsys, repository, "app", "--order")
    assert out.splitlines() == ["layer 1: base", "layer 2: lib", "layer 3: app"]
    out, _ = deptree(capsys, repository, "app", "--order", "--format", "json")
    assert json.loads(out)["layers"] == [["base"], ["lib"], ["app"]]


def test_a_cycle_is_shown_in_the_tree_and_in_the_order(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    repository.commit("feat: knot", {"base/.SRCINFO": srcinfo("base", "depends = lib")})
    out, _ = deptree(capsys, repository, "lib")
    assert out.splitlines() == [
        "lib",
        "└── base  makedepends base>=1",
        "    └── lib  closes a cycle",
        "cycle: lib → base → lib",
    ]
    out, _ = deptree(capsys, repository, "lib", "--order")
    assert out.splitlines() == [
        "layer 1: base",
        "layer 2: lib",
        "cycle: base lib",
        "  base goes before lib, which it needs",
    ]


@pytest.mark.parametrize("form", ["wire", "json", "dot", "mermaid"])
def test_other_formats_go_to_standard_output_whole(
    capsys: pytest.CaptureFixture[str], repository: Checkout, form: str
) -> None:
    out, err = deptree(capsys, repository, "--format", form)
    assert err == ""
    if form == "wire":
        needs = {"app": "lib", "base": "", "c++filt": "", "lib": "base"}
        assert read_wire(out) == entries_of(tree_of_words(needs))
    elif form == "json":
        assert list(json.loads(out)["packages"]) == sorted(CHAIN)
    else:
        assert out.startswith({"dot": "digraph", "mermaid": "flowchart"}[form])


def test_a_broken_folder_is_a_warning_and_stays(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    repository.commit("fix: oops", {"lib/.SRCINFO": "<<<<<<< HEAD\n", "new/PKGBUILD": "x"})
    out, err = deptree(capsys, repository, "--format", "wire")
    assert err.splitlines() == [
        "warning: lib/.SRCINFO, line 1: cannot be read: '<<<<<<< HEAD'",
        "warning: new/.SRCINFO is missing, or no regular file",
    ]
    assert out == "app:app:lib;base:base:;c++filt:c++filt:;lib::;new::\n"


def test_the_working_tree_is_read_unless_a_commit_is_named(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    (repository.folder / "lib" / ".SRCINFO").write_text(srcinfo("lib"))
    inside = Checkout(repository.folder / "lib", repository.remote)
    assert deptree(capsys, inside, "app")[0].splitlines() == ["app", "└── lib"]
    assert "base" in deptree(capsys, inside, "app", "--commit", "HEAD")[0]


def test_a_bare_repository_is_read_at_its_head(
    capsys: pytest.CaptureFixture[str], repository: Checkout
) -> None:
    git(repository.folder, "push", "--quiet", "origin", "HEAD")
    bare = Checkout(repository.remote, repository.remote)
    assert deptree(capsys, bare) == deptree(capsys, repository)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["c++fillt"], ExitCode.FAILED, "Did you mean c++filt?"),
        (["--commit", "nowhere"], ExitCode.FAILED, "nowhere is no commit"),
        (["--depth", "1"], ExitCode.USAGE, "name at least one"),
        (["--order", "--format", "dot"], ExitCode.USAGE, "--order can be shown as"),
        (["--format", "xml"], ExitCode.USAGE, "xml"),
        (["--arch", "../x"], ExitCode.FAILED, "cannot be the name of an architecture"),
    ],
)
def test_what_cannot_be_done_is_explained(
    capsys: pytest.CaptureFixture[str],
    repository: Checkout,
    arguments: list[str],
    code: ExitCode,
    message: str,
) -> None:
    assert run(["deptree", "--repo", str(repository.folder), *arguments], Session()) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_outside_of_a_repository_it_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["deptree", "--repo", str(tmp_path)], Session()) == ExitCode.FAILED
    assert "is not in a git repository" in capsys.readouterr().err
