"""Changes that need nobody: none of them may be major."""

from __future__ import annotations

from caur_ci.judge import File
from tests.caur_ci.judge.folders import (
    COMMIT,
    KEY,
    NEXT_COMMIT,
    NEXT_SUM,
    PATCH_SUM,
    PKGBUILD,
    SCRIPT_SUM,
    SUM,
    Case,
    Edits,
    srcinfo_of,
)


def _case(title: str, *edits: tuple[str, str], both: Edits = (), bump: bool = True) -> Case:
    return Case(title=title, edits=edits, both=both, bump=bump)


_LITERAL = ("$url/archive/v$pkgver.tar.gz", "https://github.com/alice/tool/archive/v1.2.0.tar.gz")
_VERSIONS: dict[str, tuple[str, str]] = {
    "patch": ("1.2.0", "1.2.1"),
    "minor": ("1.2.0", "1.3.0"),
    "major": ("1.2.0", "2.0.0"),
    "release candidate": ("2.0rc1", "2.0rc2"),
    "final": ("2.0rc2", "2.0"),
    "date": ("20240101", "20240215"),
    "dated": ("1.0.20240101", "1.0.20240215"),
    "commits": ("1.2.r10.g0123abc", "1.2.r95.gfed3210"),
    "commits only": ("r120.0123abc", "r340.fed3210"),
    "plus": ("2.42+r2+g3ec4dd77f648", "2.42+r13+gbc13db739377"),
    "browser": ("142.0.7444.59", "142.0.7444.134"),
    "more parts": ("1.2", "1.2.1"),
    "letters": ("1.2a", "1.2b"),
    "underscore": ("1.2_1", "1.2_2"),
}
VERSIONS = [
    Case(
        title=f"a new version: {name}",
        both=(("pkgver=1.2.0", f"pkgver={old}"),),
        edits=((f"pkgver={old}", f"pkgver={new}"), (SUM, NEXT_SUM)),
        bump=False,
    )
    for name, (old, new) in _VERSIONS.items()
]
RELEASES = [
    _case("a new release", ("pkgrel=1", "pkgrel=2"), bump=False),
    _case("a bumped release", ("pkgrel=1", "pkgrel=1.1"), bump=False),
    _case("a new epoch", ("pkgrel=1", "pkgrel=1\nepoch=1"), bump=False),
    _case(
        "another epoch",
        ("epoch=1", "epoch=2"),
        both=(("pkgrel=1", "pkgrel=1\nepoch=1"),),
        bump=False,
    ),
    _case(
        "an epoch for a lower version",
        ("pkgver=1.2.0", "pkgver=0.9\nepoch=1"),
        (SUM, NEXT_SUM),
        bump=False,
    ),
    _case("the release starts again", ("pkgrel=4", "pkgrel=1"), both=(("pkgrel=1", "pkgrel=4"),)),
    _case("a commit goes with the version", (COMMIT, NEXT_COMMIT)),
    _case("the same sum", ("pkgver=1.2.0", "pkgver=1.3.0"), bump=False),
    _case(
        "a tag",
        ("_tag=v1.2.0-beta", "_tag=v1.3.0-beta"),
        both=(("_name=tool", "_name=tool\n_tag=v1.2.0-beta"),),
    ),
    _case(
        "a build number",
        ("_build=152", "_build=160"),
        both=(("_name=tool", "_name=tool\n_build=152"),),
    ),
    _case(
        "a version of its own parts",
        ("_minor=2", "_minor=3"),
        (SUM, NEXT_SUM),
        both=(("pkgver=1.2.0", "_minor=2\npkgver=1.$_minor.0"),),
        bump=False,
    ),
    _case(
        "a default", ("_rev:=11", "_rev:=12"), both=(("_name=tool", "_name=tool\n: ${_rev:=11}"),)
    ),
    _case(
        "a name that holds the version",
        ("_archive=tool-1.2.0", "_archive=tool-1.3.0"),
        both=(("_name=tool", "_name=tool\n_archive=tool-1.2.0"),),
    ),
]
SOURCES = [
    _case("the version in an address", ("v1.2.0.tar.gz", "v1.3.0.tar.gz"), both=(_LITERAL,)),
    _case("parts of the version", ("/1.2/v$", "/1.3/v$"), both=(("archive/v$", "archive/1.2/v$"),)),
    _case("other separators", ("/1_2_0/", "/1_3_0/"), both=(("archive/v$", "archive/1_2_0/v$"),)),
    _case("rewritten", both=(("archive/v$pkgver", "archive/v${pkgver//./_}"),)),
    _case("shortened", both=(("archive/v$pkgver", "archive/v${pkgver%.*}"),)),
    _case(
        "a commit in an address",
        (COMMIT, NEXT_COMMIT),
        both=(("#commit=$_commit", f"#commit={COMMIT}"), (f"_commit={COMMIT}\n", "")),
    ),
    _case(
        "sources in another order, with their sums",
        ('"fix.patch"\n        "tool.sh"', '"tool.sh"\n        "fix.patch"'),
        (
            f"'{PATCH_SUM}'\n            '{SCRIPT_SUM}'",
            f"'{SCRIPT_SUM}'\n            '{PATCH_SUM}'",
        ),
    ),
    _case("an address written out", ("$url/archive", "https://github.com/alice/tool/archive")),
    _case(
        "an address put together",
        ("https://github.com/alice/tool/archive", "$url/archive"),
        both=(("$url/archive", "https://github.com/alice/tool/archive"),),
    ),
    _case("+= for a source", ('        "tool.sh")', ')\nsource+=("tool.sh")')),
    _case(
        "sources for one architecture",
        ("sha256sums_x86_64=(0", "sha256sums_x86_64=(1"),
        both=(
            (
                "validpgpkeys",
                f'source_x86_64=("$url/x-$pkgver")\nsha256sums_x86_64=({"0" * 64})\nvalidpgpkeys',
            ),
        ),
    ),
]
SUMS = [
    Case(
        title="a sum where there was none",
        both=((SUM, "SKIP"),),
        edits=(
            ("sha256sums=('SKIP'", f"sha256sums=('{NEXT_SUM}'"),
            ("pkgver=1.2.0", "pkgver=1.3.0"),
        ),
        bump=False,
    ),
    Case(
        title="a stronger sum beside the old one",
        edits=(
            (
                "validpgpkeys",
                f"sha512sums=('{'e5' * 64}' SKIP SKIP '{'f6' * 64}' '{'07' * 64}')\nvalidpgpkeys",
            ),
        ),
    ),
    Case(
        title="stronger sums of a new source",
        both=(
            ('        "fix.patch"\n        "tool.sh")', ")"),
            (
                "\n            'SKIP'" * 2
                + f"\n            '{PATCH_SUM}'\n            '{SCRIPT_SUM}'",
                " SKIP SKIP",
            ),
            ("sha256sums", "sha1sums"),
            (SUM, "a1" * 20),
            ('  patch -Np1 -i "$srcdir/fix.patch"\n', ""),
            ('  install -Dm755 "$srcdir/tool.sh" "$pkgdir/usr/bin/tool-sh"\n', ""),
        ),
        edits=(("pkgver=1.2.0", "pkgver=1.3.0"), ("sha1sums", "sha256sums"), ("a1" * 20, NEXT_SUM)),
        bump=False,
    ),
    _case("sums in capitals", (SUM, SUM.upper()), bump=False),
]
LAYOUT = [
    _case("nothing", bump=False),
    _case("a comment", ("pkgrel=1", "pkgrel=1 # first"), bump=False),
    _case(
        "comments in a function", ("  make -C build\n", "  # Now\n  make -C build\n"), bump=False
    ),
    _case("no comments", ("# Contributor: Bob\n", ""), bump=False),
    _case("empty lines", ("\n\n", "\n\n\n"), bump=False),
    _case("indentation", ("  ", "\t"), bump=False),
    _case("an array in one line", ("'\n            '", "' '"), bump=False),
    _case("an array in many lines", ("(glibc ", "(\n  glibc\n  "), bump=False),
    _case("single quotes", ('"A tool for tests"', "'A tool for tests'"), bump=False),
    _case("no quotes", ('"fix.patch"', "fix.patch"), bump=False),
    _case("more quotes", ("pkgver=1.2.0", 'pkgver="1.2.0"'), bump=False),
    _case("braces", ("$pkgname-$pkgver", "${pkgname}-${pkgver}"), bump=False),
    _case(
        "quotes in a function",
        ('cd "$srcdir/$pkgname-$pkgver"', 'cd "$srcdir"/"$pkgname-$pkgver"'),
        bump=False,
    ),
    _case("no quotes in a function", ('cd "$srcdir/data"', "cd $srcdir/data"), bump=False),
    _case("joined lines", ("cmake -B build ", "cmake -B build \\\n    "), bump=False),
    _case("semicolons", ("  make -C build\n", "  make -C build;\n"), bump=False),
    _case(
        "variables in another order",
        ("pkgver=1.2.0\npkgrel=1\n", "pkgrel=1\npkgver=1.2.0\n"),
        bump=False,
    ),
    _case(
        "functions in another order",
        (
            PKGBUILD[PKGBUILD.index("pkgver() {") :],
            PKGBUILD[PKGBUILD.index("prepare() {") :]
            + "\n"
            + PKGBUILD[PKGBUILD.index("pkgver() {") : PKGBUILD.index("prepare() {")],
        ),
        bump=False,
    ),
    _case("`function` in front", ("build() {", "function build() {"), bump=False),
    _case(
        "an e-mail address in another form",
        ("<alice@example.org>", "<alice at example dot org>"),
        bump=False,
    ),
    _case(
        "another contributor",
        ("# Contributor: Bob", "# Contributor: Bob\n# Contributor: Carol"),
        bump=False,
    ),
    _case(
        "letters that are not English",
        ("# Contributor: Bob", "# Contributor: Jürgen Müller, Łukasz, 李雷 🎉"),
        bump=False,
    ),
]
VALUES = [
    _case("another description", ("A tool for tests", "A tool for all tests")),
    _case("another licence", ("license=(MIT)", "license=(MIT-0)")),
    _case("a hint for people", ("'bar: for bars'", "'bar: for bars' 'foo: for foos'")),
    _case("a hint less", ("optdepends=('bar: for bars')\n", "")),
    _case(
        "a dependency with the version",
        ("libfoo>=1.2.0", "libfoo>=1.3.0"),
        both=(("libfoo>=$pkgver", "libfoo>=1.2.0"),),
    ),
    _case("a dependency of a higher version", ("libfoo>=$pkgver", "libfoo>=1.2.5")),
    _case("dependencies in another order", ("(cmake git)", "(git cmake)")),
]
FILES = [
    Case(title="a README", files={"README.md": "# tool\n"}),
    Case(
        title="a changed README",
        files={"README.md": "# The tool\n"},
        old_files={"README.md": "# tool\n"},
    ),
    Case(
        title="a licence of the packaging", files={"LICENSE": "Permission to use, copy, modify\n"}
    ),
    Case(title="licences of the packaging", files={"LICENSES/0BSD.txt": "Permission to use\n"}),
    Case(
        title="a link between licences",
        files={"LICENSE": "Permission\n", "LICENSES/0BSD.txt": File(b"../LICENSE", link=True)},
    ),
    Case(
        title="a key that is asked for already",
        files={f"keys/pgp/{KEY}.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"},
    ),
    Case(
        title="a changelog",
        files={"tool.changelog": "1.3.0: more\n"},
        old_files={"tool.changelog": "1.2.0\n"},
        both=(("options=", "changelog=tool.changelog\noptions="),),
    ),
    Case(
        title="the repository's own configuration",
        files={".CI/config": "CI_PACKAGE_BUMP=1\n"},
        bump=False,
    ),
    Case(
        title="a .SRCINFO put right",
        old_files={".SRCINFO": "pkgbase = tool\n"},
        files={".SRCINFO": srcinfo_of(PKGBUILD.encode())},
        bump=False,
    ),
]
HARMLESS = [*VERSIONS, *RELEASES, *SOURCES, *SUMS, *LAYOUT, *VALUES, *FILES]
