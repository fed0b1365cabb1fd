"""Texts of strangers never become HTML."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from caur_ci.pipeline.facts import FollowedFacts, Mirror
from scheduler.history import BuildLogs, History
from scheduler.job import FailureClass, Outcome
from scheduler.web.application import create_app
from tests.support.packages_world import PackagesWorld
from tests.support.pages_world import built_job, failed_job
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.logs import LogStore
    from scheduler.settings import WebSettings
    from scheduler.web.services import WebServices

EVIL = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>'\"&{{7*7}}"
NAME = "a+b@c_d.e-f"


@pytest.fixture
def hostile(
    services: WebServices, log_store: LogStore, settings: WebSettings, tmp_path: Path
) -> TestClient:
    """Return a server that has been told nothing but evil."""
    world = PackagesWorld.create(tmp_path / "world")
    source = f"CI_PKGBUILD_SOURCE=https://example.org/{EVIL.replace(' ', '')}\n"
    world.package(NAME, f"pkgdesc = {EVIL}", f"url = javascript:{EVIL}", config=source)
    world.package("other", f"depends = {NAME}")
    world.maintained(NAME, EVIL, EVIL.replace(" ", ""))
    links = {"page": f"javascript:{EVIL}", "link": f"https://x/{EVIL}"}
    world.decided(NAME, EVIL, before=EVIL, after=EVIL, run=EVIL, decision=EVIL, **links)
    world.held(NAME, by=EVIL, reason=EVIL, left_out=EVIL)
    world.in_trouble(NAME, failures=3, failing_since=1, reason=EVIL)
    world.commit(EVIL)
    facts = FollowedFacts([Mirror(tmp_path / "mirror", "source", world.url)])
    facts.renew()

    submit(services.queue, job(NAME, reason=EVIL, commit_reference=EVIL), job("next", NAME))
    claim = claimed(services.queue)
    log_store.start(claim.job_id, claim.attempt, claim.identity)
    log_store.append(claim.job_id, claim.attempt, f"==> {EVIL}\nerror: {EVIL}\n".encode())
    services.queue.finish(claim, Outcome.FAILED, EVIL, failure=FailureClass.COMPILE)
    services.queue.pause(EVIL)

    history = History.open(tmp_path / "history")
    now = time.time()
    evil = {"reason": EVIL, "worker": EVIL, "commit_reference": EVIL, "request_id": EVIL}
    history.record([built_job(50, NAME, now - 50, **evil), failed_job(51, NAME, now - 9, **evil)])
    logs = BuildLogs(log_store, history)
    full = replace(services, facts=facts, history=history, logs=logs)
    return TestClient(create_app(full, settings), headers={"Accept": "text/html"})


def test_no_page_has_it_as_markup(hostile: TestClient) -> None:
    identity = f"repo/x86_64/{NAME}"
    for path in (
        *("/", "/builds", "/published", "/failing", "/stale", "/held", "/packages", "/waiting"),
        *("/build/1", "/build/50", "/build/51", "/log/1/1", "/dependencies", "/failures"),
        *(f"/package/{identity}", f"/package/{identity}/builds"),
        *(f"/packages?q={EVIL}&maintainer={EVIL}", f"/builds?q={EVIL}", f"/package/{EVIL}"),
        *(f"/dependencies?repo={EVIL}", f"/nowhere/{EVIL}"),
    ):
        text = hostile.get(path).text

        assert "<script>" not in text, path
        assert "<img" not in text, path
        assert 'href="javascript:' not in text, path
        assert "{{" not in text.replace("&#39;&#34;&amp;{{7*7}}", ""), path
        assert "'\"&{{" not in text, path
        assert ">49<" not in text, path


def test_it_is_shown_as_text(hostile: TestClient) -> None:
    shown = "&lt;/title&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"

    assert shown in hostile.get(f"/package/repo/x86_64/{NAME}").text
    assert shown in hostile.get("/build/1").text
    assert shown in hostile.get("/held").text
    assert shown in hostile.get("/log/1/1").text
    assert shown in hostile.get("/log/1/1/lines").json()["html"]
    assert shown in hostile.get("/held.atom").text.replace("&quot;", '"')
    assert EVIL in hostile.get("/log/1/1/search?q=alert").json()["matches"][0]["text"]
