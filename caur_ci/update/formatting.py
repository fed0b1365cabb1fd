"""Brings the PKGBUILDs that are taken over into form, where a repository wants that."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.errors import InputError, ProcessError
from caur_ci.process import missing_tool, run

if TYPE_CHECKING:
    from caur_ci.git import GitRepository

_PKGBUILD = "PKGBUILD"
_TIMEOUT = 60.0


def formatted(git: GitRepository, tree: str) -> str:
    """Return `tree` with its PKGBUILD as shfmt writes it.

    Raises ProcessError where there is no shfmt, InputError for a PKGBUILD that it cannot read.
    """
    if shutil.which("shfmt") is None:
        raise missing_tool("shfmt")
    entries = git.entries(tree)
    (before,) = git.read_blobs([f"{tree}:{_PKGBUILD}"])
    try:
        done = run(["shfmt", "-ln=bash", "-i=2"], stdin=before or b"", timeout=_TIMEOUT)
    except ProcessError as error:
        raise InputError(f"shfmt cannot read the PKGBUILD: {error.message}") from error
    if done.stdout == before:
        return tree
    blob = git.write_blob(done.stdout)
    return git.write_tree(
        replace(entry, object_id=blob) if entry.name == _PKGBUILD else entry for entry in entries
    )
