"""Changes of a PKGBUILD and its `.SRCINFO` that people have to see: versions, sources, names."""

from __future__ import annotations

from caur_ci.judge import PackageContext
from tests.caur_ci.judge.folders import (
    COMMIT,
    KEY,
    NEXT_COMMIT,
    NEXT_SUM,
    OTHER_KEY,
    PATCH_SUM,
    PKGBUILD,
    SCRIPT_SUM,
    SUM,
    Case,
    Edits,
    edited,
    srcinfo_of,
)

_SUMS = PKGBUILD[PKGBUILD.index("sha256sums") : PKGBUILD.index("validpgpkeys")]
_KEYS = f"validpgpkeys=('{KEY}')\n"
_ARCHIVE = "$url/archive/v$pkgver.tar.gz"
_FILE = "$pkgname-$pkgver.tar.gz.sig"
_SIGNATURE = f'        "{_FILE}::$url/releases/download/v$pkgver/{_FILE}"\n'
_DATA = "git+https://github.com/alice/data.git#commit=$_commit?signed"
_LAST_SOURCE = '        "tool.sh")'
_LAST_SUM = f"'{SCRIPT_SUM}')"


def _case(
    code: str,
    title: str,
    *edits: tuple[str, str],
    both: Edits = (),
    bump: bool = True,
    package: PackageContext | None = None,
) -> Case:
    package = package or PackageContext(name="tool")
    return Case(title=title, code=code, edits=edits, both=both, bump=bump, package=package)


def _one_more(source: str, digest: str = "SKIP") -> Edits:
    return (_LAST_SOURCE, f'        "tool.sh"\n        "{source}")'), (
        _LAST_SUM,
        f"'{SCRIPT_SUM}'\n            '{digest}')",
    )


def _version(old: str, new: str, code: str, title: str) -> Case:
    return Case(
        title=title,
        code=code,
        both=(("pkgver=1.2.0", f"pkgver={old}"),),
        edits=((f"pkgver={old}", f"pkgver={new}"), (SUM, NEXT_SUM)),
        bump=False,
    )


VERSIONS = [
    _version("1.2.0", "1.1.0", "version-lowered", "back"),
    _version("1.2.0", "99999999", "version-step", "so high that nothing comes after it"),
    _version("1.2.0", "1.2.20240101", "version-step", "a date in a version"),
    _version("1.2.0", "9f0123456789abcdef0123456789abcdef012345", "version-step", "a commit"),
    _version("1.2.0", "...", "version-walks", "dots"),
    _version("1.2.0", "1.3..0", "version-walks", "dots inside"),
    _version("1.2.0", "'../../mallory/tool/archive/1'", "version-walks", "a path"),
    _version("1.2.0", "1.3/../2", "version-walks", "a path inside"),
    _version("1.2.0", "$(id)", "version-unplain", "a command"),
    _version("1.2.0", "`id`", "version-unplain", "a command in backquotes"),
    _version("1.2.0", "$((RANDOM))", "version-unplain", "a number by chance"),
    _version("1.2.0", "'1.3;id'", "version-walks", "a separator"),
    _version("1.2.0", "'1.3 2'", "version-walks", "a blank"),
    _version("1.2.0", "'1.3$(id)'", "version-walks", "an expansion that is quoted"),
    _version("1.2.0", "(1.3 2)", "version-unplain", "an array"),
    _case(
        "version-lowered",
        "a lower release",
        ("pkgrel=4", "pkgrel=1"),
        both=(("pkgrel=1", "pkgrel=4"),),
        bump=False,
    ),
    _case("version-step", "a release far away", ("pkgrel=1", "pkgrel=900"), bump=False),
    _case("version-step", "no epoch at all", ("pkgrel=1", "pkgrel=1\nepoch=1e999"), bump=False),
    _case("version-step", "an epoch far away", ("pkgrel=1", "pkgrel=1\nepoch=99"), bump=False),
    _case(
        "version-lowered",
        "no epoch any more",
        ("epoch=2\n", ""),
        both=(("pkgrel=1", "epoch=2\npkgrel=1"),),
    ),
    _case(
        "variable-changed", "a commit without another version", (COMMIT, NEXT_COMMIT), bump=False
    ),
    _case("variable-changed", "a commit of another kind", (COMMIT, "main")),
    _case(
        "version-walks", "a tag that is a path", ("_commit=" + COMMIT, "_commit='../../mallory/x'")
    ),
    _case(
        "variable-changed",
        "the owner in a variable",
        ("_o=tool1", "_o=tool2"),
        both=(("_name=tool", "_o=tool1\n_name=tool"),),
    ),
    _case(
        "variable-changed",
        "set to something else on the way",
        ("_x=a\n", "_x=b\n_x=a\n"),
        both=(("_name=tool", "_name=tool\n_x=a"),),
    ),
]
INTEGRITY = [
    _case(
        "sum-skipped",
        "a sum becomes SKIP",
        (f"'{SUM}'", "SKIP"),
        ("pkgver=1.2.0", "pkgver=1.3.0"),
        bump=False,
    ),
    _case("sum-skipped", "a patch is not checked", (f"'{PATCH_SUM}'", "'SKIP'")),
    _case("sum-skipped", "a default makes it SKIP", (f"'{PATCH_SUM}'", '"${_none:-SKIP}"')),
    _case("sum-skipped", "put together to SKIP", (f"'{PATCH_SUM}'", "'SK''IP'")),
    _case("sum-skipped", "escaped to SKIP", (f"'{PATCH_SUM}'", "$'\\x53KIP'")),
    _case(
        "sum-skipped",
        "overridden later",
        ("pkgver() {", "sha256sums=(SKIP SKIP SKIP SKIP SKIP)\npkgver() {"),
    ),
    _case("sum-skipped", "one element set later", ("pkgver() {", "sha256sums[0]=SKIP\npkgver() {")),
    _case(
        "sum-weaker",
        "md5 in place of sha256",
        (_SUMS, f"md5sums=('{'0a' * 16}' SKIP SKIP '{'1b' * 16}' '{'2c' * 16}')\n"),
        ("pkgver=1.2.0", "pkgver=1.3.0"),
        bump=False,
    ),
    _case(
        "sum-weaker",
        "sha1 in place of sha256",
        (_SUMS, f"sha1sums=('{'0a' * 20}' SKIP SKIP '{'1b' * 20}' '{'2c' * 20}')\n"),
        ("pkgver=1.2.0", "pkgver=1.3.0"),
        bump=False,
    ),
    _case(
        "sum-weaker",
        "crc in place of sha256",
        (_SUMS, "cksums=(1 SKIP SKIP 2 3)\n"),
        ("pkgver=1.2.0", "pkgver=1.3.0"),
        bump=False,
    ),
    _case(
        "sums-dropped", "no sums at all", (_SUMS, ""), ("pkgver=1.2.0", "pkgver=1.3.0"), bump=False
    ),
    _case("sums-dropped", "sums unset", ("pkgver() {", "unset sha256sums\npkgver() {")),
    _case("sum-missing", "fewer sums than sources", (f"\n            '{SCRIPT_SUM}'", "")),
    _case(
        "sum-missing",
        "a source without a sum",
        (_LAST_SOURCE, '        "tool.sh"\n        "more.patch")'),
    ),
    _case("sum-alone", "another sum for the same source", (SUM, NEXT_SUM), bump=False),
    _case(
        "sum-alone", "another sum for a patch that is the same", (PATCH_SUM, "e0" * 32), bump=False
    ),
    _case(
        "sum-same-source",
        "another sum, and a new release",
        (SUM, NEXT_SUM),
        ("pkgrel=1", "pkgrel=2"),
        bump=False,
    ),
    _case(
        "sums-swapped",
        "two sums exchanged",
        (PATCH_SUM, "?"),
        (SCRIPT_SUM, PATCH_SUM),
        ("?", SCRIPT_SUM),
    ),
    _case("pgp-key-changed", "another key", (KEY, OTHER_KEY)),
    _case("pgp-key-changed", "one more key", (f"'{KEY}'", f"'{KEY}' '{OTHER_KEY}'")),
    _case(
        "pgp-key-changed",
        "one more key by +=",
        ("pkgver() {", f"validpgpkeys+=('{OTHER_KEY}')\npkgver() {{"),
    ),
    _case("pgp-keys-dropped", "no keys", (_KEYS, "")),
    _case("pgp-keys-dropped", "an empty array", (f"('{KEY}')", "()")),
    _case(
        "pgp-key-unused",
        "a key, and nothing signed",
        (_KEYS, _KEYS.replace(KEY, OTHER_KEY)),
        both=(
            (_SIGNATURE, ""),
            ("?signed", ""),
            ("            'SKIP'\n            'SKIP'", "            'SKIP'"),
        ),
    ),
    _case(
        "signature-dropped",
        "no signature of the archive",
        (_SIGNATURE, ""),
        ("            'SKIP'\n            'SKIP'", "            'SKIP'"),
    ),
    _case("signature-dropped", "commits need not be signed", ("?signed", "")),
    _case(
        "source-unpinned",
        "a branch in place of a commit",
        ("#commit=$_commit?signed", "#branch=main?signed"),
    ),
    _case("source-unpinned", "whatever is there", ("#commit=$_commit", "")),
    _case(
        "source-unpinned",
        "a branch in place of a tag",
        ("#tag=v$pkgver", "#branch=v$pkgver"),
        both=(("#commit=$_commit", "#tag=v$pkgver"),),
    ),
    _case(
        "source-unpinned",
        "a repository in place of an archive",
        (f"$pkgname-$pkgver.tar.gz::{_ARCHIVE}", "$pkgname-$pkgver.tar.gz::git+$url.git"),
    ),
    _case(
        "source-pin-changed",
        "a commit in place of a tag",
        ("#tag=v$pkgver", "#commit=$_commit"),
        both=(("#commit=$_commit", "#tag=v$pkgver"),),
    ),
    _case(
        "source-insecure",
        "http",
        (_ARCHIVE, "http://github.com/alice/tool/archive/v$pkgver.tar.gz"),
    ),
    _case("source-insecure", "git", ("git+https://", "git://")),
    _case("source-insecure", "git over http", ("git+https://", "git+http://")),
    _case(
        "source-insecure", "ftp", (_ARCHIVE, "ftp://github.com/alice/tool/archive/v$pkgver.tar.gz")
    ),
]
_PLACES = {
    "another host": ("source-host", "https://example.net/alice/tool/v$pkgver.tar.gz"),
    "another owner": ("source-owner", "https://github.com/mallory/tool/archive/v$pkgver.tar.gz"),
    "another repository": (
        "source-repository",
        "https://github.com/alice/tool-next/archive/v$pkgver.tar.gz",
    ),
    "another path": (
        "source-path",
        "https://github.com/alice/tool/releases/download/x/$pkgver.tar.gz",
    ),
    "an address of numbers": ("address-ip", "https://203.0.113.7/tool-$pkgver.tar.gz"),
    "one long number": ("address-ip", "https://3405803783/tool-$pkgver.tar.gz"),
    "IPv6": ("address-ip", "https://[2001:db8::7]/tool-$pkgver.tar.gz"),
    "punycode": (
        "address-punycode",
        "https://xn--gthub-cta.com/alice/tool/archive/v$pkgver.tar.gz",
    ),
    "a Cyrillic letter": (
        "address-lookalike",
        "https://g\u0456thub.com/alice/tool/v$pkgver.tar.gz",
    ),
    "one letter off": (
        "address-lookalike",
        "https://githud.com/alice/tool/archive/v$pkgver.tar.gz",
    ),
    "a letter more": (
        "address-lookalike",
        "https://gitthub.com/alice/tool/archive/v$pkgver.tar.gz",
    ),
    "exchanged letters": (
        "address-lookalike",
        "https://gihtub.com/alice/tool/archive/v$pkgver.tar.gz",
    ),
    "a known name in front": (
        "address-lookalike",
        "https://github.com.example.net/alice/v$pkgver.tar.gz",
    ),
    "a shortener": ("address-shortener", "https://bit.ly/tool-$pkgver"),
    "pasted text": ("address-paste", "https://pastebin.com/raw/$pkgver"),
    "a gist": ("address-paste", "https://gist.githubusercontent.com/alice/1/raw/v$pkgver"),
    "anybody's files": ("address-drop", "https://transfer.sh/get/x/tool-$pkgver.tar.gz"),
    "files of a chat": (
        "address-drop",
        "https://cdn.discordapp.com/attachments/1/2/tool-$pkgver.tar.gz",
    ),
    "dynamic DNS": ("address-dynamic", "https://tool.duckdns.org/tool-$pkgver.tar.gz"),
    "a tunnel": ("address-dynamic", "https://1a2b.ngrok.io/tool-$pkgver.tar.gz"),
    "a hidden service": ("address-onion", "https://toolabcdefghijkl.onion/tool-$pkgver.tar.gz"),
    "a chat's webhook": ("address-webhook", "https://discord.com/api/webhooks/1/$pkgver"),
}
WHERE_FROM = [
    *(_case(code, f"from {title}", (_ARCHIVE, url)) for title, (code, url) in _PLACES.items()),
    *(
        _case(code, f"one more source, from {title}", *_one_more(f"x-$pkgver::{url}"))
        for title, (code, url) in _PLACES.items()
        if code.startswith("address")
    ),
    _case("source-owner", "the owner by way of url", ("alice/$_name", "mallory/$_name")),
    _case(
        "source-host",
        "the host by way of url",
        ("https://github.com/alice/$_name", "https://example.net/alice/$_name"),
    ),
    _case(
        "source-host",
        "a later source= overrides",
        ("pkgver() {", 'source[0]="https://example.net/$pkgver.tar.gz"\npkgver() {'),
    ),
    _case(
        "source-host",
        "rewritten by an expansion",
        ("pkgver() {", 'source=("${source[@]/github.com/example.net}")\npkgver() {'),
    ),
    _case(
        "source-host",
        "a function sets it",
        ("pkgver() {", '_set() { source[0]="https://example.net/$pkgver"; }\n_set\npkgver() {'),
    ),
    _case(
        "source-added",
        "by +=",
        ("pkgver() {", 'source+=("https://example.net/$pkgver")\nsha256sums+=(SKIP)\npkgver() {'),
    ),
    _case(
        "source-added",
        "for one architecture",
        (
            "pkgver() {",
            f'source_x86_64=("https://example.net/x")\nsha256sums_x86_64=({SUM})\npkgver() {{',
        ),
    ),
    _case("source-host", "joined lines", (_ARCHIVE, "https://exam\\\nple.net/v$pkgver.tar.gz")),
    _case(
        "source-host",
        "escaped characters",
        (f'"$pkgname-$pkgver.tar.gz::{_ARCHIVE}"', "$'\\x68ttps://example.net/v1.tar.gz'"),
    ),
    _case(
        "source-host",
        "a user in front of the host",
        (_ARCHIVE, "https://github.com@example.net/alice/v$pkgver.tar.gz"),
    ),
    _case("source-owner", "the repository of another", (_DATA, _DATA.replace("alice", "mallory"))),
    _case(
        "source-removed",
        "no patch",
        ('        "fix.patch"\n', ""),
        (f"            '{PATCH_SUM}'\n", ""),
    ),
    _case(
        "url-changed",
        "another page",
        ('url="https://github.com/alice/$_name"', 'url="https://github.com/alice/$_name/wiki"'),
        both=(("$url/", "https://github.com/alice/tool/"),),
    ),
    Case(
        title="a binary of another owner",
        code="bin-owner",
        both=(
            (
                "$pkgname-$pkgver.tar.gz::" + _ARCHIVE,
                "x-$pkgver::https://github.com/alice/tool/x-$pkgver",
            ),
        ),
        edits=(("alice/tool/x-", "mallory/tool/x-"),),
        package=PackageContext(name="tool-bin"),
    ),
]
_OTHERS = PackageContext(name="tool", others=frozenset({"neighbour", "tool"}))
_KNOWING = PackageContext(
    name="tool", known=frozenset({"glibc", "cmake", "git", "libfoo", "libbar"})
)
NAMES = [
    _case(
        "pkgname-changed",
        "another name",
        ("pkgname=$_name", "pkgname=tool2"),
        both=(("$pkgname-", "tool-"),),
    ),
    _case("pkgbase-changed", "another pkgbase", ("pkgrel=1", "pkgrel=1\npkgbase=other")),
    _case("name-taken", "a name of the distribution", ("pkgname=$_name", "pkgname=pacman")),
    _case(
        "name-taken",
        "another folder's name",
        ("pkgname=$_name", "pkgname=neighbour"),
        package=_OTHERS,
    ),
    _case(
        "package-added",
        "one more package",
        ("pkgname=$_name", "pkgname=($_name glibc)"),
        ("package() {", "package_glibc() { :; }\npackage_tool() {"),
    ),
    _case(
        "package-removed",
        "one package less",
        ("pkgname=($_name tool-doc)", "pkgname=$_name"),
        both=(
            ("pkgname=$_name", "pkgname=($_name tool-doc)"),
            ("package() {", "package_tool-doc() { :; }\npackage_tool() {"),
        ),
    ),
    _case(
        "name-taken",
        "a split package with a name of the distribution",
        ("pkgname=$_name", "pkgname=($_name glibc)"),
        ("package() {", "package_glibc() { :; }\npackage_tool() {"),
    ),
    _case("name-taken", "provides glibc", ('"$_name-api=$pkgver"', '"$_name-api=$pkgver" glibc')),
    _case(
        "name-taken",
        "provides it in the package function",
        ("package() {\n", "package() {\n  provides=(openssl)\n"),
    ),
    _case(
        "name-taken",
        "provides another folder's package",
        ('"$_name-api=$pkgver"', "neighbour"),
        package=_OTHERS,
    ),
    _case("replaces-added", "replaces", ("options=", "replaces=(other)\noptions=")),
    _case(
        "name-taken", "replaces one of the distribution", ("options=", "replaces=(sudo)\noptions=")
    ),
    _case("provides-changed", "provides", ('"$_name-api=$pkgver"', '"$_name-api=$pkgver" other')),
    _case("conflicts-changed", "conflicts", ("conflicts=(tool-git)", "conflicts=(tool-git sudo)")),
    _case("groups-changed", "groups", ("options=", "groups=(base-devel)\noptions=")),
    _case("dependency-added", "needs more", ("(glibc ", "(glibc other ")),
    _case(
        "dependency-added",
        "needs more on one architecture",
        ("options=", "depends_x86_64=(other)\noptions="),
    ),
    _case(
        "dependency-added",
        "needs more in the package function",
        ("package() {\n", "package() {\n  depends+=(other)\n"),
    ),
    _case("dependency-removed", "needs less", ("(cmake git)", "(cmake)")),
    _case(
        "dependency-unknown",
        "needs what nobody has",
        ("(glibc ", "(glibc xyzzy-plugh "),
        package=_KNOWING,
    ),
    _case("dependency-lookalike", "opensl", ("(glibc ", "(glibc opensl ")),
    _case("dependency-lookalike", "pyhton", ("(cmake git)", "(cmake git pyhton)")),
    _case(
        "dependency-lookalike",
        "one letter off one that it has",
        ("libfoo>=$pkgver", "libfop>=$pkgver"),
    ),
    _case("dependency-installer", "npm", ("(cmake git)", "(cmake git npm)")),
    _case("dependency-installer", "bun", ("(cmake git)", "(cmake git bun)")),
    _case("dependency-installer", "pip", ("(cmake git)", "(cmake git python-pip)")),
    _case("field-changed", "for other machines", ("arch=(x86_64)", "arch=(x86_64 aarch64)")),
    _case("field-changed", "other options", ("(!lto)", "(!lto !strip)")),
    _case("sensitive-backup", "sudoers", ("(etc/tool.conf)", "(etc/tool.conf etc/sudoers)")),
    _case(
        "sensitive-backup",
        "pacman.conf in the package function",
        ("package() {\n", "package() {\n  backup=(etc/pacman.conf)\n"),
    ),
    _case(
        "field-changed",
        "another file in backup",
        ("(etc/tool.conf)", "(etc/tool.conf etc/other.conf)"),
    ),
]
PEOPLE = [
    _case(
        "maintainer-changed",
        "somebody else",
        ("Alice Example <alice@example.org>", "Mallory <m@example.net>"),
    ),
    _case(
        "maintainer-changed",
        "the old one becomes a contributor",
        ("# Maintainer: Alice", "# Maintainer: Mallory <m@example.net>\n# Contributor: Alice"),
    ),
    _case(
        "maintainer-changed",
        "one more",
        ("# Contributor: Bob", "# Maintainer: Mallory <m@example.net>"),
    ),
]
_BUMPED = edited(PKGBUILD, (("pkgver=1.2.0", "pkgver=1.3.0"), (SUM, NEXT_SUM)))


def _srcinfo(title: str, *edits: tuple[str, str], code: str = "srcinfo-differs") -> Case:
    srcinfo = edited(srcinfo_of(_BUMPED.encode()).decode(), edits)
    return Case(title=title, code=code, files={".SRCINFO": srcinfo})


CLAIMS = [
    _srcinfo("other sources", ("github.com/alice/tool/archive", "github.com/mallory/tool/archive")),
    _srcinfo("another version", ("pkgver = 1.3.0", "pkgver = 9.9.9")),
    _srcinfo("another release", ("pkgrel = 1", "pkgrel = 2"), code="srcinfo-differs"),
    _srcinfo("another sum", (NEXT_SUM, "0f" * 32)),
    _srcinfo("a dependency less", ("\tdepends = glibc\n", "")),
    _srcinfo("a dependency more", ("\tdepends = glibc\n", "\tdepends = glibc\n\tdepends = evil\n")),
    _srcinfo("another name", ("pkgname = tool", "pkgname = tool2")),
    _srcinfo("another pkgbase", ("pkgbase = tool", "pkgbase = other")),
    _srcinfo("one more package", ("pkgname = tool", "pkgname = tool\n\npkgname = pacman")),
    _srcinfo("an install script", ("pkgrel = 1", "pkgrel = 1\n\tinstall = x.install")),
    _srcinfo("replaces", ("pkgname = tool", "pkgname = tool\n\treplaces = pacman")),
    _srcinfo("torn", ("\tpkgrel = 1\n", "\tpkgrel\n"), code="srcinfo-unreadable"),
    Case(
        title="the old one",
        code="srcinfo-differs",
        files={".SRCINFO": srcinfo_of(PKGBUILD.encode())},
    ),
    Case(title="no .SRCINFO", code="srcinfo-missing", files={".SRCINFO": None}),
    Case(
        title="one that never was right",
        code="srcinfo-differs",
        old_files={
            ".SRCINFO": srcinfo_of(PKGBUILD.encode()).replace(b"alice/tool", b"mallory/tool")
        },
        files={".SRCINFO": srcinfo_of(_BUMPED.encode()).replace(b"alice/tool", b"mallory/tool")},
    ),
]
RECIPES = [*VERSIONS, *INTEGRITY, *WHERE_FROM, *NAMES, *PEOPLE, *CLAIMS]
