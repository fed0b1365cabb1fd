"""Feeds (RFC 4287)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from scheduler.web.pages.words import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

ATOM_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
# What no XML document may hold.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `key` is the same for the same thing forever, `time` is a Unix time."""

    key: str
    title: str
    page: str
    time: float
    summary: str


def feed(*, title: str, key: str, page: str, address: str, entries: Sequence[Entry]) -> bytes:
    """Return a feed that is at `address` and tells of the web page `page`."""
    root = ET.Element("feed", xmlns=_ATOM)
    _add(root, "id", _identifier("list", key))
    _add(root, "title", title)
    _add(root, "updated", iso(max((entry.time for entry in entries), default=0.0)))
    ET.SubElement(root, "link", rel="self", type=ATOM_TYPE, href=address)
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=page)
    _add(ET.SubElement(root, "author"), "name", "caur-ci")
    for entry in entries:
        item = ET.SubElement(root, "entry")
        _add(item, "id", _identifier("entry", entry.key))
        _add(item, "title", entry.title)
        _add(item, "updated", iso(entry.time))
        ET.SubElement(item, "link", rel="alternate", type="text/html", href=entry.page)
        _add(item, "summary", entry.summary)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _identifier(kind: str, key: str) -> str:
    """Return a tag URI (RFC 4151), which stays when the server moves."""
    return f"tag:caur-ci,2026:{kind}/{key}"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
