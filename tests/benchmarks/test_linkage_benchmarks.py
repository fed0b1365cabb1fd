"""The look at libraries that is measured is a whole one."""

from __future__ import annotations

from benchmarks.linkage import linkage_rows
from tests.support.tools import need_tools


def test_a_look_and_a_large_package_are_measured() -> None:
    need_tools("git", "bsdtar", "zstd")
    rows = dict(linkage_rows(1, packages=20, database_packages=30, large=20 * 1024**2))
    assert next(iter(rows)) == "looked at"
    assert rows["looked at"].startswith("20 packages, 200 ELF files; databases of 30")
    assert all(" MB" in shown for shown in rows.values())
