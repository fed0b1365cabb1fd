"""The benchmark of publishing does what it says that it measures."""

from __future__ import annotations

from benchmarks.publishing import Sizes, publishing_rows
from tests.support.tools import need_tools


def test_both_ways_lead_to_the_packages_expected() -> None:
    need_tools("gpg", "repo-add", "bsdtar", "zstd")
    together, single = publishing_rows(1, Sizes(repository=12, published=4, sampled=2))

    assert together.what == "publish 4 packages into 12, in one transaction"
    assert float(together.ratio) > 0
    assert single.what.startswith("one repo-add call")
