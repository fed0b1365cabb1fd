"""Which page is where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from scheduler.web.pages import build_lists, group_list, package_lists, survey_pages
from scheduler.web.pages.board import Board
from scheduler.web.pages.build_page import BuildPage
from scheduler.web.pages.listing import ListPage
from scheduler.web.pages.log_lines import LineIndexes
from scheduler.web.pages.log_page import LogPage
from scheduler.web.pages.package_page import package, short
from scheduler.web.pages.queue_page import QueuePage

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def page_routes() -> list[BaseRoute]:
    """Return the routes of all pages."""
    board, indexes = Board(), LineIndexes()
    queue, build, log = QueuePage(board), BuildPage(indexes), LogPage(indexes)
    packages = package_lists.PackageLists(board)
    lists = (
        ListPage("/builds", build_lists.results),
        ListPage("/published", build_lists.published),
        ListPage("/failing", build_lists.failing),
        ListPage("/stale", package_lists.stale),
        ListPage("/held", package_lists.held),
        ListPage("/broken", package_lists.broken),
        ListPage("/packages", packages.packages),
        ListPage("/waiting", packages.waiting),
        ListPage("/groups", group_list.groups),
        ListPage("/package/{repo}/{arch}/{pkgbase}/builds", build_lists.of_package),
    )
    return [
        Route("/", queue.whole),
        Route("/fragments/queue", queue.part),
        *(route for each in lists for route in each.routes()),
        Route("/package/{pkgbase}", short),
        Route("/package/{repo}/{arch}/{pkgbase}", package),
        Route("/build/{job:int}", build.whole),
        Route("/log/{job:int}/{attempt:int}", log.whole),
        Route("/log/{job:int}/{attempt:int}/lines", log.lines),
        Route("/log/{job:int}/{attempt:int}/search", log.search),
        Route("/dependencies", survey_pages.dependencies),
        Route("/dependencies.json", survey_pages.dependencies_data),
        Route("/failures", survey_pages.failures),
        Route("/failures.json", survey_pages.failures_data),
    ]
