"""Puts all checks together: from a snapshot to what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, RepositoryConfig
from caur_ci.deptree import DependencyTree
from caur_ci.errors import ConfigError, InputError
from caur_ci.srcinfo import parse_fields
from caur_ci.validation import configs, dependencies, files, recipes, settings
from caur_ci.validation.aur_rules import check_aur
from caur_ci.validation.catalogue import finding
from caur_ci.validation.configs import ReadConfig
from caur_ci.validation.interfere_files import check_interfere
from caur_ci.validation.licences import check_licences
from caur_ci.validation.model import Report, in_order
from caur_ci.validation.silences import Silences
from caur_ci.validation.snapshot import PACKAGE_CONFIG, POLICY, REPOSITORY_CONFIG, SILENCES
from caur_ci.validation.sources import check_sources
from caur_ci.validation.srcinfo_lines import SrcinfoLines
from caur_ci.validation.view import PackageView, RepositoryView, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.pkgbuild.recipe import Recipe
    from caur_ci.srcinfo import SrcinfoFields
    from caur_ci.validation.model import Finding
    from caur_ci.validation.snapshot import Folder, Snapshot


class Checker:
    """Checks one snapshot.

    `recipes` are those that were evaluated, by folder: without them nothing is told of whether
    `.SRCINFO` files follow from PKGBUILDs. `nvchecker` says of folders why their file is of no use.
    """

    def __init__(self, snapshot: Snapshot, *, surroundings: Surroundings | None = None) -> None:
        self._snapshot = snapshot
        self._surroundings = surroundings or Surroundings()
        self.recipes: Mapping[str, Recipe] = {}
        self.nvchecker: Mapping[str, str] = {}
        self._configs = {name: _package_config(folder) for name, folder in snapshot.folders.items()}
        self._own = ReadConfig(
            RepositoryConfig, snapshot.own.get(REPOSITORY_CONFIG, b""), path=REPOSITORY_CONFIG
        )
        self.config: RepositoryConfig = self._own.config or RepositoryConfig()

    def following_nvchecker(self) -> list[str]:
        """Return the folders that are looked at and whose nvchecker file counts."""
        return [
            name
            for name in sorted(self._snapshot.checked)
            if (config := self._configs[name].config) is not None and config.nvchecker
        ]

    def report(self, *, with_repository: bool, alone: bool = False) -> Report:
        """Return what is wrong.

        `with_repository` tells of the repository's own files, too, and of folders that are none of
        packages. `alone` leaves out what needs all folders to be told.
        """
        silences = Silences.parse(self._snapshot.own.get(SILENCES))
        found = in_order(self._findings(with_repository=with_repository, alone=alone))
        told = list(silences.without_silenced(found))
        silenced = len(found) - len(told)
        if with_repository:
            everything = self._snapshot.checked == self._snapshot.folders.keys()
            told += silences.findings(everything=everything)
        return Report(
            findings=in_order(told),
            packages=tuple(sorted(self._snapshot.checked)),
            silenced=silenced,
        )

    def _findings(self, *, with_repository: bool, alone: bool) -> Iterator[Finding]:
        repository = self._view()
        for name in sorted(self._snapshot.checked):
            yield from self._surely(repository.packages[name], repository)
        if not alone:
            yield from self._among(repository)
        if with_repository:
            yield from self._own.findings()
            yield from _policy(self._snapshot)
            yield from files.check_own_files(self._snapshot)
            yield from recipes.check_folders(self._snapshot)
            yield from settings.check_repository_settings(repository, self._own.lines)

    @staticmethod
    def _among(repository: RepositoryView) -> Iterator[Finding]:
        """Yield what is wrong between packages."""
        yield from recipes.check_shared_names(repository)
        yield from dependencies.check_dependencies(repository)
        yield from settings.check_triggers(repository)

    def _surely(self, view: PackageView, repository: RepositoryView) -> Iterator[Finding]:
        """Yield the same as `_package`; what one folder does to a check costs no other its own."""
        try:
            yield from self._package(view, repository)
        except Exception as error:  # noqa: BLE001 - whatever is in a folder is that folder's
            yield finding("unchecked", package=view.name, file=view.name, what=repr(error))

    def _package(self, view: PackageView, repository: RepositoryView) -> Iterator[Finding]:
        """Yield what is wrong with one package, wherever the others are."""
        yield from self._configs[view.name].findings()
        generates = repository.config.generate_srcinfo
        yield from recipes.check_recipe(view, generates=generates)
        yield from files.check_files(view.folder, has_modes=self._snapshot.has_modes)
        yield from check_interfere(view.folder)
        yield from dependencies.check_relations(view)
        yield from check_sources(view)
        yield from check_licences(view)
        yield from settings.check_settings(view, repository)
        yield from check_aur(view, generates=generates)

    def _view(self) -> RepositoryView:
        views = {
            name: self._package_view(folder) for name, folder in self._snapshot.folders.items()
        }
        tree = DependencyTree.build(
            {name: view.fields for name, view in views.items() if view.fields is not None}
        )
        return RepositoryView(
            packages=views,
            checked=self._snapshot.checked,
            config=self.config,
            tree=tree,
            surroundings=self._surroundings,
        )

    def _package_view(self, folder: Folder) -> PackageView:
        recipe, config = self.recipes.get(folder.name), self._configs[folder.name]
        data = folder.srcinfo
        fields, problem = _read(data)
        made = recipe.srcinfo if recipe is not None else None
        counts = (
            made is not None and recipe is not None and (data is None or bool(recipe.differences))
        )
        if counts:
            data = made
            fields, _ = _read(data)
        is_checked = folder.name in self._snapshot.checked
        return PackageView(
            folder=folder,
            config=config.config,
            config_lines=config.lines,
            recipe=recipe,
            srcinfo=SrcinfoLines.parse(data if data and is_checked else b""),
            is_committed=not counts,
            fields=fields,
            problem=problem,
            nvchecker_problem=self.nvchecker.get(folder.name, ""),
        )


def _read(srcinfo: bytes | None) -> tuple[SrcinfoFields | None, str]:
    """Return what pipelines take from a `.SRCINFO`, and why it is nothing where it is."""
    if srcinfo is None:
        return None, ""
    try:
        return parse_fields(srcinfo, origin="it"), ""
    except InputError as error:
        return None, error.message.removeprefix("it, ").removeprefix("it ")


def _package_config(folder: Folder) -> ReadConfig:
    data = folder.contents.get(PACKAGE_CONFIG, b"")
    path = folder.path(PACKAGE_CONFIG)
    return configs.ReadConfig(PackageConfig, data, path=path, package=folder.name)


def _policy(snapshot: Snapshot) -> Iterator[Finding]:
    from caur_ci.policy.reading import read_policy  # noqa: PLC0415 - slow to import

    try:
        read_policy(snapshot.own.get)
    except ConfigError as error:
        for line in error.message.splitlines():
            yield finding("policy-unusable", file=POLICY, what=line)
