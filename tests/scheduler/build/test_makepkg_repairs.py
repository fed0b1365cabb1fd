"""A makepkg with Debian 13's defect: `git clone ---mirror`."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from scheduler.build.executor import BuildFolder, BuildOrder, Ending
from scheduler.build.makepkg import MakepkgExecutor
from tests.support.packages import pkgbuild

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.build.users import BuildUser
    from tests.support.git import Checkout


@pytest.fixture
def broken_makepkg(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a makepkg with the defect first on PATH."""
    real = shutil.which("makepkg")
    assert real is not None
    library = shared / "share" / "makepkg"
    shutil.copytree("/usr/share/makepkg", library)
    clones = library / "source" / "git.sh"
    clones.write_text(re.sub(r" --+mirror ", " ---mirror ", clones.read_text()))
    wrapper = shared / "bin" / "makepkg"
    wrapper.parent.mkdir()
    place = shlex.quote(str(library))
    wrapper.write_text(
        f'#!/bin/sh\nexport LIBRARY={place} MAKEPKG_LIBRARY={place}\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=":")


@pytest.mark.usefixtures("broken_makepkg")
def test_git_sources_are_cloned_all_the_same(
    shared: Path, user: BuildUser, checkout: Checkout
) -> None:
    checkout.commit("feat: begin", {"file": "from git"})
    upstream = shared / "upstream.git"
    shutil.copytree(checkout.folder / ".git", upstream)
    folder = BuildFolder(root=shared / "build")
    folder.package.mkdir(parents=True)
    source = f"source=('up::git+{upstream.as_uri()}')\nsha256sums=(SKIP)"
    (folder.package / "PKGBUILD").write_text(
        pkgbuild("tool-git", head=source, build='cat "$srcdir/up/file"')
    )
    output = bytearray()

    ending = MakepkgExecutor().build(
        BuildOrder(folder=folder, user=user, arch="x86_64"),
        output=output.extend,
        should_stop=lambda: None,
    )

    assert ending == Ending(0), output.decode()
    assert b"from git" in output
