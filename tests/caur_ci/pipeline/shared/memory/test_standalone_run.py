"""What runs without a build side remember, and what leaves the outbox piece by piece."""

from __future__ import annotations

import pytest

from caur_ci.pipeline.shared.memory.failed_builds import FailedBuild, FailedBuilds
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.pipeline.shared.memory.standalone_run import OnItsWay, StandaloneRun
from caur_ci.request import BuildRequest, PackageRequest

BUILT = OnItsWay(request_id="request-1", package="tool", arch="x86_64", files=("a.pkg", "b.pkg"))
RUN = StandaloneRun(id="one", until=5, who="somebody", on_its_way=(BUILT,))


def request(request_id: str, *packages: str, remove: tuple[str, ...] = ()) -> BuildRequest:
    return BuildRequest(
        request_id=request_id,
        created="2026-01-01T00:00:00+00:00",
        source_repo="source",
        target_repo="repo",
        commit="0" * 40,
        packages=tuple(PackageRequest(pkgbase=name) for name in packages),
        remove=remove,
    )


def test_a_run_is_read_as_it_was_written() -> None:
    assert StandaloneRun.from_bytes(RUN.to_bytes()) == RUN


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"id": "x"}', b'{"id": 1, "until": "x", "on_its_way": []}']
)
def test_a_run_that_makes_no_sense_is_none(content: bytes) -> None:
    assert StandaloneRun.from_bytes(content) is None


def test_something_is_published_when_all_of_it_is() -> None:
    assert BUILT.is_in({"a.pkg", "b.pkg", "c.pkg"})
    assert not BUILT.is_in({"a.pkg"})
    assert not OnItsWay(request_id="request-1", package="tool", arch="any", files=()).is_in(
        {"a.pkg"}
    )


def test_a_failed_build_is_remembered_until_it_is_built() -> None:
    def failed(package: str, arch: str = "x86_64") -> FailedBuild:
        return FailedBuild(package=package, arch=arch, commit="0" * 40, reason="x" * 400, time=7)

    builds = FailedBuilds().after([failed("one"), failed("two"), failed("two", "aarch64")], [])
    builds = FailedBuilds.from_bytes(builds.to_bytes() + b"nonsense\n[]\n")

    assert builds.packages == ["one", "two"]
    assert builds.after([], [("x86_64", "one")]).packages == ["two"]
    assert builds.after([], [("x86_64", "two")]).packages == ["one", "two"]
    assert builds.only(["one"]).packages == ["one"]
    assert len(builds.builds["x86_64", "one"].reason) == 300


def test_what_was_done_leaves_the_outbox_and_nothing_else_does() -> None:
    outbox = Outbox((request("first", "a", "b", remove=("old",)), request("second", "c")))

    left = outbox.settled(
        {"first": {("x86_64", "a"), ("x86_64", "c"), ("aarch64", "b")}, "gone": {("x86_64", "b")}},
        {"second"},
    )

    assert left.requests == (request("first", "b", remove=("old",)), request("second", "c"))
    assert (
        outbox.settled(
            {"first": {("x86_64", "a"), ("x86_64", "b")}, "second": {("x86_64", "c")}}, {"first"}
        ).requests
        == ()
    )
