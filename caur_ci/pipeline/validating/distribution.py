"""The names in package databases: of packages, their pkgbases, and what they provide."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from caur_ci.rebuild.databases import Shelf
from caur_ci.syncdb import read_packages
from caur_ci.web import Web, shown_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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


def names_in(
    databases: Iterable[str], *, proxy: str = ""
) -> tuple[Mapping[str, Collection[str]] | None, str]:
    """Return all names in some databases with their versions; none of what has no version.

    None, and why, where one of them cannot be read: a part of the names would make of everything
    in the others what nobody provides.
    """
    shelf = Shelf(Web(proxy=proxy))
    names: defaultdict[str, set[str]] = defaultdict(set)
    for database in databases:
        try:
            source = shelf.fetch(database) if "://" in database else Path(database)
            for name, version in _names(source):
                names[name].update([version] if version else ())
        except CaurError as error:
            return None, f"{shown_url(database)} cannot be read: {error.message}"
        except OSError as error:
            return None, f"{database} cannot be read: {error.strerror}"
    return dict(names), ""


def _names(source: Path | bytes) -> Iterator[tuple[str, str]]:
    for package in read_packages(source):
        yield package.name, package.version
        yield package.base, package.version
        for text in package.provides:
            name, _, version = text.translate(_SEPARATORS).partition("=")
            yield name, version.lstrip("=")
