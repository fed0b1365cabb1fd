"""Requests that wait to be handed over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.request import BuildRequest, PackageRequest


def request(
    number: int, *packages: str, remove: tuple[str, ...] = (), target: str = "t", arch: str = "any"
) -> BuildRequest:
    return BuildRequest(
        request_id=f"{number:032x}",
        created="2026-01-01T00:00:00+00:00",
        source_repo="s",
        target_repo=target,
        commit="c" * 40,
        arch=arch,
        packages=tuple(PackageRequest(pkgbase=name) for name in packages),
        remove=remove,
    )


def content(outbox: Outbox) -> list[tuple[int, list[str], list[str]]]:
    """Return of each request its number, what it builds and what it removes."""
    return [
        (int(one.request_id, 16), [p.pkgbase for p in one.packages], list(one.remove))
        for one in outbox.requests
    ]


def test_what_is_stored_is_read_again_in_order() -> None:
    outbox = Outbox().add(request(9, "a")).add(request(1, "b", remove=("c",)))
    for number in range(10, 20):
        outbox = outbox.add(request(number, f"p{number}"))

    files = outbox.to_files()

    assert list(files)[:2] == [f"000000-{9:032x}.json", f"000001-{1:032x}.json"]
    backwards = dict(reversed(files.items()))
    assert Outbox.from_files(backwards) == outbox
    assert Outbox.from_files({}) == Outbox()


@pytest.mark.parametrize("stored", [b"", b"{", b"[]", b"{}"])
def test_a_file_that_cannot_be_read_is_named(stored: bytes) -> None:
    with pytest.raises(InputError, match=r"outbox/7\.json on branch caur"):
        Outbox.from_files({"7.json": stored})


@pytest.mark.parametrize(
    ("newer", "left"),
    [
        (request(2, "c"), [(1, ["a", "b"], ["x", "y"])]),
        (request(2, "a"), [(1, ["b"], ["x", "y"])]),
        (request(2, remove=("a",)), [(1, ["b"], ["x", "y"])]),
        (request(2, "x"), [(1, ["a", "b"], ["y"])]),
        (request(2, remove=("x", "y")), [(1, ["a", "b"], [])]),
        (request(2, "a", "x", remove=("b", "y")), []),
        (request(2, "a", target="other"), [(1, ["a", "b"], ["x", "y"])]),
        (request(2, "a", arch="x86_64"), [(1, ["a", "b"], ["x", "y"])]),
    ],
)
def test_a_newer_one_takes_over_what_older_ones_asked_of_the_same_packages(
    newer: BuildRequest, left: list[tuple[int, list[str], list[str]]]
) -> None:
    outbox = Outbox().add(request(1, "a", "b", remove=("x", "y"))).add(newer)

    assert content(outbox)[:-1] == left
    assert outbox.requests[-1] is newer


def test_what_is_asked_of_other_architectures_stays() -> None:
    def asked(number: int, *architectures: str, **fields: Any) -> BuildRequest:  # noqa: ANN401 - any field
        packages = tuple(PackageRequest(pkgbase="a", arch=arch) for arch in architectures)
        return replace(request(number, arch="x86_64"), packages=packages, **fields)

    older = asked(1, "", "aarch64", remove=("x",), remove_from=("x86_64", "aarch64"))
    outbox = Outbox().add(older).add(asked(2, "", remove=("x",)))
    (left, _) = outbox.requests
    assert [package.arch for package in left.packages] == ["aarch64"]
    assert left.remove == ("x",)

    gone = asked(3, "x86_64", remove=("a", "x"), remove_from=("aarch64", "x86_64"))
    assert outbox.add(gone).requests == (gone,)


def test_every_older_one_gives_way() -> None:
    outbox = Outbox().add(request(1, "a", "b")).add(request(2, "c")).add(request(3, "b", "c"))

    assert content(outbox) == [(1, ["a"], []), (3, ["b", "c"], [])]


def test_what_was_acknowledged_goes() -> None:
    outbox = Outbox().add(request(1, "a")).add(request(2, "b")).add(request(3, "c"))

    left = outbox.without([f"{1:032x}", f"{3:032x}", "unknown"])

    assert content(left) == [(2, ["b"], [])]
    assert outbox.without([]) == outbox


def test_builds_that_are_taken_back_leave_all_else() -> None:
    outbox = Outbox().add(request(1, "a", remove=("x",))).add(request(2, "b", "c"))

    left, reasons = outbox.taken_back({"a", "b", "x"})

    assert content(left) == [(1, [], ["x"]), (2, ["c"], [])]
    assert reasons == {"a": "", "b": ""}
    assert left.taken_back({"c"})[0] == left.without([f"{2:032x}"])
    assert left.taken_back({"a"}) == (left, {})


def test_builds_for_other_architectures_can_be_left_out() -> None:
    both = replace(
        request(1, "a", "b", arch="x86_64"),
        packages=(PackageRequest(pkgbase="a"), PackageRequest(pkgbase="b", arch="aarch64")),
    )
    outbox = Outbox().add(both).add(request(2, "c", arch="aarch64"))
    outbox = outbox.add(request(3, "d", remove=("x",), arch="aarch64"))

    left = outbox.for_architectures(("x86_64",))

    assert content(left) == [(1, ["a"], []), (3, [], ["x"])]
