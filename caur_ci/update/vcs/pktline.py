"""What git's smart HTTP protocol is made of: lines with their length in front.

Only what asking for a few refs takes: `gitprotocol-v2` (`ls-refs`) and, for servers that know no
better, the list of all refs that the older protocol begins with (`gitprotocol-http`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HEAD = "HEAD"
HEADS = "refs/heads/"
_FLUSH, _DELIMITER = b"0000", b"0001"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_MOST_WORDS = 200
_SYMREF = "symref-target:"


class ProtocolError(Exception):
    """What came is not what git servers say. `says` is what one of them said instead."""

    def __init__(self, message: str, *, says: str = "") -> None:
        super().__init__(message)
        self.says = says


@dataclass(frozen=True, slots=True)
class AdvertisedRefs:
    """Refs with what they point to; `head` is the full name of the branch that HEAD is."""

    ids: Mapping[str, str] = field(default_factory=dict)
    head: str = ""


def ls_refs_request(prefixes: Iterable[str]) -> bytes:
    """Return the request for refs whose names begin with one of `prefixes`."""
    wanted = (_packet(f"ref-prefix {prefix}\n") for prefix in prefixes)
    command = _packet("command=ls-refs\n")
    return b"".join((command, _DELIMITER, _packet("symrefs\n"), *wanted, _FLUSH))


def read_ls_refs(answer: bytes) -> AdvertisedRefs:
    """Read the answer to `ls_refs_request`. Raises ProtocolError."""
    ids: dict[str, str] = {}
    head = ""
    for packet in _packets(answer):
        if packet is None:
            return AdvertisedRefs(ids, head)
        object_id, _, rest = packet.partition(" ")
        name, *attributes = rest.split(" ")
        _take(ids, object_id, name)
        if name == HEAD:
            targets = [it.removeprefix(_SYMREF) for it in attributes if it.startswith(_SYMREF)]
            head = targets[0] if targets else ""
    raise ProtocolError("the answer broke off")


def read_advertisement(answer: bytes) -> AdvertisedRefs | None:
    """Read what a server says first: all its refs, or None where it waits for commands.

    Raises ProtocolError.
    """
    packets = _packets(answer)
    first = next(packets, None)
    if first is not None and first.startswith("# service="):
        next(packets, None)  # the flush behind it
        first = next(packets, None)
    if first == "version 2":
        return None
    if first is None:
        raise ProtocolError("the answer is empty")
    line, _, capabilities = first.partition("\0")
    ids: dict[str, str] = {}
    symref = re.search(r"(?:^| )symref=HEAD:(\S+)", capabilities)
    for packet in (line, *_until_flush(packets)):
        object_id, _, name = packet.partition(" ")
        if name == "capabilities^{}":  # of a repository without refs
            continue
        if object_id not in {"version", "shallow"}:
            _take(ids, object_id, name)
    return AdvertisedRefs(ids, symref[1] if symref else "")


def _until_flush(packets: Iterator[str | None]) -> Iterator[str]:
    for packet in packets:
        if packet is None:
            return
        yield packet
    raise ProtocolError("the answer broke off")


def _take(ids: dict[str, str], object_id: str, name: str) -> None:
    if not _OBJECT_ID.fullmatch(object_id) or not name:
        raise ProtocolError("the answer makes no sense")
    ids[name] = object_id


def _packet(text: str) -> bytes:
    data = text.encode()
    return b"%04x%s" % (len(data) + 4, data)


def _packets(data: bytes) -> Iterator[str | None]:
    """Yield the packets without their line ends, None for the end of a part."""
    place = 0
    while place < len(data):
        digits = data[place : place + 4]
        if not _LENGTH.fullmatch(digits):
            raise ProtocolError("the answer is not what git servers say")
        length = int(digits, 16)
        if length < 4:
            place += 4
            yield None
            continue
        packet = data[place + 4 : place + length]
        if len(packet) != length - 4:
            raise ProtocolError("the answer broke off")
        text = packet.decode("utf-8", "replace").removesuffix("\n")
        if text.startswith("ERR "):
            says = one_line(text[4:])[:_MOST_WORDS]
            raise ProtocolError(f"the server says: {says}", says=says)
        place += length
        yield text
