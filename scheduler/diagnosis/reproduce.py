"""The command that builds here what failed there."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from caur_ci.credentials import HIDDEN
from scheduler.settings.worker import DEFAULT_IMAGE

if TYPE_CHECKING:
    from scheduler.diagnosis.survey import Origin
    from scheduler.history import PastJob

_DEFAULT_ARCH = "x86_64"
_DEFAULT_EXECUTOR = "container"
_LOCAL = "localhost/"
# Where others can get to. Paths are good on the worker only, and logins were taken out.
_ADDRESS = re.compile(r"(?:https?|ssh|git)://[!-~]+|[\w.-]+@[\w.-]+:[!-~]+")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")


def reproducing_command(job: PastJob, origin: Origin | None) -> str:
    """Return a line for a shell that builds the same package here, in the same kind of sandbox.

    Without an `origin` that everybody can get to, it is to be run in a clone of the repository.
    """
    words = ["caur-ci", "build", f"{job.pkgbase}@{job.commit}"]
    if origin is not None and HIDDEN not in origin.url and _ADDRESS.fullmatch(origin.url):
        words += ["--repo", origin.url]
    words += ["--target-repo", job.target_repo]
    if job.arch != _DEFAULT_ARCH:
        words += ["--arch", job.arch]
    if origin is not None and origin.executor != _DEFAULT_EXECUTOR:
        words += ["--executor", origin.executor]
    elif origin is not None and (image := _another_image(origin.image)):
        words += ["--image", image]
    return shlex.join(words)


def _another_image(image: str) -> str:
    """Return the image to ask for; nothing for the default one, which is brought up to date."""
    name, _, digest = image.partition("@")
    if name.partition(":")[0] == DEFAULT_IMAGE.partition(":")[0] or not _IMAGE.fullmatch(image):
        return ""
    # Those made on a machine are there by name, if at all.
    return name if name.startswith(_LOCAL) or not digest else image
