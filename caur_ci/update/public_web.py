"""The way to web servers that strangers name: it leads to public addresses only.

A PKGBUILD, or a file that came with it, may name the servers of the network that a pipeline runs
in. Where a name leads is looked at once the connection stands and before anything is sent, so that
a name which leads elsewhere the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HINT = "CI_LOCAL_SOURCES=true in .ci/config allows that."


class LocalAddressError(InputError):
    """A name leads into a network that is not for strangers."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} is at the address {address}, which is not public", hint=_HINT)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one that everybody can reach."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def addresses_of(host: str) -> list[str]:
    """Return the addresses of a host; none for a name that leads nowhere."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({str(one[4][0]) for one in found})


def check_addresses(host: str, addresses: Iterable[str]) -> None:
    """Raise LocalAddressError where one of the addresses of a host is not public."""
    for address in addresses:
        if not is_public(address):
            raise LocalAddressError(host, address)


def public_session(*, allow_local: bool) -> requests.Session:
    """Return a session that raises LocalAddressError instead of asking such a server.

    A proxy that the environment names is asked all the same: where it leads is its own affair.
    """
    session = requests.Session()
    session.auth = _without_passwords  # none from ~/.netrc
    if not allow_local:
        session.mount("http://", _PublicAdapter())
        session.mount("https://", _PublicAdapter())
    return session


def _without_passwords(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self.host, super()._new_conn())


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self.host, super()._new_conn())


def _checked(host: str, connection: socket.socket) -> socket.socket:
    try:
        check_addresses(host, [str(connection.getpeername()[0])])
    except BaseException:
        connection.close()
        raise
    return connection


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*arguments, **settings)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
