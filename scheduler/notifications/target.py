"""Sends messages to one target, through Apprise."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from caur_ci.errors import ConfigError
from scheduler.notifications.markup import Markup
from scheduler.outbox import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apprise import NotifyBase

    from scheduler.notifications.wording import Message
    from scheduler.settings.telling import NotificationTarget

# A headline, and how much more there is, has to go in.
_SHORTEST_LIMIT = 120
_HIDDEN = "***"
# As all of Apprise's plugins put it; 429 is about how much, not about what.
_REFUSED = re.compile(r"error=4(?!29|08)[0-9][0-9]")


class Target:
    """Somebody who is told things.

    Raises ConfigError for a URL that Apprise makes nothing of.
    """

    def __init__(self, settings: NotificationTarget) -> None:
        self.settings = settings
        self._plugin = self._opened(settings)
        self.markup = _markup_of(self._plugin, settings.url)
        self.limit = max(_SHORTEST_LIMIT, int(self._plugin.body_maxlen))
        self.has_title = int(self._plugin.title_maxlen) > 0

    @property
    def name(self) -> str:
        """What it is called in our own words."""
        return self.settings.name

    @property
    def service(self) -> str:
        """The service that it is one of, as people know it."""
        return str(self._plugin.service_name)

    def send(self, message: Message, *, plain: bool = False) -> None:
        """Send a message, which is plain text or of the target's markup. Raises DeliveryError."""
        from apprise import NotifyType  # noqa: PLC0415 - slow to import

        with _listening() as said:
            try:
                arrived = self._plugin.notify(
                    body=message.body,
                    title=message.title,
                    notify_type=NotifyType.INFO,
                    body_format=self._format(plain=plain),
                )
            except Exception as error:  # noqa: BLE001 - of any of a hundred plugins
                raise DeliveryError(self._redacted(type(error).__name__)) from None
        if not arrived:
            why = self._redacted(said[-1] if said else "it was not taken")
            raise DeliveryError(why, refused=_REFUSED.search(why) is not None)

    def _opened(self, settings: NotificationTarget) -> NotifyBase:
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - slow to import

        asset = AppriseAsset(
            app_id="caur-ci", app_desc="caur-ci", app_url="", secure_logging=True, async_mode=False
        )
        with _listening() as said, warnings.catch_warnings():
            # All plugins are loaded now, whose authors have their reasons.
            warnings.simplefilter("ignore")
            url = settings.url
            if url.startswith("tgram:"):
                url += f"{'&' if '?' in url else '/?'}format=markdown&mdv=2"
            found: Any = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if not found:
            why = f": {self._redacted(said[-1])}" if said else ""
            raise ConfigError(
                f"the URL of the notification target {settings.name} cannot be used{why}",
                hint="Its form is that of Apprise, such as tgram://TOKEN/CHAT.",
            )
        plugin: NotifyBase = found
        return plugin

    def _format(self, *, plain: bool) -> str | None:
        """Return what to declare the body as; nothing where it is to be left as it is."""
        if plain or self.markup is Markup.TEXT:
            return "text"
        return None if self.markup is Markup.TELEGRAM else str(self.markup)

    def _redacted(self, text: str) -> str:
        for secret in self.settings.secrets():
            text = text.replace(secret, _HIDDEN)
        return text


def _markup_of(plugin: NotifyBase, url: str) -> Markup:
    """Return what a target reads: what its URL asks for, else what it can show links in."""
    if url.startswith("tgram:"):
        return Markup.TELEGRAM
    declared: Any = plugin.notify_format
    formats = [declared] if isinstance(declared, str) else list(declared)
    names = [str(getattr(each, "value", each)) for each in formats]
    asked = dict(parse_qsl(url.partition("?")[2])).get("format", "").lower()
    if asked in names:
        return Markup(asked)
    if names[0] == Markup.TEXT and Markup.HTML not in names and Markup.MARKDOWN in names:
        return Markup.MARKDOWN
    return Markup(names[0]) if names[0] in set(Markup) else Markup.TEXT


class _Ear(logging.Handler):
    """Hears what Apprise says in this thread: its only way of telling why."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._said.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Hear what goes wrong, and keep it from everybody else: there are secrets in it."""
    logger = logging.getLogger("apprise")
    said: list[str] = []
    ear = _Ear(said)
    before = logger.propagate, logger.level
    logger.addHandler(ear)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield said
    finally:
        logger.removeHandler(ear)
        logger.propagate, level = before
        logger.setLevel(level)
