"""Looks through a package's files for what a repository's lists name."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from caur_ci.judge.addresses import Address, addresses_in
from caur_ci.policy.rules import AUR, trust_finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from caur_ci.judge.model import Finding
    from caur_ci.judge.package import File
    from caur_ci.policy.model import Indicators

_HEX = re.compile(r"(?<![0-9a-f])[0-9a-f]{32,128}(?![0-9a-f])")
# Of longer files only the beginning is looked through for addresses; sums are of all of it.
_LOOKED_THROUGH = 1024**2


def indicator_findings(
    lists: Indicators, files: Mapping[str, File], accounts: Iterable[str] = ()
) -> Iterator[Finding]:
    """Yield what of the lists is in a folder's files, or among the `accounts` behind it."""
    if not lists:
        return
    for account in sorted(set(accounts)):
        if account.lower() in lists.accounts:
            yield trust_finding("indicator-account", file=AUR, new=account, what=account)
    for path, file in sorted(files.items()):
        name = path.encode("utf-8", "backslashreplace").decode()
        yield from _in_file(lists, name, file.content)


def _in_file(lists: Indicators, path: str, content: bytes) -> Iterator[Finding]:
    text = content[:_LOOKED_THROUGH].decode("utf-8", "replace")
    for host, owner in sorted(_places(text)):
        if _is_listed(host, lists.hosts):
            yield trust_finding("indicator-host", file=path, new=host, what=host)
        if owner in lists.accounts:
            yield trust_finding("indicator-account", file=path, new=owner, what=f"{host}/{owner}")
    if lists.hashes:
        sums = {*_HEX.findall(text.lower()), *_sums(content)}
        for found in sorted(sums & lists.hashes):
            yield trust_finding("indicator-hash", file=path, new=found, what=found)


def _places(text: str) -> set[tuple[str, str]]:
    parsed = (Address.of(address) for address in addresses_in(text))
    return {(it.host, it.owner) for it in parsed if it is not None and it.host}


def _is_listed(host: str, listed: frozenset[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[at:]) in listed for at in range(len(labels)))


def _sums(content: bytes) -> Iterator[str]:
    yield hashlib.sha256(content).hexdigest()
    yield hashlib.sha512(content).hexdigest()
    yield hashlib.blake2b(content).hexdigest()
    yield hashlib.sha1(content, usedforsecurity=False).hexdigest()
    yield hashlib.md5(content, usedforsecurity=False).hexdigest()
