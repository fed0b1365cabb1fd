"""`.CI/config` in a package's folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from caur_ci.config import values as v
from caur_ci.config.loading import key

if TYPE_CHECKING:
    from caur_ci.config.interval import VcsInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageConfig:
    """How one package is kept current and built."""

    FILE: ClassVar[str] = ".CI/config"

    source: v.PkgbuildSource | None = key(
        "CI_PKGBUILD_SOURCE",
        v.SOURCE,
        "Where the package's files come from. Not set is the same as custom: the files are "
        "maintained here.",
    )
    bump: v.Bump | None = key(
        "CI_PACKAGE_BUMP",
        v.BUMP,
        "Raises pkgrel by 0.N, with a version only as long as the package is at that version. "
        "Without effect where CI_MANAGE_AUR is true.",
        lenient=True,
    )
    pkgrel_bump: int | None = key(
        "CI_PKGREL", v.NATURAL, "The old name of CI_PACKAGE_BUMP, a plain number."
    )
    force_vcs: bool = key(
        "CI_FORCE_VCS", v.BOOLEAN, "Follows upstream commits whatever the name ends in.", False
    )
    vcs_interval: VcsInterval | None = key(
        "CI_VCS_INTERVAL",
        v.VCS_INTERVAL,
        "How seldom new upstream commits lead to a build, in place of what the repository says.",
        lenient=True,
    )
    on_trigger: str = key(
        "CI_ON_TRIGGER", v.WORD, "Builds only in runs whose TRIGGER has this value.", ""
    )
    manage_aur: bool = key(
        "CI_MANAGE_AUR", v.BOOLEAN, "Pushes changes of this folder back to the AUR.", False
    )
    nvchecker: bool = key(
        "CI_NVCHECKER", v.BOOLEAN, "Follows upstream versions through nvchecker.", False
    )
    prereleases: bool = key(
        "CI_PRERELEASES", v.BOOLEAN, "Takes alphas, betas and the like of gitlab:ID as well.", False
    )
    change_allow_regex: tuple[str, ...] = key(
        "CI_PKGBUILD_CHANGE_ALLOW_REGEX",
        v.EXPRESSIONS,
        "Changes whose old and new line both match one of these need no review.",
        (),
    )
    rebuild_triggers: tuple[str, ...] = key(
        "CI_REBUILD_TRIGGERS", v.NAMES, "Rebuilds the package when one of these changes.", ()
    )
    rebuild_ignore_abi: bool = key(
        "CI_REBUILD_IGNORE_ABI", v.BOOLEAN, "Is not rebuilt when a soname changes.", False
    )
    signal_scan_ignore: bool = key(
        "CI_SIGNAL_SCAN_IGNORE", v.BOOLEAN, "Is left out of the scan for bad signs.", False
    )
    architectures: tuple[str, ...] = key(
        "CI_ARCHITECTURES",
        v.ARCHITECTURES,
        "Builds the package for these architectures of the repository only. Without effect where "
        "it is for any.",
        (),
    )
    cache_sources: bool = key(
        "BUILDER_CACHE_SOURCES", v.BOOLEAN, "Keeps downloaded sources between builds.", False
    )
    extra_timeout: int = key(
        "BUILDER_EXTRA_TIMEOUT", v.COUNT, "Multiplies the time that a build may take.", 1
    )
    build_class: str | None = key(
        "BUILDER_CLASS", v.BUILD_CLASS, "Which workers may build the package."
    )
    allow_prohibited: bool = key(
        "BUILDER_ALLOW_PROHIBITED", v.BOOLEAN, "Keeps replaces and groups of the packages.", False
    )
    allow_names: tuple[str, ...] = key(
        "CI_ALLOW_NAMES",
        v.NAMES,
        "Package names that this folder may publish although another folder or the distribution "
        "has them.",
        (),
    )
    allow_file_conflicts: tuple[str, ...] = key(
        "CI_ALLOW_FILE_CONFLICTS",
        v.NAMES,
        "Packages whose files those of this folder may ship as well, although neither says that "
        "it conflicts with the other.",
        (),
    )
    network: bool | None = key(
        "BUILDER_NETWORK", v.BOOLEAN, "Whether build() and what follows it may use the network."
    )
    pgp_check: bool | None = key(
        "BUILDER_PGP_CHECK", v.BOOLEAN, "Whether the PGP signatures of sources are checked."
    )
