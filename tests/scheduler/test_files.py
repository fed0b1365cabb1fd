"""Removing what a build has left."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.tools import as_ordinary_user

if TYPE_CHECKING:
    from pathlib import Path

REMOVE = "import sys, pathlib, scheduler.files as f; f.remove_tree(pathlib.Path(sys.argv[1]))"


def test_folders_that_cannot_be_listed_or_written_to_go_as_well(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    tree = tmp_path / "tree"
    for path, mode in ((tree / "a" / "pkg", 0o111), (tree / "a" / "module", 0o555)):
        (path / "inner").mkdir(parents=True)
        (path / "file").touch()
        path.chmod(mode)
    (tree / "link").symlink_to(outside)
    (tree / "a").chmod(0o500)

    done = subprocess.run(
        [*as_ordinary_user(), sys.executable, "-c", REMOVE, tree], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert not tree.exists()
    assert outside.stat().st_mode & 0o777 == 0o500
