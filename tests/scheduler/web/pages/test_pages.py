"""What the pages say, without scripts."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from starlette.testclient import TestClient

from scheduler.history import BuildLogs
from scheduler.job import Outcome, Removal
from scheduler.logs import LogStore
from scheduler.queue import Queue
from scheduler.settings import WebSettings
from scheduler.web.application import create_app
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from scheduler.history import History
    from scheduler.queue import Claim
    from scheduler.web.services import WebServices

EVERY_PAGE = (
    *("/", "/builds", "/published", "/failing", "/stale", "/held", "/broken", "/packages"),
    *("/waiting", "/dependencies", "/failures", "/failures?days=365", "/build/1", "/build/1001"),
    *("/log/1/1", "/package/repo/x86_64/slicer", "/package/repo/x86_64/slicer/builds"),
    *("/package/repo/x86_64/broken-app", "/fragments/queue"),
)
_VOID = frozenset({"meta", "link", "input", "br", "path", "rect", "line", "img"})


class _Checker(HTMLParser):
    """Notes elements that are not closed, ids that come twice, and what a strict policy stops."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.wrong: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [str(values["id"])] if "id" in values else []
        self.links += [str(values["href"])] if tag == "a" else []
        if "style" in values or any(name.startswith("on") for name in values):
            self.wrong.append(f"{tag} {values}")
        if tag == "script" and "src" not in values:
            self.wrong.append("a script inside")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def text_of(html: str) -> str:
    """Return what a reader sees, with single blanks."""
    body = html.partition("<main")[2].partition("</main>")[0] or html
    words = re.sub(r"<[^>]+>", " ", body)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&amp;", "&")):
        words = words.replace(entity, char)
    return " ".join(words.split())


def read(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return text_of(answer.text)


def test_pages_are_well_formed(pages: TestClient) -> None:
    for path in EVERY_PAGE:
        answer = pages.get(path)
        checker = _Checker()
        checker.feed(answer.text)

        assert answer.status_code == 200, path
        assert (checker.open, checker.wrong) == ([], []), path
        assert len(checker.ids) == len(set(checker.ids)), path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_pages_of_a_server_that_knows_next_to_nothing(bare_pages: TestClient) -> None:
    for path in EVERY_PAGE:
        answer = bare_pages.get(path)
        is_of_one = re.match(r"/(build|log)/\d|/package/[^/]+/[^/]+/[^/]+$", path) is not None

        assert answer.status_code == (404 if is_of_one else 200), path
        assert "</html>" in answer.text or path == "/fragments/queue"


def test_links_lead_somewhere(pages: TestClient) -> None:
    checker = _Checker()
    for path in EVERY_PAGE:
        checker.feed(pages.get(path).text)
    ours = {link.partition("#")[0] for link in checker.links if link.startswith("/")}

    assert len(ours) > 40
    for link in sorted(ours):
        answer = pages.get(link, follow_redirects=True)
        assert answer.status_code == 200, (link, answer.text)


def test_the_queue(pages: TestClient) -> None:
    told = read(pages, "/")

    assert "lib repo/x86_64 building on tower" in told
    assert re.search(r"huge repo/x86_64 9 \d+ s ago (now|in \d+)", told)
    assert "waits for repo/x86_64/lib (being built)" in told
    assert "named repo/x86_64 catbuilder" in told
    assert "not known waits for the worker catbuilder" in told
    assert "broken-app repo/x86_64 failed (compile)" in told
    assert "2/3 workers busy" in told


def test_a_paused_queue_says_so(queue: Queue, pages: TestClient) -> None:
    queue.pause("the <disk> is full")

    assert re.search(r"The queue is paused since \S+ s ago : the <disk> is full", read(pages, "/"))


def test_removals_are_shown(queue: Queue, pages: TestClient) -> None:
    queue.submit("removing", [], [Removal(target_repo="repo", remove=("old", "older"))])

    assert "Removals 1 old, older repo/x86_64 waiting" in read(pages, "/")


def test_what_is_known_is_told_while_redis_is_out_of_reach(
    full_services: WebServices, settings: WebSettings, filled_history: History
) -> None:
    gone = Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), 0))
    services = replace(
        full_services, queue=Queue(gone), logs=BuildLogs(LogStore(gone), filled_history)
    )
    with TestClient(create_app(services, settings), headers={"Accept": "text/html"}) as client:
        told = read(client, "/package/repo/x86_64/slicer")
        assert "it is out of reach now" in told
        assert "Published 1008-1" in told
        assert "Generation 1008" in read(client, "/build/1008")
        assert "Why it failed" not in read(client, "/build/2001")
        for path in ("/packages", "/builds", "/failing", "/held", "/failures", "/package/viewer"):
            assert client.get(path).status_code == 200, path
        answer = client.get("/")
        assert answer.status_code == 503
        assert "out of reach" in text_of(answer.text)


def test_a_package_tells_why_it_is_as_it_is(pages: TestClient) -> None:
    told = read(pages, "/package/repo/x86_64/slicer")

    assert "Slices <3D> models" in told
    assert "Waits for repo/x86_64/lib (being built)" in told
    assert "update 2-1 → 3-1: upstream has <2.9.1>" in told
    assert "Maintained by alice , bob" in told
    assert "Published 1008-1" in told
    assert "generation 1008" in told
    assert "failed (compile)" in told
    for chart in ("Duration", "Memory at the most", "Size of the packages"):
        assert chart in told
    assert "It needs lib depends lib>=1" in told
    assert "Needed by viewer depends slicer" in told

    held = read(pages, "/package/repo/x86_64/viewer")
    assert "It is on hold by alice: waits for <Qt>" in held
    assert "left out since: changed" in held
    assert "The queue knows nothing of it" in held


def test_a_short_name_leads_to_the_package(pages: TestClient, queue: Queue) -> None:
    answer = pages.get("/package/slicer", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/package/repo/x86_64/slicer")
    assert "viewer" in read(pages, "/package/viewer")

    submit(queue, job("slicer", arch="aarch64"))
    assert "several packages of that name" in read(pages, "/package/slicer")
    assert "Also: repo/aarch64/slicer" in read(pages, "/package/repo/x86_64/slicer")


def test_what_is_not_known_is_told_with_what_may_be_meant(pages: TestClient) -> None:
    answer = pages.get("/package/slicr")

    assert answer.status_code == 404
    assert "nothing is known of slicr" in text_of(answer.text)
    assert "Did you mean slicer?" in text_of(answer.text)
    assert pages.get("/build/999999").status_code == 404


def test_a_build_tells_its_course_and_what_it_made(pages: TestClient) -> None:
    told = read(pages, "/build/1008")

    assert re.search(r"Waited 9 min \d+ s", told)
    assert "Memory at the most 240 MiB" in told
    assert "slicer-1008-1-x86_64.pkg.tar.zst" in told
    assert "Generation 1008" in told

    fine = read(pages, "/build/2" if "fine-app" in read(pages, "/build/2") else "/build/1")
    assert "Interferes PKGBUILD.append" in fine
    assert "says: slicer E: Missing <license>" in fine
    assert "Starting build()... line 4" in fine


def test_a_failure_is_explained(pages: TestClient) -> None:
    path = "/build/1" if "broken-app" in read(pages, "/build/1") else "/build/2"
    told = read(pages, path)

    assert "Why it failed" in told
    assert "src/main.cpp:42:7: error: 'frobnicate' was not declared" in told
    assert "caur-ci build broken-app@" in told
    assert f"/log{path.removeprefix('/build')}/1?line=6#L6" in pages.get(path).text


def test_a_running_build_has_a_live_duration(
    pages: TestClient, running: dict[str, Claim], queue: Queue
) -> None:
    claim = running["lib"]
    answer = pages.get(f"/build/{claim.job_id}")
    assert "so far" in text_of(answer.text)
    assert 'class="live" data-since=' in answer.text

    queue.finish(claim, Outcome.TIMED_OUT, "it took too long")
    told = read(pages, f"/build/{claim.job_id}")
    assert "timed out" in told
    assert "it took too long" in told


def test_failures_over_time(pages: TestClient) -> None:
    told = read(pages, "/failures?days=30")

    assert "compile" in told
    assert pages.get("/failures?days=30").text.count('<rect class="c0"') >= 3
    data = pages.get("/failures.json?days=30").json()
    assert sum(by_kind["compile"] for by_kind in data.values()) == 3


def test_the_picture_of_all_dependencies(pages: TestClient) -> None:
    answer = pages.get("/dependencies")

    assert 'href="/package/slicer"' in answer.text
    assert answer.text.count('<path class="edge"') == 2
    assert pages.get("/dependencies.json").json()[0]["needs"]["viewer"] == ["slicer"]


def test_pages_work_below_a_path(full_services: WebServices) -> None:
    settings = WebSettings(port=0, log_requests=False, base_path="/builds-of-ours")
    with TestClient(create_app(full_services, settings), headers={"Accept": "text/html"}) as client:
        for path in ("/", "/packages", "/package/repo/x86_64/slicer", "/log/1/1", "/failures"):
            checker = _Checker()
            checker.feed(client.get(f"/builds-of-ours{path}").text)
            ours = [link for link in checker.links if link.startswith("/")]
            assert ours
            assert all(link.startswith("/builds-of-ours/") for link in ours), path
        feed = client.get("/builds-of-ours/held.atom").text
        assert "http://testserver/builds-of-ours/package/viewer" in feed
        found = client.get("/builds-of-ours/packages?q=slicer", follow_redirects=False)
        assert found.headers["location"] == "/builds-of-ours/package/slicer"


def test_the_same_page_is_not_sent_twice(pages: TestClient) -> None:
    first = pages.get("/dependencies")
    again = pages.get("/dependencies", headers={"If-None-Match": first.headers["etag"]})

    # The footer says how long ago the repository was looked at, so it may have changed meanwhile.
    assert again.status_code == 304 or again.text != first.text
