"""Packages whose new versions are written by us, and a writer that works on this machine only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.pkgbuild import evaluate, parse, render_srcinfo
from caur_ci.srcinfo import parse_fields
from caur_ci.update.recording import Live
from caur_ci.update.release import ReleaseWriter
from caur_ci.update.source import FollowedPackage, LastSeen
from caur_ci.update.source_sums import Limits, SourceSums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.config import PackageConfig
    from caur_ci.confined import Confined
    from tests.support.objects import ObjectStore


def followed_package(
    store: ObjectStore,
    pkgbuild: str,
    config: PackageConfig,
    *,
    name: str = "tool",
    seen: LastSeen | None = None,
    more: Mapping[str, str] | None = None,
) -> FollowedPackage:
    """Return a package with the `.SRCINFO` that follows; and `more` files."""
    srcinfo = render_srcinfo(evaluate(parse(pkgbuild.encode())))
    files = {"PKGBUILD": pkgbuild, ".SRCINFO": srcinfo.decode()}
    files |= more or {}
    return FollowedPackage(
        name=name,
        config=config,
        tree=store.tree(files),
        fields=parse_fields(srcinfo),
        seen=seen or LastSeen(),
    )


def release_writer(
    store: ObjectStore, confined: Confined, *, allow_local: bool = True
) -> ReleaseWriter:
    """Return a writer whose sources may be on this machine."""
    limits = Limits(size=10_000_000, seconds=20)
    sums = SourceSums(allow_local=allow_local, limits=limits, sleep=lambda _: None)
    return ReleaseWriter(store.git, confined, sums, Live())
