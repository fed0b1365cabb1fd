"""The names in package databases: of packages, their pkgbases, and what they provide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from caur_ci.rebuild.databases import Shelf
from caur_ci.syncdb import read_packages
from caur_ci.web import Web, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CONFIGURED = "configured"
_ENDINGS = ("*.db", "*.files")
_SEPARATORS = str.maketrans("<>", "==")


def databases_of(given: Iterable[str], configured: Sequence[str]) -> list[str]:
    """Return the files and URLs that are meant.

    A folder stands for all databases in it, `configured` for those of CI_LIB_DB. Raises InputError
    for a folder without any, and where none are configured.
    """
    found: list[str] = []
    for text in given:
        if text == CONFIGURED:
            if not configured:
                raise InputError(
                    "CI_LIB_DB in .ci/config names no databases",
                    hint="Set it, or name databases as files, folders or URLs.",
                )
            found += configured
        elif "://" not in text and Path(text).is_dir():
            found += _in_folder(Path(text))
        else:
            found.append(text)
    return list(dict.fromkeys(found))


def _in_folder(folder: Path) -> list[str]:
    for ending in _ENDINGS:
        if found := sorted(folder.glob(ending)):
            return [str(path) for path in found]
    raise InputError(f"{folder} has no databases (NAME.db)")


def names_in(databases: Iterable[str], *, proxy: str = "") -> tuple[frozenset[str] | None, str]:
    """Return all names of some databases; None, and why, where one of them cannot be read.

    A part of the names would make of everything in the others what nobody provides.
    """
    shelf = Shelf(Web(proxy=proxy))
    names: set[str] = set()
    for database in databases:
        try:
            source = shelf.fetch(database) if "://" in database else Path(database)
            names.update(_names(source))
        except CaurError as error:
            return None, f"{shown_url(database)} cannot be read: {error.message}"
        except OSError as error:
            return None, f"{database} cannot be read: {error.strerror}"
    return frozenset(names), ""


def _names(source: Path | bytes) -> Iterator[str]:
    for package in read_packages(source):
        yield package.name
        yield package.base
        for text in package.provides:
            yield text.translate(_SEPARATORS).partition("=")[0]
