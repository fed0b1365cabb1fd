"""Evaluates the PKGBUILDs of a snapshot: in parallel, each once for a content."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from caur_ci.confined import Confined
from caur_ci.errors import InputError
from caur_ci.generated_srcinfo.cache import Generated, SrcinfoCache
from caur_ci.pkgbuild.recipe import Recipe, read_recipe
from caur_ci.update.nvchecker_file import FILES, read_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from caur_ci.validation.snapshot import Folder

_CACHE = "validated-recipes.sqlite"


class RecipeReader:
    """Reads recipes, and keeps in `state` (a folder) what was found; nothing is run."""

    def __init__(self, state: Path | None = None) -> None:
        self._cache = None if state is None else SrcinfoCache(state / _CACHE)

    def read(self, folders: Iterable[Folder]) -> dict[str, Recipe]:
        """Return the recipe of each folder that has a PKGBUILD."""
        wanted = {folder.name: folder for folder in folders if folder.pkgbuild is not None}
        keys = {name: _key(folder) for name, folder in wanted.items()}
        known = self._known(keys.values())
        missing = {key: wanted[name] for name, key in keys.items() if key not in known}
        known |= self._made(missing)
        return {name: known[key] for name, key in keys.items()}

    def _known(self, keys: Iterable[str]) -> dict[str, Recipe]:
        if self._cache is None:
            return {}
        found = self._cache.read(list(keys))
        return {key: recipe for key, one in found.items() if (recipe := _stored(one)) is not None}

    def _made(self, folders: Mapping[str, Folder]) -> dict[str, Recipe]:
        if not folders:
            return {}
        workers = min(len(folders), len(os.sched_getaffinity(0)))
        with Confined() as confined, ThreadPoolExecutor(workers) as pool:
            results = pool.map(partial(_recipe, confined), folders.values())
            made = dict(zip(folders, results, strict=True))
        if self._cache is not None:
            # A limit that was hit has no lines; another machine may not come to it.
            kept = {key: it for key, it in made.items() if it.lines is not None}
            self._cache.write(
                {key: Generated(json.dumps(it.to_dict()).encode()) for key, it in kept.items()}
            )
        return made


def nvchecker_problems(folders: Iterable[Folder]) -> dict[str, str]:
    """Return why the nvchecker files of folders are of no use, for those whose are not."""
    given = [
        (folder.name, next(folder.contents[it] for it in FILES if it in folder.contents))
        for folder in folders
        if not folder.contents.keys().isdisjoint(FILES)
    ]
    problems: dict[str, str] = {}
    if not given:
        return problems
    with Confined() as confined:
        for name, data in given:
            try:
                confined.call(read_entry, data.decode(), name)
            except UnicodeDecodeError:
                problems[name] = "it is not UTF-8"
            except InputError as error:
                problems[name] = error.message
    return problems


def _recipe(confined: Confined, folder: Folder) -> Recipe:
    try:
        return read_recipe(confined, folder.pkgbuild or b"", folder.srcinfo, folder.top_names)
    except InputError as error:
        return Recipe(doubt=error.message)


def _stored(one: Generated) -> Recipe | None:
    try:
        return Recipe.from_dict(json.loads(one.content or b""))
    except (ValueError, KeyError, TypeError):
        return None


def _key(folder: Folder) -> str:
    digest = hashlib.sha256()
    names = "\0".join(folder.top_names).encode("utf-8", "surrogateescape")
    for part in (
        names,
        folder.pkgbuild or b"",
        folder.srcinfo or b"",
        str(folder.srcinfo is None).encode(),
    ):
        digest.update(b"%d\0" % len(part) + part)
    return f"recipe:{digest.hexdigest()}"
