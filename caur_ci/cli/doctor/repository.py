"""Looks at the repository of PKGBUILDs."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

from caur_ci import __version__
from caur_ci.config import PackageConfig, load_repository_config
from caur_ci.errors import CaurError
from caur_ci.git import GitRepository
from caur_ci.package_folders import CommittedFolders, unusable_folders
from caur_ci.pipeline.shared.refs import SharedRepository
from caur_ci.policy import policy_at
from caur_ci.process import run
from caur_ci.setup.pipelines import FORGES
from caur_ci.setup.releases import pinned_version
from caur_ci.srcinfo import SRCINFO
from caur_ci.update.hook import HOOK
from caur_ci.update.sandbox import bubblewrap

if TYPE_CHECKING:
    from caur_ci.cli.doctor.checks import Examination
    from caur_ci.config import RepositoryConfig
    from caur_ci.git import Credentials

_OLDEST_GIT = (2, 34)
_SHOWN = 5


def examine_repository(
    found: Examination, git: GitRepository, remote: str | None, credentials: Credentials | None
) -> None:
    """Look at what is committed at HEAD, at what it needs, and at the remote."""
    _git_version(found)
    head = git.resolve("HEAD")
    if head is None:
        found.problem("commits", "there is no commit yet", "Commit and push the packages.")
        return
    config = _config(found, git, head)
    if config is not None:
        folders = CommittedFolders.at(git, head)
        _packages(found, folders, config)
        _tools(found, folders, config)
    if found.look("policy", lambda: policy_at(git, head)) is not None:
        found.ok("policy", "it can be read")
    _pipeline_file(found, git, head)
    _remote(found, git, remote, credentials)


def _git_version(found: Examination) -> None:
    shown = run(["git", "--version"]).stdout.decode(errors="replace").strip()
    version = re.search(r"([0-9]+)\.([0-9]+)", shown)
    if version and (int(version[1]), int(version[2])) < _OLDEST_GIT:
        oldest = ".".join(map(str, _OLDEST_GIT))
        found.problem("git", shown, f"Install Git {oldest} or later.")
    else:
        found.ok("git", shown.removeprefix("git version "))


def _config(found: Examination, git: GitRepository, head: str) -> RepositoryConfig | None:
    def read() -> RepositoryConfig:
        (content,) = git.read_blobs([f"{head}:.ci/config"])
        loaded = load_repository_config(content or b"")
        for warning in loaded.warnings:
            found.warn(".ci/config", warning, "")
        return loaded.config

    config = found.look(".ci/config", read)
    if config is None:
        return None
    if config.repo_name and config.build_repo:
        found.ok(
            ".ci/config", f"publishes in {config.target_repo}, comes from {config.source_repo}"
        )
    else:
        found.problem(
            ".ci/config",
            "it does not say where packages are published and what this repository is called",
            "Commit REPO_NAME=NAME and BUILD_REPO=NAME in .ci/config.",
        )
    return config


def _packages(found: Examination, folders: CommittedFolders, config: RepositoryConfig) -> None:
    for sentence in unusable_folders(folders):
        found.warn("folders", sentence, "Rename or remove it.")
    missing = sorted(
        set(folders.having("PKGBUILD", folders.packages))
        - set(folders.having(SRCINFO, folders.packages))
    )
    if missing and not config.generate_srcinfo:
        names = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        found.warn(
            "packages",
            f"{len(missing)} of {len(folders.packages)} have no .SRCINFO: {names}",
            "`caur-ci srcinfo --write` writes them; CI_SRCINFO=generate needs none.",
        )
    else:
        found.ok("packages", f"{len(folders.packages)} folders")


def _tools(found: Examination, folders: CommittedFolders, config: RepositoryConfig) -> None:
    """Look for what runs of on-schedule need for the packages that there are."""
    hooks = folders.having(HOOK, folders.packages)
    if hooks and not config.hook_without_sandbox:
        if bubblewrap():
            found.ok("bubblewrap", f"runs {HOOK} of {len(hooks)} packages")
        else:
            found.problem(
                "bubblewrap",
                f"{HOOK} of {len(hooks)} packages cannot be run: bwrap is missing, or may make no "
                "namespaces here",
                "Install bubblewrap and allow user namespaces (docs/on-schedule.md).",
            )
    if config.shfmt:
        found.tool("shfmt", "CI_SHFMT asks for it")
    if config.lib_db:
        found.tool("zstd", "databases of CI_LIB_DB may need it")
    settings = folders.read(PackageConfig.FILE).values()
    if any(b"CI_NVCHECKER" in (content or b"") for content in settings):
        if find_spec("nvchecker"):
            found.ok("nvchecker", "it is installed")
        else:
            found.warn(
                "nvchecker",
                "packages have CI_NVCHECKER, and it is not installed: only versions from Git tags "
                "are found",
                "pip install 'caur-ci[nvchecker]'",
            )


def _pipeline_file(found: Examination, git: GitRepository, head: str) -> None:
    for forge in FORGES:
        (content,) = git.read_blobs([f"{head}:{forge.pipeline_path}"])
        version = pinned_version(content or b"")
        if version and version != __version__:
            found.warn(
                "pipeline",
                f"{forge.pipeline_path} installs caur-ci {version}, and this is {__version__}",
                "`caur-ci update-pipelines`, or look with the version that it installs.",
            )
        elif version:
            found.ok("pipeline", f"{forge.pipeline_path} installs caur-ci {version}")


def _remote(
    found: Examination, git: GitRepository, remote: str | None, credentials: Credentials | None
) -> None:
    def look() -> None:
        shared = SharedRepository.open(git, remote=remote, credentials=credentials)
        if shared.remote is None:
            found.warn("remote", "there is none", "`git remote add origin URL` adds one.")
            return
        snapshot = shared.snapshot(git.branch() or "refs/heads/main")
        waiting = len(shared.memory(snapshot).outbox.requests)
        if snapshot.tag is None:
            found.warn(
                "remote",
                "it has no tag `scheduled`: on-commit has never run to its end",
                "See the log of the pipeline of the last push.",
            )
        else:
            found.ok("remote", "it can be reached, and the tag `scheduled` is there")
        if waiting:
            found.warn(
                "outbox",
                f"{waiting} requests wait for the hand-over",
                "`caur-ci schedule --outbox` hands them over; see why its job fails.",
            )

    try:
        look()
    except CaurError as error:
        found.problem("remote", error.message, error.hint)
