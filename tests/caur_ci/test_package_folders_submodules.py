"""Which folders of a repository are packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.git import GitRepository
from caur_ci.package_folders import CommittedFolders, WorkingFolders, unusable_folders
from tests.support.git import Checkout, git, srcinfo

if TYPE_CHECKING:
    from pathlib import Path


def test_a_submodule_is_no_package_and_that_is_told(tmp_path: Path) -> None:
    other = Checkout.create(tmp_path / "other")
    other.commit("feat: begin", {"PKGBUILD": "", ".SRCINFO": srcinfo("linked")})
    other.push()
    made = Checkout.create(tmp_path / "world")
    made.commit("feat: begin", {"plain/.SRCINFO": srcinfo("plain")})
    allowed = ("-c", "protocol.file.allow=always")
    url = other.remote.as_uri()
    git(other.remote, "symbolic-ref", "HEAD", "refs/heads/main")
    git(made.folder, *allowed, "submodule", "--quiet", "add", url, "linked")
    made.commit("feat: a submodule")

    committed = CommittedFolders.at(GitRepository.open(made.folder), made.head())
    for folders in (committed, WorkingFolders(made.folder)):
        assert folders.packages == ("plain",)
        (told,) = unusable_folders(folders)
        assert "'linked' is ignored: it is a submodule" in told
