"""What the AUR is asked, and what is made of its answers."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.aur import Aur, AurError, AurPackage
from caur_ci.aur.archive import ArchiveCache, fetch_archive
from caur_ci.aur.rpc import NAMES_PER_REQUEST, fetch_info
from caur_ci.web import Web, WebError
from tests.support.aur_server import AurServer, Fault, aur_server
from tests.support.pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=["aurweb", "goaurrpc"])
def aur(request: pytest.FixtureRequest) -> Iterator[AurServer]:
    with aur_server(goaurrpc=request.param == "goaurrpc") as server:
        yield server


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def web(pauses: Pauses) -> Web:
    return Web(sleep=pauses)


def same(names: list[str]) -> dict[str, str]:
    return dict(zip(names, names, strict=True))


def test_packages_are_found_whatever_is_in_their_names(aur: AurServer, web: Web) -> None:
    names = ["a", "libc++", "x.y", "@b", "c_d-git"]
    for name in names:
        aur.add(name, "1:2-3", modified=17)

    found = Aur(web, aur.url).look_up(same([*names, "unknown"]))

    assert sorted(found) == sorted(names)
    assert found["libc++"] == AurPackage(
        name="libc++",
        base="libc++",
        version="1:2-3",
        last_modified=17,
        maintainer="somebody",
        comaintainers=(),
        first_submitted=17,
    )
    assert [method for method, _, _ in aur.requests] == ["POST"]


def test_an_orphan_has_no_maintainer(aur: AurServer, web: Web) -> None:
    aur.add("a", maintainer=None)

    assert Aur(web, aur.url).look_up({"a": "a"})["a"].maintainer == ""


def test_a_split_package_is_asked_for_by_one_of_its_names(aur: AurServer, web: Web) -> None:
    aur.add("suite-doc", base="suite", version="2-1")

    found = Aur(web, aur.url).look_up({"suite": "suite-doc"})

    assert found["suite"].version == "2-1"


def test_a_name_that_moved_to_another_base_is_not_taken_for_it(aur: AurServer, web: Web) -> None:
    aur.add("tool", base="something-else")

    assert Aur(web, aur.url).look_up({"tool": "tool"}) == {}


def test_many_names_are_asked_for_in_a_few_requests(aur: AurServer, web: Web) -> None:
    names = [f"package-{number}" for number in range(2 * NAMES_PER_REQUEST + 1)]
    for name in names:
        aur.add(name)

    assert len(fetch_info(web, aur.url, [*names, names[0].upper()])) == len(names)
    assert len(aur.requests) == 3


def test_very_many_come_out_of_the_archive(aur: AurServer, web: Web) -> None:
    names = [f"package-{number}" for number in range(10_001)]
    for name in [*names, "another"]:
        aur.add(name)

    assert len(Aur(web, aur.url).look_up(same(names))) == len(names)
    assert [path for _, path, _ in aur.requests] == ["/packages-meta-v1.json.gz"]


def test_an_archive_that_is_compressed_twice_is_never_asked_for(aur: AurServer, web: Web) -> None:
    aur.compress_again = True
    aur.add("a")

    assert [package.name for package in fetch_archive(web, aur.url, {"a"})] == ["a"]


def test_an_archive_that_has_not_changed_is_not_sent_again(
    aur: AurServer, web: Web, tmp_path: Path
) -> None:
    cache = ArchiveCache(tmp_path / "cache")
    aur.add("a", "1-1")
    first = fetch_archive(web, aur.url, {"a"}, cache)
    aur.faults.clear()

    assert fetch_archive(web, aur.url, {"a"}, cache) == first
    content, tag = cache.load()
    assert content
    assert tag

    aur.add("a", "2-1")
    assert fetch_archive(web, aur.url, {"a"}, cache)[0].version == "2-1"


@pytest.mark.parametrize("damage", ["cut", "not gzip", "no end", "no name", "no json"])
def test_a_damaged_archive_is_an_error_and_is_not_kept(
    aur: AurServer, web: Web, tmp_path: Path, damage: str
) -> None:
    aur.add("a")
    whole = aur.archive()
    record = json.dumps({**aur.records["a"], "Name": 1})
    bodies = {
        "cut": whole[:-20],
        "not gzip": b"<html>",
        "no end": gzip.compress(gzip.decompress(whole).removesuffix(b"]\n")),
        "no name": gzip.compress(f"[\n{record}\n]\n".encode()),
        "no json": gzip.compress(b"[\n{]\n]\n"),
    }
    aur.faults.append(Fault(body=bodies[damage]))
    cache = ArchiveCache(tmp_path / "cache")

    with pytest.raises(AurError, match="archive"):
        fetch_archive(web, aur.url, {"a"}, cache)
    assert cache.load() == (b"", "")


@pytest.mark.parametrize("fetch", [fetch_info, fetch_archive])
def test_a_record_that_makes_no_sense_costs_no_other(
    aur: AurServer, web: Web, fetch: Callable[[Web, str, list[str]], list[AurPackage]]
) -> None:
    aur.add("a")
    aur.add("b")
    aur.records["a"]["LastModified"] = "soon"

    found = {one.name: one for one in fetch(web, aur.url, ["a", "b"])}

    assert found["a"].problem == "LastModified is not a whole number"
    assert found["b"].problem == ""
    assert found["b"].last_modified


def test_a_record_in_the_archive_of_a_base_that_is_no_name_is_left_out(
    aur: AurServer, web: Web
) -> None:
    aur.add("a")
    aur.add("b")
    aur.records["a"]["PackageBase"] = {}

    assert [one.name for one in fetch_archive(web, aur.url, ["a", "b"])] == ["b"]


def test_an_error_with_status_200_is_an_error(aur: AurServer, web: Web) -> None:
    body = json.dumps({"version": 5, "type": "error", "error": "Too many package results."})
    aur.faults.append(Fault(body=body.encode()))

    with pytest.raises(AurError, match="Too many package results"):
        fetch_info(web, aur.url, ["a"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"results": [{"Name": 1}]}'])
def test_an_answer_that_makes_no_sense_is_an_error(aur: AurServer, web: Web, body: bytes) -> None:
    aur.faults.append(Fault(body=body))

    with pytest.raises(AurError):
        fetch_info(web, aur.url, ["a"])


def test_a_server_in_trouble_is_asked_again_after_a_while(
    aur: AurServer, web: Web, pauses: Pauses
) -> None:
    aur.add("a")
    aur.faults.extend([Fault(500), Fault(503, retry_after="7"), Fault(body=b"{}" * 90, cut=10)])

    assert len(fetch_info(web, aur.url, ["a"])) == 1
    assert pauses.taken == [1.0, 7.0, 15.0]


def test_a_server_that_stays_in_trouble_is_given_up(
    aur: AurServer, web: Web, pauses: Pauses
) -> None:
    aur.faults.extend([Fault(502)] * 4)

    with pytest.raises(WebError, match="answered with status 502"):
        fetch_info(web, aur.url, ["a"])
    assert len(pauses.taken) == 3


def test_what_is_not_there_is_not_asked_for_again(aur: AurServer, web: Web) -> None:
    with pytest.raises(WebError, match="status 404"):
        web.get(f"{aur.url}/nothing?token=secret")
    assert len(aur.requests) == 1


def test_a_server_that_asks_for_an_hour_is_not_waited_for(
    aur: AurServer, web: Web, pauses: Pauses
) -> None:
    aur.faults.append(Fault(429, retry_after="3600"))

    with pytest.raises(WebError, match="status 429"):
        fetch_info(web, aur.url, ["a"])
    assert pauses.taken == []


def test_when_the_rpc_has_had_enough_the_archive_is_asked(aur: AurServer, web: Web) -> None:
    aur.rate_limit = 0
    aur.add("a")

    assert Aur(web, aur.url).look_up({"a": "a"})["a"].version == "1-1"
    assert aur.requests[-1][1] == "/packages-meta-v1.json.gz"


def test_an_aur_that_is_down_is_told_without_what_is_secret(web: Web) -> None:
    with aur_server() as server:
        url = server.url
    secret = url.replace("http://", "http://me:s3cret@")

    with pytest.raises(WebError) as caught:
        Aur(web, secret).look_up({"a": "a"})
    assert "no connection" in caught.value.message
    assert "s3cret" not in caught.value.message


def test_a_proxy_is_asked_in_place_of_the_server(aur: AurServer, pauses: Pauses) -> None:
    aur.add("a")
    # As a proxy it is asked for the whole URL, which it does not know.
    web = Web(proxy=aur.url, sleep=pauses)

    with pytest.raises(WebError, match="status 404"):
        fetch_info(web, "http://aur.invalid", ["a"])
    assert aur.requests[0][1] == "http://aur.invalid/rpc"
