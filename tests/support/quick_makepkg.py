"""The machine's own makepkg, which for once believes that a PKGBUILD is sound.

It looks for mistakes in a PKGBUILD each time that it is started, twice in a build, by hundreds of
processes. That is most of what a build of next to nothing takes, and tests build many times.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from tests.support.tools import need_tools

# Looked for before a test puts another one in front of it.
MAKEPKG = shutil.which("makepkg") or "makepkg"


def install_quick_makepkg(folder: Path) -> Path:
    """Make such a makepkg in `folder`, and return the folder to be put first on PATH.

    All that it needs is in there: it may be the one folder that a sandbox lets be seen.
    """
    need_tools("makepkg")
    program = Path(MAKEPKG).resolve()
    place = folder / "bin"
    library = place / "library"
    place.mkdir()
    shutil.copytree(program.parent.parent / "share" / "makepkg", library)
    with (library / "lint_pkgbuild.sh").open("a") as checks:
        checks.write("\nlint_pkgbuild() { :; }\n")
    # Whoever has to know this makepkg's defects looks there.
    (folder / "share").mkdir()
    (folder / "share" / "makepkg").symlink_to(library)
    wrapper = place / "makepkg"
    wrapper.write_text(
        f'#!/bin/sh\nLIBRARY={shlex.quote(str(library))} exec {shlex.quote(str(program))} "$@"\n'
    )
    wrapper.chmod(0o755)
    return place
