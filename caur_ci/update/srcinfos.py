"""What the files of a source say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.srcinfo import SrcinfoFields, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.git import GitRepository

MAX_SRCINFO_SIZE = 1024**2


def read_srcinfos(
    git: GitRepository, trees: Iterable[str]
) -> dict[str, SrcinfoFields | InputError]:
    """Return by tree what its `.SRCINFO` says, or why it cannot be used, read by two processes."""
    wanted = sorted(set(trees))
    if not wanted:
        return {}
    names = [f"{tree}:.SRCINFO" for tree in wanted]
    request = "".join(f"{name}\n" for name in names).encode()
    sizes = git.git("cat-file", "--batch-check=%(objecttype) %(objectsize)", stdin=request)
    found: dict[str, SrcinfoFields | InputError] = {}
    small = []
    for tree, line in zip(wanted, sizes.decode().splitlines(), strict=True):
        kind, _, size = line.partition(" ")
        if kind != "blob":
            found[tree] = InputError("there is no .SRCINFO in it")
        elif int(size) > MAX_SRCINFO_SIZE:
            found[tree] = InputError(f"its .SRCINFO has {size} bytes")
        else:
            small.append(tree)
    contents = git.read_blobs([f"{tree}:.SRCINFO" for tree in small])
    for tree, content in zip(small, contents, strict=True):
        try:
            found[tree] = parse_fields(content or b"", origin="its .SRCINFO")
        except InputError as error:
            found[tree] = error
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this package's
            found[tree] = InputError(f"its .SRCINFO cannot be read: {error!r}")
    return found
