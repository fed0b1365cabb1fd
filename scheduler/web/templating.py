"""HTML from templates; every text is escaped unless a template says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from scheduler.web.pages import install

if TYPE_CHECKING:
    from scheduler.settings import WebSettings


def templates_of(settings: WebSettings) -> Jinja2Templates:
    """Return the templates of the pages, which know `at(path)`: where a path of ours is for others.

    `at` knows nothing of escaping within a path; that is for who puts names into it.
    """
    environment = Environment(
        loader=PackageLoader("scheduler.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    install(environment)
    environment.globals["at"] = lambda path: f"{settings.base_path}{path}"
    return Jinja2Templates(env=environment)
