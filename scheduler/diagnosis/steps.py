"""The steps of a build, by what makepkg and the worker write between what the tools print."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OURS = "==> caur-ci: "
# What comes after the build tells nothing about why it failed.
_AFTERWARDS = re.compile(
    r"==> caur-ci: (?:interfere: |running on-(?:success|failure)\.sh|namcap |ended: |given up)"
)
_FUNCTION = re.compile(r"==> Starting ([A-Za-z0-9@._+-]+)\(\)\.\.\.$")
_MAKEPKG = re.compile(
    r"==> (Making package: [A-Za-z0-9@._+-]+|Checking (?:run|build)time dependencies"
    r"|Installing missing dependencies|Retrieving sources|Validating \S+ files with \S+"
    r"|Verifying source file signatures|Extracting sources|Entering fakeroot environment"
    r"|Tidying install|Creating package|Leaving fakeroot environment|Finished making)"
)
_INSTALLING = re.compile(r"==> caur-ci: installing ")
_SUMS = re.compile(r"^Validating (\S+) files with \S+")


@dataclass(frozen=True, slots=True)
class Step:
    """A step that begins. `function` is that of the PKGBUILD, if it is one; see `afterwards`."""

    name: str
    function: str = ""
    afterwards: bool = False


BEGINNING = Step("the beginning")


def is_ours(text: str) -> bool:
    """Tell whether a line is of the worker or begins a step: no tool has said that."""
    return text.startswith(_OURS) or step_begun(text) is not None


def step_begun(text: str) -> Step | None:
    """Return the step that a line says has begun, None for other lines."""
    if not text.startswith("==> "):
        return None
    if match := _FUNCTION.match(text):
        return Step(f"{match[1]}()", function=match[1])
    if text.startswith(_OURS):
        if _AFTERWARDS.match(text):
            return Step("after the build", afterwards=True)
        return Step("installing dependencies") if _INSTALLING.match(text) else None
    if match := _MAKEPKG.match(text):
        name = match[1].partition(":")[0]
        return Step(_SUMS.sub(r"Validating \1 files", name))
    return None
