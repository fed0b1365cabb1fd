"""What a new repository consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import check_repository_name
from caur_ci.setup.pipelines import Forge, pipeline_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXAMPLE = "hello-caur"

_CONFIG = """\
# What holds for the whole repository. All keys: `caur-ci validate` knows them, and
# repository-config.schema.json of caur-ci says what they allow.

# The pacman repository that packages are published in, and the name by which the build side knows
# this repository (PACKAGE_TARGET_REPOS and PACKAGE_REPOS there).
REPO_NAME={target_repo}
BUILD_REPO={source_repo}

# Changes of more than the version are looked at by people before they are taken over.
CI_HUMAN_REVIEW={review}

{network}

# Who commits what pipelines change.
GIT_AUTHOR_NAME={target_repo} pipeline
GIT_AUTHOR_EMAIL=pipeline@{target_repo}.invalid
"""
_OFFLINE = """\
# Sources are fetched first; what is built from them has no network.
BUILDER_NETWORK=false"""
# A runner's own container is no place for a sandbox, unless its administrator sees to that.
_ONLINE = """\
# With false, what is built has no network. Runners have to allow jobs to make user namespaces then.
BUILDER_NETWORK=true"""
# Written by pipelines, for the jobs that follow in them.
IGNORED = ("/.ci/schedule.json", "/.ci/schedule-params.txt", "/.ci/deptree.txt", "/.state/")
_GITIGNORE = """\
# Written by pipelines, for the jobs that follow in them.
{ignored}

# Left by makepkg.
/*/pkg/
/*/src/
*.pkg.tar*
*.log
"""
_PKGBUILD = """\
# An example. It has no sources, builds in a second, and can go: `caur-ci drop hello-caur`.
pkgname=hello-caur
pkgver=1
pkgrel=1
pkgdesc='Says that packages of {target_repo} arrive'
arch=('any')
license=('0BSD')

package() {{
  install -d "$pkgdir/usr/bin"
  printf '#!/bin/sh\\necho "hello from {target_repo}"\\n' > "$pkgdir/usr/bin/hello-caur"
  chmod 755 "$pkgdir/usr/bin/hello-caur"
}}
"""
_SRCINFO = """\
pkgbase = hello-caur
\tpkgdesc = Says that packages of {target_repo} arrive
\tpkgver = 1
\tpkgrel = 1
\tarch = any
\tlicense = 0BSD

pkgname = hello-caur
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRepository:
    """What somebody wants to begin with. Names are those of `.ci/config`.

    With `serverless`, its pipeline builds and publishes as well.
    """

    target_repo: str
    source_repo: str
    forge: Forge
    serverless: bool = False
    review: bool = False
    example: bool = True

    def __post_init__(self) -> None:
        """Raises NameNotAllowedError."""
        check_repository_name(self.target_repo)
        check_repository_name(self.source_repo)

    def files(self) -> Mapping[str, bytes]:
        """Return the files by their paths."""
        names = {"target_repo": self.target_repo, "source_repo": self.source_repo}
        network = _ONLINE if self.serverless and self.forge is Forge.FORGEJO else _OFFLINE
        review = str(self.review).lower()
        files = {
            ".ci/config": _CONFIG.format(**names, review=review, network=network).encode(),
            ".gitignore": _GITIGNORE.format(ignored="\n".join(IGNORED)).encode(),
        }
        if self.forge.pipeline_path:
            files[self.forge.pipeline_path] = pipeline_template(
                self.forge, serverless=self.serverless
            )
        if self.example:
            files[f"{EXAMPLE}/PKGBUILD"] = _PKGBUILD.format(**names).encode()
            files[f"{EXAMPLE}/.SRCINFO"] = _SRCINFO.format(**names).encode()
        return files

    def write(self, folder: Path) -> list[str]:
        """Write the files below `folder`, and return their paths.

        Raises InputError where one of them is there, and then writes none; OSError where one
        cannot be written.
        """
        files = self.files()
        there = sorted(
            path for path in files if (folder / path).is_symlink() or (folder / path).exists()
        )
        if there:
            raise InputError(
                f"there already: {', '.join(there)}",
                hint="Nothing was written. Choose an empty folder, or move these away.",
            )
        for path, content in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return sorted(files)
