"""The pages in a real browser: scripts, keys, small screens, and people who see little.

Screenshots are kept in the folder that the variable CAUR_SCREENSHOTS names, else with the test's
other files.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from scheduler.job import Outcome
from scheduler.web.server import running_server
from tests.support.pages_world import LOG
from tests.support.queue import job, submit
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

    from scheduler.logs import LogStore
    from scheduler.queue import Claim, Queue
    from scheduler.settings import WebSettings
    from scheduler.web.services import WebServices

_ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-gpu")
_WAIT = 60_000
PHONE = {"width": 360, "height": 740}
PAGES = (
    *("/", "/packages", "/failing", "/failures", "/dependencies"),
    *("/package/repo/x86_64/slicer", "/build/1", "/log/1/1"),
)


IN_THE_DARK = ("/", "/package/repo/x86_64/slicer", "/build/1", "/log/1/1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    need_tools("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(full_services: WebServices, settings: WebSettings) -> Iterator[str]:
    """Return where a server is that shows all there may be."""
    with running_server(full_services, settings) as server:
        yield server.address


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("CAUR_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def page_in(browser: Browser, **options: Any) -> Iterator[Page]:  # noqa: ANN401 - as Playwright
    """Open a page of its own; whatever goes wrong in it fails the test."""
    context = browser.new_context(**options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda it: wrong.append(it.text) if it.type == "error" else None)
    page.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    yield page
    context.close()
    assert wrong == []


def picture(page: Page, folder: Path, name: str) -> None:
    file = folder / f"{name}.png"
    page.screenshot(path=str(file), full_page=True)
    assert file.stat().st_size > 1000


def is_at_end(page: Page) -> bool:
    script = "() => { const it = document.getElementById('log');"
    script += " return it.scrollTop + it.clientHeight >= it.scrollHeight - 2 }"
    return bool(page.evaluate(script))


def many_lines(first: int, last: int) -> bytes:
    return b"".join(b"\x1b[32mline\x1b[0m %d\r\n" % number for number in range(first, last + 1))


def test_a_log_is_followed_while_a_build_writes_it(
    browser: Browser,
    site: str,
    queue: Queue,
    log_store: LogStore,
    running: dict[str, Claim],
    screenshots: Path,
) -> None:
    claim = running["lib"]
    address = f"{site}/log/{claim.job_id}/{claim.attempt}"
    begun = LOG.count(b"\n")
    with page_in(browser) as page, page_in(browser) as late:
        page.goto(address)
        expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true")
        log_store.append(claim.job_id, claim.attempt, many_lines(1, 3000))
        expect(page.locator(f"#L{begun + 3000}")).to_have_text(f"{begun + 3000}line 3000")
        assert page.locator(f"#L{begun + 3000} .f2").inner_text() == "line"
        assert page.locator(".line").count() < 400
        assert is_at_end(page)

        page.reload()  # in the middle
        late.goto(address)  # and somebody who comes late
        log_store.append(claim.job_id, claim.attempt, many_lines(3001, 3200))
        log_store.finish(claim.job_id, claim.attempt)
        for one in (page, late):
            expect(one.locator(f"#L{begun + 3200}")).to_contain_text("line 3200")
            expect(one.locator("#ending")).to_have_text("The log has ended.")
            assert is_at_end(one)
        picture(page, screenshots, "log")
        queue.finish(claim, Outcome.SUCCESS)
        expect(page.locator("#heading")).to_contain_text("success")


def test_growth_is_followed_whichever_answer_tells_of_it(
    browser: Browser, site: str, log_store: LogStore, running: dict[str, Claim]
) -> None:
    """The end comes between the page and the lines that it asks for at once."""
    claim = running["lib"]
    end = LOG.count(b"\n") + 3200
    log_store.append(claim.job_id, claim.attempt, many_lines(1, 3000))
    asked: list[str] = []

    def grow(route: Route) -> None:
        if not asked:
            log_store.append(claim.job_id, claim.attempt, many_lines(3001, 3200))
            log_store.finish(claim.job_id, claim.attempt)
        asked.append(route.request.url)
        route.continue_()

    with page_in(browser) as page:
        page.route("**/lines?*", grow)
        page.goto(f"{site}/log/{claim.job_id}/{claim.attempt}")
        expect(page.locator(f"#L{end}")).to_contain_text("line 3200")
        assert is_at_end(page)
        assert asked


def test_whoever_goes_up_in_a_growing_log_is_left_there(
    browser: Browser, site: str, log_store: LogStore, running: dict[str, Claim]
) -> None:
    """By a finger or the bar as well, which send no wheel and no key."""
    claim = running["lib"]
    begun = LOG.count(b"\n")
    log_store.append(claim.job_id, claim.attempt, many_lines(1, 1000))
    with page_in(browser) as page:
        page.goto(f"{site}/log/{claim.job_id}/{claim.attempt}")
        expect(page.locator(f"#L{begun + 1000}")).to_contain_text("line 1000")
        page.set_viewport_size({"width": 700, "height": 900})
        expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true")
        page.evaluate("document.getElementById('log').scrollTop -= 2000")
        expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")
        read = page.evaluate("document.getElementById('log').scrollTop")
        log_store.append(claim.job_id, claim.attempt, many_lines(1001, 1100))
        expect(page.locator("#standing")).to_contain_text("110")
        assert page.evaluate("document.getElementById('log').scrollTop") == read
        page.get_by_role("button", name="Follow").click()
        expect(page.locator(f"#L{begun + 1100}")).to_contain_text("line 1100")
        assert is_at_end(page)


def test_a_log_is_waited_for(
    browser: Browser, site: str, queue: Queue, log_store: LogStore, running: dict[str, Claim]
) -> None:
    job_id = queue.find("repo/x86_64/small-one")[0].job_id
    with page_in(browser) as page:
        page.goto(site)
        page.locator(f"#job-{job_id}").get_by_role("link", name="Log").click()
        expect(page.locator("#ending")).to_have_text("The build has written nothing yet.")
        log_store.start(job_id, 1, "repo/x86_64/small-one")
        log_store.append(job_id, 1, b"at last")
        expect(page.locator("#L1")).to_contain_text("at last")
        log_store.append(job_id, 1, b" and more\r\nsecond")
        expect(page.locator("#L1")).to_contain_text("at last and more")
        expect(page.locator("#L2")).to_contain_text("second")


def test_lines_are_found_by_address_and_by_search(
    browser: Browser, site: str, log_store: LogStore, running: dict[str, Claim]
) -> None:
    claim = running["lib"]
    log_store.append(claim.job_id, claim.attempt, many_lines(1, 2500) + b"a <needle> here\r\n")
    log_store.append(claim.job_id, claim.attempt, many_lines(2502, 5000))
    begun = LOG.count(b"\n")
    with page_in(browser) as page:
        page.goto(f"{site}/log/{claim.job_id}/{claim.attempt}#L{begun + 1200}")
        marked = page.locator(".line.at")
        expect(marked).to_contain_text("line 1200")
        assert marked.evaluate("it => it.getBoundingClientRect().top") > 0
        expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")

        page.get_by_label("Search the log").fill("<NEEDLE>")
        page.keyboard.press("Enter")
        expect(page.locator("#found")).to_have_text("1 of 1")
        expect(page.locator(".line.at")).to_contain_text("a <needle> here")
        page.get_by_label("Search the log").fill("line 10")
        page.get_by_role("button", name="Find").click()
        expect(page.locator("#found")).to_contain_text("1 of 111")
        page.get_by_role("button", name="Previous").click()
        expect(page.locator("#found")).to_contain_text("111 of 111")
        expect(page.locator(".line.at")).to_contain_text("line 1099")

        page.get_by_label("Go to line").fill("7")
        page.get_by_role("button", name="Go", exact=True).click()
        expect(page.locator("#L7")).to_contain_text("interfere")
        assert page.url.endswith("#L7")


def test_the_queue_is_kept_up_to_date_without_losing_the_focus(
    browser: Browser, site: str, queue: Queue, running: dict[str, Claim], screenshots: Path
) -> None:
    claim = running["lib"]
    with page_in(browser) as page, page_in(browser) as build:
        build.goto(f"{site}/build/{claim.job_id}")
        page.goto(site)
        link = page.locator(f"#job-{claim.job_id}").get_by_role("link", name="Log of lib")
        link.focus()
        before = page.locator(f"#job-{claim.job_id} .live").inner_text()
        submit(queue, job("brand-new"))
        expect(page.locator("#next")).to_contain_text("brand-new")
        expect(link).to_be_focused()
        expect(page.locator(f"#job-{claim.job_id} .live")).not_to_have_text(before)
        picture(page, screenshots, "queue")

        page.get_by_role("button", name="Pause updates").click()
        queue.finish(claim, Outcome.SUCCESS)
        page.get_by_role("button", name="Pause updates").click()
        expect(page.locator("#recent")).to_contain_text("lib")
        expect(page.locator("#running")).not_to_contain_text("lib")
        expect(build.locator(".heading .forms")).to_contain_text("success")
        expect(build.locator("[data-live]")).to_have_count(0)


def test_everything_can_be_reached_by_keyboard(browser: Browser, site: str) -> None:
    with page_in(browser) as page:
        page.goto(site)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()

        page.get_by_role("searchbox", name="Find a package").focus()
        page.keyboard.type("slicer")
        page.keyboard.press("Enter")
        page.wait_for_url("**/package/repo/x86_64/slicer")
        focused: set[str] = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            focused.add(str(page.evaluate("document.activeElement.textContent.trim()")))
        assert {"Queue", "alice", "As a table", "lib"} <= focused

        page.goto(f"{site}/log/1/1")
        page.locator("#log").focus()
        page.keyboard.press("End")
        assert is_at_end(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_have_no_barriers(
    scheme: str, browser: Browser, site: str, screenshots: Path
) -> None:
    """In the light on a large screen, in the dark on a phone."""
    viewport = PHONE if scheme == "dark" else {"width": 1280, "height": 800}
    with page_in(browser, color_scheme=scheme, viewport=viewport) as page:
        for path in PAGES:
            page.goto(f"{site}{path}")
            name = f"{path.strip('/').replace('/', '-') or 'first'}-{scheme}"
            picture(page, screenshots, name)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= page.evaluate("window.innerWidth"), path
            ground = str(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert (sum(map(int, ground[4:-1].split(","))) < 150) is (scheme == "dark")
            # In the dark, the others have the same elements in the same colours.
            if scheme == "light" or path in IN_THE_DARK:
                assert barriers(page) == [], path


def barriers(page: Page) -> list[tuple[str, list[Any]]]:
    """Return what keeps people out who see little, or use no mouse."""
    return [
        (it["id"], [node["target"] for node in it["nodes"]])
        for it in Axe().run(page).response["violations"]
        if it["impact"] in {"serious", "critical"}
    ]
