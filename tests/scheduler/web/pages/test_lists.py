"""Lists as pages, as JSON and as feeds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from scheduler.job import Outcome
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    import pytest
    from starlette.testclient import TestClient

    from scheduler.queue import Queue

ATOM = "{http://www.w3.org/2005/Atom}"
LISTS = (
    *("/builds", "/published", "/failing", "/stale", "/held", "/broken", "/packages", "/waiting"),
    *("/groups", "/package/repo/x86_64/slicer/builds"),
)


def items(client: TestClient, path: str) -> list[Any]:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/json"
    return list(answer.json()["items"])


def test_every_list_has_three_forms_of_the_same(pages: TestClient) -> None:
    for path in LISTS:
        html = pages.get(path)
        data = pages.get(f"{path}.json").json()
        feed = pages.get(f"{path}.atom")
        root = ET.fromstring(feed.content)  # noqa: S314 - it is ours

        assert html.headers["vary"] == "Accept"
        assert f'href="{path}.json' in html.text
        assert f'type="application/atom+xml" title="{data["title"]}"' in html.text
        assert len(root.findall(f"{ATOM}entry")) == len(data["items"])
        assert html.text.count("<tr>") == len(data["items"]) + (1 if data["items"] else 0)
        assert feed.headers["content-type"].startswith("application/atom+xml")
        by_header = pages.get(path, headers={"Accept": "application/json"}).json()
        assert by_header["title"] == data["title"]
        fed = pages.get(path, headers={"Accept": "application/atom+xml"}).content
        assert b"<feed" in fed


def test_feeds_are_as_the_standard_wants_them(pages: TestClient) -> None:
    root = ET.fromstring(pages.get("/failing.atom").content)  # noqa: S314 - it is ours

    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}id") == "tag:caur-ci,2026:list/failing"
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "caur-ci"
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links["self"] == "http://testserver/failing.atom"
    (entry,) = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == "tag:caur-ci,2026:entry/build/2001"
    assert entry.findtext(f"{ATOM}title") == "repo/x86_64/broken-app: failed (compile)"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == "http://testserver/build/2001"
    updated = entry.findtext(f"{ATOM}updated")
    assert updated == root.findtext(f"{ATOM}updated")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(updated))


def test_what_failed_and_went_well_since_fails_no_more(pages: TestClient) -> None:
    failing = items(pages, "/failing.json")

    assert [it["identity"] for it in failing] == ["repo/x86_64/broken-app"]
    assert failing[0]["last_success"] is None


def test_packages_are_found_by_name_and_by_maintainer(pages: TestClient) -> None:
    def names(query: str) -> list[str]:
        return [it["package"]["pkgbase"] for it in items(pages, f"/packages.json?{query}")]

    assert names("") == ["alone", "broken-app", "lib", "slicer", "viewer"]
    assert names("q=*er") == ["slicer", "viewer"]
    assert names("q=LI") == ["lib", "slicer"]
    assert names("maintainer=Bob") == ["slicer"]
    assert names("maintainer=nobody") == []
    states = {it["package"]["pkgbase"]: it["state"] for it in items(pages, "/packages.json")}
    assert states == {
        "alone": None,
        "broken-app": "failed (compile)",
        "lib": "building",
        "slicer": "waiting",
        "viewer": None,
    }
    feed = ET.fromstring(pages.get("/packages.atom?q=slicer").content)  # noqa: S314 - it is ours
    assert not str(feed.findtext(f"{ATOM}updated")).startswith("1970")
    page = pages.get("/packages?maintainer=alice").text
    assert 'name="maintainer" value="alice"' in page
    assert 'href="/packages.atom?maintainer=alice"' in page


def test_a_search_for_a_name_leads_there(pages: TestClient) -> None:
    found = pages.get("/packages?q=slicer", follow_redirects=False)
    assert found.headers["location"] == "/package/slicer"
    # In no repository of PKGBUILDs, but in the queue.
    found = pages.get("/packages?q=fine-app", follow_redirects=False)
    assert found.headers["location"] == "/package/fine-app"
    assert pages.get("/packages?q=slic", follow_redirects=False).status_code == 200


def test_held_and_stale_packages_tell_why(pages: TestClient) -> None:
    (held,) = items(pages, "/held.json")
    assert (held["package"]["pkgbase"], held["by"], held["reason"]) == (
        "viewer",
        "alice",
        "waits for <Qt>",
    )
    (stale,) = items(pages, "/stale.json")
    assert (stale["package"]["pkgbase"], stale["failures"]) == ("alone", 4)


def test_results_go_on_with_the_next_part(
    pages: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scheduler.web.pages import build_lists  # noqa: PLC0415

    monkeypatch.setattr(build_lists, "PER_PAGE", 7)
    for path in (
        "/builds.json?q=slicer",
        "/published.json",
        "/package/repo/x86_64/lib/builds.json",
    ):
        seen: list[int] = []
        following: str | None = path
        while following:
            data = pages.get(following).json()
            seen += [it["job_id"] for it in data["items"]]
            following = data["next"]
        assert seen == sorted(set(seen), reverse=True)
        assert len(seen) >= 7


def test_rebuild_groups_tell_who_holds_them_up(queue: Queue, bare_pages: TestClient) -> None:
    submit(
        queue,
        job("lib", group="moved"),
        job("app", "lib", group="moved"),
        job("other", group="moved"),
    )
    lib, other = claimed(queue), claimed(queue)
    queue.land(other, "delivery")
    queue.stage(queue.claim_landed("runner"))
    assert "1 of 3 built" in bare_pages.get("/").text

    queue.finish(lib, Outcome.FAILED, "build() failed")
    page = bare_pages.get("/groups").text
    assert "held up" in page
    assert 'href="/package/repo/x86_64/lib"' in page
    (group,) = items(bare_pages, "/groups.json")
    assert [it["identity"] for it in group["failed"]] == ["repo/x86_64/lib"]
    assert group["name"] == "repo/x86_64/moved"


def test_thousands_of_waiting_jobs_come_in_parts(queue: Queue, bare_pages: TestClient) -> None:
    submit(queue, *(job(f"pkg-{number:04}") for number in range(250)))

    first = bare_pages.get("/waiting.json").json()
    assert (first["total"], len(first["items"])) == (250, 100)
    last = bare_pages.get("/waiting.json?page=3").json()
    assert [it["job"]["identity"] for it in last["items"]][-1] == "repo/x86_64/pkg-0249"
    assert (len(last["items"]), last["next"]) == (50, None)
    page = bare_pages.get("/").text
    assert page.count('<tr id="job-') == 50
    assert "All 250 jobs that wait" in page


def test_what_makes_no_sense_is_told(pages: TestClient) -> None:
    for path, status in (
        ("/builds?before=x", 400),
        ("/builds?before=99999999999999999999999", 400),
        ("/packages?page=0", 200),
        ("/packages?page=999999", 200),
        (f"/packages?q={'x' * 201}", 400),
        ("/builds?q=%00", 200),
        ("/builds?q=[", 200),
        ("/package/re%2fpo/x86_64/a/builds", 404),
        ("/package/repo/x86_64/-a/builds", 400),
        ("/package/repo/x86_64/..", 404),
        ("/package/%2e%2e", 400),
        ("/package/<script>", 400),
    ):
        answer = pages.get(path)

        assert answer.status_code == status, path
        assert "<script>" not in answer.text, path
