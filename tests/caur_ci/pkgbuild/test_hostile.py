"""Whatever the file, reading it ends soon, in little memory, with an answer or without one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from caur_ci.pkgbuild import UnparsableError, evaluate, parse
from caur_ci.pkgbuild.syntax import LARGEST

_READ = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
from caur_ci.pkgbuild import UnparsableError, doubts, evaluate, parse
data = sys.stdin.buffer.read()
try:
    evaluation = evaluate(parse(data), files=())
    found = doubts(evaluation)
    print("unsure" if found else "sure")
except UnparsableError:
    print("refused")
"""
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
    "text that doubles": (b"url=aaaaaaaa\n" + b'url="$url$url"\n' * 60, {"unsure"}),
    "an array that doubles": (b"groups=(a b)\n" + b'groups+=("${groups[@]}")\n' * 60, {"unsure"}),
    "replacements that grow": (
        b"url=aaaaaaaa\n" + b"url=${url//a/aaaaaaaaaa}\n" * 30,
        {"unsure"},
    ),
    "a pattern of stars": (
        b"url=" + b"a" * 15_000 + b"\nurl=${url//*a*a*a*a*a*a*b/c}",
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


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_ends(name: str) -> None:
    data, answers = HOSTILE[name]
    done = subprocess.run(
        [sys.executable, "-c", _READ],
        input=_HEAD + data + b"\n",
        capture_output=True,
        check=False,
        timeout=200,
    )
    # A limit that is hit ends the process with a signal or a MemoryError.
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert done.stdout.decode().strip() in answers


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
