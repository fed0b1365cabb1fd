"""What is taken down of a rebuild."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from caur_ci.demo.packages import LIBRARY, NEEDS_LIBRARY
from caur_ci.demo.rebuild import Rebuild, published_needs
from caur_ci.linkage import LINKAGE, PackageLinkage
from caur_ci.linkage.index import write_lines
from caur_ci.request import BuildRequest, PackageRequest
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

PLAN = {
    "decisions": [
        {"package": "almanac", "action": "held", "reason": "a danger"},
        {"package": LIBRARY, "action": "unchanged", "reason": ""},
        {"package": NEEDS_LIBRARY, "action": "bump", "reason": "libtide.so.1 is gone"},
    ]
}


def test_the_plan_and_the_request_tell_what_was_decided() -> None:
    rebuild = Rebuild()
    request = BuildRequest(
        request_id="12345678",
        created="2026-01-01T00:00:00Z",
        source_repo="caur-demo",
        target_repo="caur-demo",
        commit="a" * 40,
        packages=(PackageRequest(pkgbase=NEEDS_LIBRARY, group="libtide"),),
    )

    rebuild.decided(PLAN, request)
    rebuild.decided_later(PLAN)

    assert (rebuild.action, rebuild.reason) == ("bump", "libtide.so.1 is gone")
    assert rebuild.asked == (NEEDS_LIBRARY,)
    assert rebuild.groups == {"libtide"}
    assert rebuild.asked_later == (NEEDS_LIBRARY,)


def test_the_index_tells_what_the_published_program_needs(tmp_path: Path) -> None:
    assert published_needs(tmp_path) == ()
    need_tools("zstd")
    sonames = {NEEDS_LIBRARY: "libtide.so.1", "other": "libother.so.1"}
    packages = [
        PackageLinkage(
            name=name, base=name, version="1-1", sha256="0" * 64, needs={f"lib:{soname}": ("usr",)}
        )
        for name, soname in sonames.items()
    ]
    path = tmp_path / LINKAGE.file("caur-demo")
    with (tmp_path / "plain").open("wb") as stream:
        write_lines(LINKAGE, (package.to_line() for package in packages), stream)
    subprocess.run(["zstd", "-q", tmp_path / "plain", "-o", path], check=True)

    assert published_needs(tmp_path) == ("libtide.so.1",)
