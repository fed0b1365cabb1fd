"""A server that knows a repository of PKGBUILDs, a past, and jobs in all states."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from caur_ci.pipeline.facts import FollowedFacts, Mirror
from scheduler.history import BuildLogs, History
from scheduler.web.application import create_app
from tests.support.packages_world import PackagesWorld
from tests.support.pages_world import failed_job, fill_history, fill_queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.logs import LogStore
    from scheduler.queue import Claim
    from scheduler.settings import WebSettings
    from scheduler.web.services import WebServices

DAY = 86_400
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> FollowedFacts:
    """Return what a repository says that has a bit of everything."""
    folder, now = tmp_path_factory.mktemp("facts"), int(time.time())
    world = PackagesWorld.create(folder / "world")
    world.package(
        "slicer",
        "pkgdesc = Slices <3D> models",
        "url = https://example.org/slicer",
        "depends = lib>=1",
        config="CI_PKGBUILD_SOURCE=aur\n",
        names=("slicer", "slicer-docs"),
    )
    for name, *lines in (("lib",), ("viewer", "depends = slicer"), ("alone",), ("broken-app",)):
        world.package(name, *lines)
    world.maintained("slicer", "alice", "bob")
    run = "https://ci.example.org/1"
    world.decided("slicer", "upstream has <2.9.1>", before="2-1", after="3-1", link=run, time=now)
    world.held("viewer", since=now - 3 * DAY, reason="waits for <Qt>", left_out="changed")
    world.in_trouble("alone", failures=4, failing_since=now - 9 * DAY, reason="no answer: <503>")
    world.commit("feat(slicer): <begin>")
    known = FollowedFacts([Mirror(folder / "mirror", "source", world.url)])
    known.renew()
    return known


@pytest.fixture(scope="session")
def filled_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Return some weeks of builds, of which the latest of `broken-app` failed."""
    with History.open(tmp_path_factory.mktemp("history") / "history") as history:
        now = time.time()
        fill_history(history, now)
        history.record([failed_job(2001, "broken-app", now - 60)])
        yield history


@pytest.fixture
def running(queue: object, log_store: LogStore, services: WebServices) -> dict[str, Claim]:
    """Fill the queue, and return the claims of what runs."""
    return fill_queue(services.queue, log_store)


@pytest.fixture
def full_services(
    services: WebServices,
    log_store: LogStore,
    facts: FollowedFacts,
    filled_history: History,
    running: dict[str, Claim],
) -> WebServices:
    """Return a server's parts with all that there may be."""
    logs = BuildLogs(log_store, filled_history)
    return replace(services, logs=logs, history=filled_history, facts=facts)


@pytest.fixture
def pages(full_services: WebServices, settings: WebSettings) -> Iterator[TestClient]:
    """Return a browser without scripts; what goes wrong inside is raised."""
    app = create_app(full_services, settings)
    with TestClient(app, headers=HTML) as client:
        yield client


@pytest.fixture
def bare_pages(services: WebServices, settings: WebSettings) -> Iterator[TestClient]:
    """Return the same of a server that knows the queue only, which is empty."""
    with TestClient(create_app(services, settings), headers=HTML) as client:
        yield client
