"""Checksums of git sources, as makepkg makes them."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError, InputError
from caur_ci.update.checkout_sums import Checkout, checkout_sums
from tests.support.git import git as run_git
from tests.support.git_mirror import GitMirror, git_mirror, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitMirror]:
    root = tmp_path_factory.mktemp("served")
    repository = root / "tool.git"
    branches = {
        "main": {"a": "1", "dir/b": "2", ".gitattributes": "a export-ignore\n"},
        "subst": {"version": "$Format:%d$", ".gitattributes": "version export-subst\n"},
        "lfs": {"big": "x", "dir/.gitattributes": "* filter=lfs\n"},
    }
    put(repository, branches)
    for branch in branches:
        run_git(repository, "tag", f"v-{branch}", branch)
    run_git(repository, "tag", "-a", "-m", "x", "v1.0", "main")
    run_git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    with git_mirror(root) as made:
        yield made


def archived(repository: Path, revision: str) -> str:
    """Return the checksum as makepkg finds it in its own clone."""
    command = ["git", f"--git-dir={repository}", "-c", "core.abbrev=no", "archive"]
    done = subprocess.run([*command, "--format", "tar", revision], capture_output=True, check=True)
    return hashlib.sha256(done.stdout).hexdigest()


def summed(source: str, *, allow_local: bool = True) -> str:
    checkout = Checkout.parse(source)
    assert checkout is not None
    return checkout_sums(checkout, ["sha256"], allow_local=allow_local)["sha256"]


@pytest.mark.parametrize("name", ["tag=v1.0", "tag=v-main", "commit=COMMIT"])
@pytest.mark.parametrize("query", ["", "?signed"])
def test_it_is_that_of_gits_archive(server: GitMirror, name: str, query: str) -> None:
    repository = server.root / "tool.git"
    fragment = name.replace("COMMIT", run_git(repository, "rev-parse", "main"))

    found = summed(f"tool::git+{server.url}/tool.git#{fragment}{query}")

    assert found == archived(repository, fragment.partition("=")[2])


@pytest.mark.parametrize("branch", ["subst", "lfs"])
def test_what_differs_between_machines_is_refused(server: GitMirror, branch: str) -> None:
    with pytest.raises(InputError, match="on other machines"):
        summed(f"git+{server.url}/tool.git#tag=v-{branch}")


@pytest.mark.parametrize(
    "source",
    [
        "https://x.org/a.tgz",
        "git+https://x.org/a",
        "git+https://x.org/a#branch=main",
        "hg+https://x.org/a#tag=v1",
    ],
)
def test_other_sources_are_none(source: str) -> None:
    assert Checkout.parse(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "git+https://x.org/a#tag=--upload-pack=id",
        "git+https://x.org/a#tag=a..b",
        "git+https://x.org/a#commit=abc",
        "git+ext::sh -c id#tag=v1",
        "git+-x#tag=v1",
    ],
)
def test_hostile_ones_are_refused(source: str) -> None:
    try:
        checkout = Checkout.parse(source)
    except InputError:
        return
    assert checkout is None or checkout.ref == "refs/tags/--upload-pack=id"


def test_private_servers_are_not_asked(server: GitMirror) -> None:
    for url in (server.url, f"file://{server.root}"):
        with pytest.raises(InputError) as caught:
            summed(f"git+{url}/tool.git#tag=v1.0", allow_local=False)
        assert "CI_LOCAL_SOURCES" in caught.value.hint


def test_what_is_not_there_is_told(server: GitMirror) -> None:
    with pytest.raises(CaurError, match="no such branch or tag"):
        summed(f"git+{server.url}/tool.git#tag=v9")
