"""Addresses of the web: what they are made of, and which hosts are reason enough to look."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.judge.spelling import is_one_letter_off

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS = re.compile(
    r"\b(?:[a-z]{2,8}\+)?[a-z][a-z0-9]{1,9}://[^\s'\"<>|;(){}\\^`\0]{1,2000}", re.IGNORECASE
)
_PARTS = re.compile(
    r"(?:(?P<vcs>[a-z]+)\+)?(?P<scheme>[a-z][a-z0-9-]*)://(?:[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#:]*)(?::[0-9]+)?"
    r"(?P<path>[^?#]*)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
# Hosts where the first parts of the path are an owner and a repository.
_FORGES = frozenset(
    {
        *("github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "gitea.com", "git.sr.ht"),
        *(
            "raw.githubusercontent.com",
            "codeload.github.com",
            "gitlab.gnome.org",
            "salsa.debian.org",
        ),
        *(
            "gitlab.freedesktop.org",
            "invent.kde.org",
            "framagit.org",
            "gitee.com",
            "sourceforge.net",
        ),
    }
)
# What stands in front of owner and repository in some addresses.
_PREFIXES = {"api.github.com": "repos", "sourceforge.net": "projects"}
_WELL_KNOWN = (
    *("github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "sourceforge.net", "pypi.org"),
    *(
        "githubusercontent.com",
        "kernel.org",
        "gnu.org",
        "archlinux.org",
        "mozilla.org",
        "npmjs.org",
    ),
    *("crates.io", "python.org", "debian.org", "googleapis.com", "microsoft.com", "jetbrains.com"),
    *("freedesktop.org", "gnome.org", "kde.org", "apache.org", "pythonhosted.org", "launchpad.net"),
)
_SHORTENERS = frozenset(
    {
        *("bit.ly", "tinyurl.com", "goo.gl", "t.co", "is.gd", "v.gd", "cutt.ly", "rb.gy", "ow.ly"),
        *("shorturl.at", "tiny.cc", "rebrand.ly", "t.ly", "git.io", "s.id", "da.gd", "clck.ru"),
    }
)
_PASTES = frozenset(
    {
        *(
            "pastebin.com",
            "paste.ee",
            "dpaste.com",
            "dpaste.org",
            "hastebin.com",
            "ix.io",
            "ptpb.pw",
        ),
        *("paste.rs", "rentry.co", "termbin.com", "ghostbin.com", "privatebin.net", "0bin.net"),
        *("gist.github.com", "gist.githubusercontent.com", "paste.sr.ht", "bpa.st", "sprunge.us"),
        *("controlc.com", "justpaste.it", "paste.debian.net", "pastes.io", "paste.opensuse.org"),
    }
)
_DROPS = frozenset(
    {
        *("transfer.sh", "file.io", "0x0.st", "catbox.moe", "litterbox.catbox.moe", "temp.sh"),
        *("gofile.io", "anonfiles.com", "mega.nz", "mediafire.com", "wetransfer.com", "we.tl"),
        *("send.vis.ee", "filebin.net", "tmpfiles.org", "uguu.se", "pixeldrain.com", "oshi.at"),
        *("cdn.discordapp.com", "media.discordapp.net", "drive.google.com", "dropbox.com"),
        *("files.catbox.moe", "bashupload.com", "ufile.io", "dropmefiles.com", "keep.sh"),
    }
)
_DYNAMIC = frozenset(
    {
        *(
            "duckdns.org",
            "no-ip.org",
            "no-ip.com",
            "ddns.net",
            "hopto.org",
            "zapto.org",
            "sytes.net",
        ),
        *(
            "dyndns.org",
            "dynu.net",
            "freedns.org",
            "afraid.org",
            "mooo.com",
            "ngrok.io",
            "ngrok.app",
        ),
        *(
            "ngrok-free.app",
            "trycloudflare.com",
            "loca.lt",
            "serveo.net",
            "localhost.run",
            "myftp.org",
        ),
        *("servehttp.com", "serveftp.com", "nip.io", "sslip.io", "workers.dev", "pagekite.me"),
    }
)
_WEBHOOK = re.compile(
    r"discord(?:app)?\.com/api/webhooks|api\.telegram\.org/bot|hooks\.slack\.com|webhook\.site|"
    r"pipedream\.net|requestbin|interact\.sh|oast\.(?:fun|live|pro|me|site)|burpcollaborator",
    re.IGNORECASE,
)
_IP = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:.]+\]|0x[0-9a-f]{8}|[0-9]{8,10}", re.IGNORECASE
)
_LOCAL = re.compile(r"127\.[0-9.]+|0\.0\.0\.0|\[::1?\]")


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its parts; `owner` and `repository` are empty where the host is no forge."""

    scheme: str
    vcs: str
    host: str
    path: str
    rest: str
    owner: str = ""
    repository: str = ""

    @classmethod
    def of(cls, text: str) -> Address | None:
        """Return the parts of an address, None where it is none."""
        match = _PARTS.fullmatch(text)
        if match is None:
            return None
        host = match["host"].lower().rstrip(".").removeprefix("www.")
        owner, repository = _owner(host, match["path"])
        scheme, vcs = match["scheme"].lower(), (match["vcs"] or "").lower()
        return cls(scheme, vcs, host, match["path"], match["rest"], owner, repository)


def addresses_in(text: str) -> Iterator[str]:
    """Yield the addresses in a text."""
    for match in _ADDRESS.finditer(text) if "://" in text else ():
        yield match[0].rstrip(".,:")


def bad_address(text: str) -> str:
    """Return the code of what is wrong with an address; nothing where that is nothing."""
    address = Address.of(text)
    if address is None or not address.host:
        return ""
    if _WEBHOOK.search(text):
        return "address-webhook"
    return _bad_host(address.host)


def _bad_host(host: str) -> str:
    if _IP.fullmatch(host):
        return "" if _LOCAL.fullmatch(host) else "address-ip"
    if not host.isascii() or any(unicodedata.category(char) == "Cf" for char in host):
        return "address-lookalike"
    if any(label.startswith("xn--") for label in host.split(".")):
        return "address-punycode"
    if host.endswith(".onion"):
        return "address-onion"
    for code, names in _KINDS.items():
        if _is_below(host, names):
            return code
    return "address-lookalike" if _looks_like_another(host) else ""


_KINDS = {
    "address-shortener": _SHORTENERS,
    "address-paste": _PASTES,
    "address-drop": _DROPS,
    "address-dynamic": _DYNAMIC,
}


def _is_below(host: str, names: frozenset[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[place:]) in names for place in range(len(labels)))


def _looks_like_another(host: str) -> bool:
    base = ".".join(host.split(".")[-2:])
    if base in _WELL_KNOWN:
        return False
    # As a part of another name: github.com.example.org.
    if any(f"{known}." in host for known in _WELL_KNOWN):
        return True
    return any(is_one_letter_off(base, known) for known in _WELL_KNOWN if len(known) > 7)


def _owner(host: str, path: str) -> tuple[str, str]:
    parts = [part for part in path.split("/") if part]
    prefix = _PREFIXES.get(host)
    if prefix is not None:
        if parts[:1] in ([prefix], ["project"]):
            parts = parts[1:]
        else:
            return "", ""
    elif host not in _FORGES:
        # Projects of sourceforge and pages of forges have their owner in the host's name.
        return "", ""
    if host == "sourceforge.net":
        return (parts[0] if parts else "").lower(), ""
    owner = parts[0].lower() if parts else ""
    repository = parts[1].lower().removesuffix(".git") if len(parts) > 1 else ""
    return owner, repository
