"""A repository that somebody else's tools keep becomes one of ours, in one commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, RepositoryConfig, load_repository_config
from caur_ci.errors import InputError
from caur_ci.git.trees import files_below
from caur_ci.keyvalue import KeyValueFile
from caur_ci.pipeline.manual.operation import Edit
from caur_ci.setup.existing import forge_of, is_there, other_jobs, superseded
from caur_ci.setup.lilac import PYTHON_FILE, YAML_FILE, convert
from caur_ci.setup.new_repository import IGNORED
from caur_ci.setup.pipelines import Forge, pipeline_template
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from caur_ci.pipeline.manual.operation import Branch

_IGNORE = ".gitignore"
_NVCHECKER = "nvchecker.toml"


class Origin(StrEnum):
    """What kept a repository before."""

    TEMPLATE = "template"  # the existing bash template
    LILAC = "lilac"
    FOLDERS = "folders"  # nothing: folders with PKGBUILDs


@dataclass(slots=True)
class _Change:
    """Files as they are to be, None for those that go, and what people are told."""

    files: dict[str, bytes | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrate:
    """Take a repository over. What is None is found out: from what is there."""

    name = "migrate"

    origin: Origin | None = None
    forge: Forge | None = None
    target_repo: str = ""
    source_repo: str = ""

    def edit(self, branch: Branch) -> Edit:
        """Return the change. Raises InputError where it is not clear what is there."""
        git, commit = branch.git, branch.repository.commit
        paths = {it.path for it in files_below(git, commit)}
        folders = branch.repository.folders
        origin = self.origin or _origin(paths, folders.packages)
        forge = self.forge or forge_of(paths)
        change = _Change()
        if origin is Origin.TEMPLATE:
            change.files |= dict.fromkeys(superseded(paths))
        elif origin is Origin.LILAC:
            self._packages(branch, change)
        self._config(branch, paths, change, origin)
        self._pipeline(branch, forge, paths, change)
        self._ignored(branch, change)
        if origin is not Origin.TEMPLATE:
            change.notes.append("nothing is built because of it: `caur-ci schedule all` builds all")
        return Edit(
            message="ci: let caur-ci keep the packages\n\n"
            f"Taken over from: {_TOLD[origin]}. Reverting this commit is the way back.\n",
            files=change.files,
            builds=False,
            notes=tuple(change.notes),
        )

    def _config(
        self, branch: Branch, paths: Collection[str], change: _Change, origin: Origin
    ) -> None:
        path = RepositoryConfig.FILE
        (content,) = branch.git.read_blobs([f"{branch.repository.commit}:{path}"])
        loaded = load_repository_config(content or b"")
        change.notes += [f"{path}: {warning}" for warning in loaded.warnings]
        wanted = {
            "REPO_NAME": self.target_repo or loaded.config.repo_name or "",
            "BUILD_REPO": self.source_repo or loaded.config.build_repo or "",
        }
        if not all(wanted.values()):
            raise InputError(
                "where packages are published, and what this repository is called on the build "
                "side, is not known",
                hint="Say --target-repo NAME and --source-repo NAME.",
            )
        file = KeyValueFile.parse(content or b"", origin=path)
        for key, value in wanted.items():
            if file.get(key) != value:
                file.set(key, value)
        if origin is not Origin.TEMPLATE and not loaded.config.generate_srcinfo:
            _generate_srcinfos(branch, paths, file, change)
        if file.render() != (content or b""):
            change.files[path] = file.render()

    def _pipeline(
        self, branch: Branch, forge: Forge, paths: Collection[str], change: _Change
    ) -> None:
        path = forge.pipeline_path
        if not path:
            change.notes.append("no pipeline is written: --forge NAME asks for one")
            return
        ours = pipeline_template(forge)
        if path in paths:
            (old,) = branch.git.read_blobs([f"{branch.repository.commit}:{path}"])
            if old == ours:
                return
            if forge is Forge.GITLAB and (own := list(other_jobs(old or b""))):
                change.notes.append(
                    f"{path} has more than the template: {', '.join(own)}. They go with it; put "
                    "what you need of them back"
                )
        change.files[path] = ours

    def _ignored(self, branch: Branch, change: _Change) -> None:
        (content,) = branch.git.read_blobs([f"{branch.repository.commit}:{_IGNORE}"])
        text = (content or b"").decode("utf-8", "surrogateescape")
        missing = [line for line in IGNORED if line not in text.splitlines()]
        if missing:
            lines = [text.rstrip("\n"), *missing] if text.strip() else missing
            change.files[_IGNORE] = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")

    def _packages(self, branch: Branch, change: _Change) -> None:
        folders = branch.repository.folders
        files = folders.contents(
            (YAML_FILE, PYTHON_FILE, PackageConfig.FILE, _NVCHECKER), folders.packages
        )
        for name, its in files.items():
            if YAML_FILE in its or PYTHON_FILE in its:
                _convert(name, its, change)


def _generate_srcinfos(
    branch: Branch, paths: Collection[str], file: KeyValueFile, change: _Change
) -> None:
    """Let `.SRCINFO` files be made where folders have none."""
    folders = branch.repository.folders
    packages = folders.having("PKGBUILD", folders.packages)
    missing = [name for name in packages if f"{name}/{SRCINFO}" not in paths]
    if missing:
        file.set("CI_SRCINFO", "generate")
        change.notes.append(
            f"{len(missing)} packages have no .SRCINFO: CI_SRCINFO=generate makes them from "
            "PKGBUILDs where they are needed"
        )


def _convert(name: str, its: Mapping[str, bytes], change: _Change) -> None:
    path = f"{name}/{PackageConfig.FILE}"
    try:
        converted = convert(name, its.get(YAML_FILE), its.get(PYTHON_FILE))
    except InputError as error:
        change.notes.append(f"{name} is left as it is: {error.message}")
        return
    file = KeyValueFile.parse(its.get(PackageConfig.FILE, b""), origin=path)
    for key, value in converted.config.items():
        if file.get(key) is None:
            file.set(key, value)
    change.files[path] = file.render()
    if converted.nvchecker and _NVCHECKER not in its:
        change.files[f"{name}/{_NVCHECKER}"] = converted.nvchecker.encode()
    if converted.left_out:
        change.notes.append(f"{name}: not carried over: {', '.join(converted.left_out)}")


def _origin(paths: Collection[str], packages: Collection[str]) -> Origin:
    if is_there(paths):
        return Origin.TEMPLATE
    if any(f"{name}/{file}" in paths for name in packages for file in (YAML_FILE, PYTHON_FILE)):
        return Origin.LILAC
    if any(f"{name}/PKGBUILD" in paths for name in packages):
        return Origin.FOLDERS
    raise InputError(
        "there is no package folder with a PKGBUILD", hint="`caur-ci init` begins a repository."
    )


_TOLD = {
    Origin.TEMPLATE: "the bash template of infra 4.0",
    Origin.LILAC: "lilac",
    Origin.FOLDERS: "folders with PKGBUILDs",
}
