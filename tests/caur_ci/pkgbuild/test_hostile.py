"""Whatever the file, reading it ends soon, in little memory, with an answer or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.confined import Confined
from caur_ci.pkgbuild import UnparsableError, evaluate, parse
from caur_ci.pkgbuild.foreign import evaluated_srcinfo
from caur_ci.pkgbuild.syntax import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

# The bounds of reading and evaluating come first: these are for what they do not catch.
_FURTHER_BOUNDS = {"cpu_seconds": 20, "memory": 700 * 1024**2}
_REFUSED = ("bytes; ", "too long to be read", "here-documents", "holds a ")
_HEAD = b"pkgname=tool\npkgver=1\npkgrel=1\narch=(any)\n"

# What is said of each; no more than "it is not sure" is asked of most.
HOSTILE: dict[str, tuple[bytes, set[str]]] = {
    "here-documents": (
        b"cat "
        + b"".join(b"<<E%d " % i for i in range(20_000))
        + b"\n"
        + b"\n".join(b"E%d" % i for i in range(20_000)),
        {"refused"},
    ),
    "a megabyte of here-documents": (
        b"cat "
        + b"".join(b"<<E%d " % i for i in range(60_000))
        + b"\n"
        + b"\n".join(b"E%d" % i for i in range(60_000)),
        {"refused"},
    ),
    "here-documents without end": (
        b"cat " + b"".join(b"<<E%d " % i for i in range(999)) + b"\n" + b"x\n" * 240_000,
        {"refused"},
    ),
    "redirections": (b"<" * 400_000, {"refused", "unsure"}),
    "pipes": (b"a | " * 120_000, {"refused", "unsure"}),
    "NUL": (b"x=a\0b", {"refused"}),
    "carriage returns": (b"x=a\r\n", {"refused"}),
    "too large": (b"#" * (LARGEST + 1), {"refused"}),
    "deep groups": (b"{ " * 10_000 + b":" + b"; }" * 10_000, {"unsure", "refused"}),
    "deep conditions": (
        b"if :; then " * 10_000 + b":" + b"; fi" * 10_000,
        {"unsure", "refused"},
    ),
    "many elif": (
        b"if [[ -f a ]]; then :; " + b"elif [[ -f a ]]; then :; " * 5_000 + b"fi",
        {"unsure"},
    ),
    "deep commands in functions": (
        b"f() { if [[ -f a ]]; then url=$(f $(f $(f a))); fi; }\nf",
        {"unsure"},
    ),
    "a long list": (b"true" + b" && true" * 20_000, {"unsure", "refused"}),
    "deep commands": (b"url=" + b"$(echo " * 10_000 + b")" * 10_000, {"unsure", "refused"}),
    "deep defaults": (b"url=" + b"${a:-" * 10_000 + b"}" * 10_000, {"unsure", "refused"}),
    "deep arithmetic": (
        b"url=$((" + b"(" * 10_000 + b"1" + b")" * 10_000 + b"))",
        {"unsure", "refused"},
    ),
    "deep braces": (b"groups=(" + b"{a," * 5_000 + b"b" + b"}" * 5_000 + b")", {"unsure"}),
    "deep functions": (
        b"package() { " + b"f() { " * 3_000 + b":" + b"; }" * 3_000 + b"; }",
        {"unsure", "refused"},
    ),
    "a long number": (b"pkgver=$((" + b"9" * 5_000 + b"))", {"unsure"}),
    "a long power": (b"pkgver=$((9**9**9**9))", {"sure", "unsure"}),
    "a number in braces": (b"groups=({1..999999999})", {"unsure"}),
    "many braces": (b"groups=(" + b"{a,b}" * 40 + b")", {"unsure"}),
    "large braces": (b"groups=({1..99999}{1..99999})", {"unsure"}),
    "large braces in an override": (
        b"package() { depends=({1..99999}{1..99999}); }",
        {"unsure"},
    ),
    "a huge array": (b"groups=(" + b"a " * 200_000 + b")", {"unsure"}),
    "a huge array of text": (
        b"x=" + b"a" * 1_000 + b"\ngroups=(" + b"$x " * 100_000 + b")",
        {"unsure", "refused"},
    ),
    "text that doubles": (b"url=aaaaaaaa\n" + b'url="$url$url"\n' * 60, {"unsure"}),
    "an array that doubles": (b"groups=(a b)\n" + b'groups+=("${groups[@]}")\n' * 60, {"unsure"}),
    "replacements that grow": (
        b"url=aaaaaaaa\n" + b"url=${url//a/aaaaaaaaaa}\n" * 30,
        {"unsure"},
    ),
    "a replacement of every character": (
        b"x=" + b"a" * 100_000 + b"\nurl=${x//a/$x}",
        {"unsure"},
    ),
    "replacements in an array": (
        b"x=" + b"a" * 10_000 + b"\ny=(" + b"$x " * 100 + b')\ngroups=("${y[@]//a/$x}")',
        {"unsure"},
    ),
    "text of a great width": (b"printf -v url '%999999999s' a", {"unsure"}),
    "a pattern of stars": (
        b"url=" + b"a" * 15_000 + b"\nurl=${url//*a*a*a*a*a*a*b/c}",
        {"unsure"},
    ),
    "a regular expression of repetitions": (
        b"url=" + b"a" * 60 + b"b\nif [[ $url =~ ^((a+)+)+$ ]]; then url=a; fi",
        {"unsure"},
    ),
    "an index far off": (b"groups[99999999999]=a", {"sure", "unsure"}),
    "a function that calls itself twice": (b"f() { f; f; }\nf", {"unsure"}),
    "functions that double": (
        b"f0() { :; }\n"
        + b"".join(b"f%d() { f%d; f%d; }\n" % (i, i - 1, i - 1) for i in range(1, 40))
        + b"f39",
        {"unsure"},
    ),
    "conditions that double": (
        b"f0() { :; }\n"
        + b"".join(
            b"f%d() { if [[ -f a ]]; then f%d; else f%d; fi; }\n" % (i, i - 1, i - 1)
            for i in range(1, 20)
        )
        + b"f19",
        {"unsure"},
    ),
    "an arithmetic loop": (b"x=3\nwhile ((1)); do ((x = x * x + 1)); done", {"unsure"}),
    "a loop over numbers": (b"for ((i = 0; i < 1000000000; i++)); do :; done", {"unsure"}),
    "an endless loop": (b"while true; do x+=a; done", {"unsure"}),
    "an evaluation of itself": (b'x=\'eval "$x"\'\neval "$x"', {"unsure"}),
    "many evaluations": (
        b'x="a <<E"\nfor i in {1..5000}; do eval "$x $x $x $x"; done',
        {"unsure"},
    ),
    "bytes that are no text": (b"pkgdesc='\xff\xfe\xc3('", {"sure"}),
    "a byte order mark": (b"\xef\xbb\xbfpkgdesc=a", {"unsure"}),
    "garbage": (
        bytes((i * 7919 + i // 3) % 255 + 1 for i in range(100_000)),
        {"unsure", "refused"},
    ),
}


@pytest.fixture(scope="module")
def confined() -> Iterator[Confined]:
    with Confined(**_FURTHER_BOUNDS) as confined:
        yield confined


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_ends(confined: Confined, name: str) -> None:
    data, answers = HOSTILE[name]
    found = evaluated_srcinfo(confined, _HEAD + data + b"\n", origin="tool/PKGBUILD", files=())
    if found.srcinfo is not None:
        answer = "sure"
    else:
        reason = found.doubts[0].reason
        assert "to be understood" not in reason
        assert "cannot be understood" not in reason
        answer = "refused" if any(words in reason for words in _REFUSED) else "unsure"
    assert answer in answers


def test_what_no_bound_catches_is_not_sure() -> None:
    names = b" ".join(b"n%d" % i for i in range(30_000))
    pkgbuild = b"pkgver=1\npkgrel=1\npkgname=(" + names + b")\narch=(" + names + b")\n"
    with Confined(cpu_seconds=1) as confined:
        found = evaluated_srcinfo(confined, pkgbuild, origin="tool/PKGBUILD", files=())

    assert found.srcinfo is None
    assert [doubt.reason for doubt in found.doubts] == ["it takes too much time to be understood"]


def test_the_refusal_names_file_and_line() -> None:
    with pytest.raises(UnparsableError, match="tool/PKGBUILD, line 2: holds a NUL byte"):
        parse(b"a=1\nb=\0\n", origin="tool/PKGBUILD")


def test_errors_have_lines_and_everything_is_unsure() -> None:
    tree = parse(b"pkgname=a\nif true; then\npkgver=1\n")
    assert tree.has_errors
    assert tree.error_lines() == [4]
    lost = evaluate(tree).lost
    assert lost is not None
    assert "syntax" in lost.reason
