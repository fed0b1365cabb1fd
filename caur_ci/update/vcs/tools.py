"""Asks Subversion, Mercurial and Bazaar servers through their own tools, where they are installed.

The tools run without the configuration and the passwords of whoever runs this, and ask nobody.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.credentials import without_credentials_in
from caur_ci.errors import ProcessError
from caur_ci.plaintext import one_line
from caur_ci.process import run
from caur_ci.update.vcs.tip import Tip, TipError, TipTrouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.update.vcs.entries import Place

_TIMEOUT = 60.0
_LARGEST_OUTPUT = 64 * 1024
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20"
# Programs that will do, and what their package is named.
_PROGRAMS = {
    "svn": (("svn",), "subversion"),
    "hg": (("hg",), "mercurial"),
    "bzr": (("brz", "bzr"), "breezy"),
}
_REVISION = {
    "svn": re.compile(r"[0-9]{1,18}"),
    "hg": re.compile(r"[0-9a-f]{12,40}"),
    "bzr": re.compile(r"[0-9]{1,18}"),
}
_ABSENT = ("e170000", "e160013", "e200009", "not found", "not a branch", "no such", "unknown")
_UNREACHABLE = ("took longer", "refused", "timed out", "not resolve", "e670")


def tip_by_tool(place: Place) -> Tip:
    """Return the newest revision of a place. Raises TipError."""
    names, package = _PROGRAMS[place.tool]
    program = next((name for name in names if shutil.which(name)), "")
    if not program:
        told = f"{place} is not followed: {package} is not installed here"
        raise TipError(told, TipTrouble.NO_TOOL)
    with _empty_home() as environment:
        home = environment["HOME"]
        try:
            output = run(
                [program, *_arguments(place, home)],
                cwd=Path(home),
                environment=environment,
                timeout=_TIMEOUT,
                with_children=True,
                largest_output=_LARGEST_OUTPUT,
            ).stdout
        except ProcessError as error:
            raise _told(place, error) from None
    revision = output.decode("utf-8", "replace").strip().removesuffix("+")
    if not _REVISION[place.tool].fullmatch(revision):
        raise TipError(f"{place}: {program} gave no revision", TipTrouble.UNUSABLE)
    return Tip(revision, place.branch)


def _arguments(place: Place, home: str) -> list[str]:
    if place.tool == "svn":
        options = ["--non-interactive", "--no-auth-cache", f"--config-dir={home}/svn"]
        # The last @ would otherwise begin a revision.
        return ["info", *options, "--show-item=last-changed-revision", "--", f"{place.url}@"]
    if place.tool == "hg":
        options = ["--noninteractive", f"--rev={place.branch or 'tip'}"]
        return ["identify", "--id", *options, "--", place.url]
    return ["--no-plugins", "revno", "--", place.url]


@contextmanager
def _empty_home() -> Iterator[Mapping[str, str]]:
    with tempfile.TemporaryDirectory(prefix="caur-vcs-") as home:
        yield {
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "HGPLAIN": "1",
            "HGRCPATH": "",
            "BRZ_LOG": "/dev/null",
            "BZR_LOG": "/dev/null",
            "SVN_SSH": _SSH,
            "BRZ_SSH": "openssh",
        }


def _told(place: Place, error: ProcessError) -> TipError:
    said = error.stderr.decode(errors="replace")
    text = f"{said}\n{error.message}".lower()
    is_silent = any(sign in text for sign in _UNREACHABLE)
    if not is_silent and any(sign in text for sign in _ABSENT):
        return TipError(f"{place}: there is no such repository or branch", TipTrouble.ABSENT)
    words = said.strip().splitlines()[-1:] or [error.message]
    shown = one_line(without_credentials_in(words[0], known=[place.url]))[:200]
    trouble = TipTrouble.UNREACHABLE if is_silent else TipTrouble.UNUSABLE
    return TipError(f"{place}: {shown}", trouble)
