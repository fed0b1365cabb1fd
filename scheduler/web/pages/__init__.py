"""The HTML pages, and the lists of them as JSON and as feeds."""

from scheduler.web.pages.problems import error_page
from scheduler.web.pages.rendering import install
from scheduler.web.pages.routes import page_routes

__all__ = ["error_page", "install", "page_routes"]
