"""A copy of this machine, made of overlays: what is written there is gone with its process.

User ids are those of the machine, and so is the folder in which workers share them out: two builds
with one user id would end each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_OVERLAID = """
set -eu
mkdir -p /run/caur-ci "$1"
mount -t tmpfs tmpfs "$1"
mkdir "$1/shared"
mount --bind /run/caur-ci "$1/shared"
for folder in etc usr run var; do
    mkdir -p "$1/$folder/upper" "$1/$folder/work"
    layers=lowerdir=/$folder,upperdir=$1/$folder/upper,workdir=$1/$folder/work
    mount -t overlay overlay -o "$layers" "/$folder"
done
mount --bind "$1/shared" /run/caur-ci
shift
exec "$@"
"""


def in_overlays(base: Path, command: Sequence[str | Path]) -> list[str | Path]:
    """Return the command that runs another one in such a copy, as root, with a folder in `base`."""
    layers = base / "layers"
    layers.mkdir(exist_ok=True)
    return ["unshare", "--mount", "bash", "-c", _OVERLAID, "bash", layers, *command]
