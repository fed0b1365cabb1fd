"""What of the outbox a run takes, and what it leaves to others."""

from __future__ import annotations

from caur_ci.request import BuildRequest, PackageRequest
from caur_ci.standalone.share import Share, share_of

NOT_HERE = "nothing is built for aarch64 here"


def request(*packages: PackageRequest, number: int = 1, **fields: str) -> BuildRequest:
    return BuildRequest(
        request_id=f"request-{number}",
        created="2026-01-01T00:00:00+00:00",
        source_repo="source",
        target_repo=fields.pop("target_repo", "repo"),
        commit="0" * 40,
        packages=packages,
        remove=("gone",) if fields.pop("remove", "") else (),
    )


def taken(share: Share) -> list[str]:
    return [package.pkgbase for one in share.requests for package in one.packages]


def test_workers_are_handed_what_they_build_whomever_it_was_meant_for() -> None:
    asked = request(
        PackageRequest(pkgbase="large", build_class="bigbox"),
        PackageRequest(pkgbase="large", arch="aarch64"),
    )

    share = share_of([asked], ["x86_64"])
    assert share.requests[0].packages == (PackageRequest(pkgbase="large"),)
    assert share.left == {("request-1", "aarch64", "large"): NOT_HERE}
    assert share_of([asked], ["riscv64"]).is_empty
    assert not share_of([request(remove="yes")], ["riscv64"]).is_empty


def test_what_needs_something_that_others_build_for_all_is_left_with_it() -> None:
    data = PackageRequest(
        pkgbase="data", provides=("facts",), arch="aarch64", shared_with=("x86_64",)
    )
    packages = [
        data,
        PackageRequest(pkgbase="app", depends=("glibc", "facts")),
        PackageRequest(pkgbase="plugin", depends=("app",)),
        PackageRequest(pkgbase="plain", depends=("glibc",)),
    ]

    # In one request, or in several.
    for asked in (
        [request(*packages)],
        [request(package, number=number) for number, package in enumerate(reversed(packages))],
    ):
        share = share_of(asked, ["x86_64"])
        assert taken(share) == ["plain"]
        assert share.reasons == {
            "data": NOT_HERE,
            "app": "it needs data, which is left as well",
            "plugin": "it needs app, which is left as well",
        }


def test_builds_of_other_architectures_and_repositories_keep_nobody() -> None:
    native = PackageRequest(pkgbase="lib", arch="aarch64")
    app = PackageRequest(pkgbase="app", depends=("lib",))
    other = PackageRequest(pkgbase="lib", arch="aarch64", shared_with=("x86_64",))

    elsewhere = request(other, number=2, target_repo="other")
    assert taken(share_of([request(native, app), elsewhere], ["x86_64"])) == ["app"]
