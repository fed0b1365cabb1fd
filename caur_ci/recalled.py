"""The packages that were recalled: they are not to be published, whatever the folders say.

The CI side keeps their names in the file `recalled` on branch `caur`, a folder on each line. The
database runner reads it there: whoever may write to the queue can ask for a removal, but only a
commit takes a package away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Iterable

RECALLED = "recalled"
RECALLED_BRANCH = "refs/heads/caur"


def read_recalled(content: bytes) -> frozenset[str]:
    """Return the folders in the file. Raises InputError where it makes no sense."""
    names = frozenset(content.decode(errors="replace").split("\n")) - {""}
    odd = sorted(name for name in names if not is_package_name(name))
    if odd:
        raise InputError(
            f"{RECALLED} on branch caur has the line {odd[0][:80]!a}, which is no package",
            hint="Restore an older state of the branch.",
        )
    return names


def write_recalled(names: Iterable[str]) -> bytes:
    """Return the file with these folders: nothing where there are none."""
    return "".join(f"{name}\n" for name in sorted(names)).encode()
