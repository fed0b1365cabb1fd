"""What always holds, whatever the change: layout means nothing, a new command everything."""

from __future__ import annotations

import random
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.judge import File, Verdict
from caur_ci.judge.judging import judge
from tests.caur_ci.judge.folders import FILES, PKGBUILD, srcinfo_of

SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
COMMANDS = st.sampled_from(
    [
        "id",
        "touch x",
        "curl https://example.net",
        "rm -rf /",
        "true; id",
        "x=1 id",
        "eval id",
        "(id)",
        "{ id; }",
        "id &",
        "id | cat",
        "! id",
        "if id; then :; fi",
        "while id; do :; done",
        "cp a b",
        "$(id)",
        "`id`",
        "case a in a) id;; esac",
        "for x in a; do id; done",
        "f() { id; }; f",
    ]
)
_FUNCTIONS = PKGBUILD.index("pkgver() {")
HEAD, BODY = PKGBUILD[:_FUNCTIONS], PKGBUILD[_FUNCTIONS:]
_PLAIN = re.compile(r"(?:_name|_commit|pkgver|pkgrel|arch|license|makedepends|conflicts)=")
_INDEPENDENT = ("pkgrel=", "pkgdesc=", "arch=", "license=", "options=", "backup=", "conflicts=")


def folder(pkgbuild: str) -> dict[str, File]:
    files = {**FILES, "PKGBUILD": pkgbuild}
    found = {path: File(text.encode()) for path, text in files.items()}
    return {**found, ".SRCINFO": File(srcinfo_of(PKGBUILD.encode()))}


def verdict(pkgbuild: str) -> Verdict:
    return judge(folder(PKGBUILD), folder(pkgbuild)).verdict


@given(
    seed=st.integers(0, 10_000),
    comment=st.text("abc '\"$(){}`;&|<>\\", max_size=20),
)
@SETTINGS
def test_comments_and_empty_lines_mean_nothing(seed: int, comment: str) -> None:
    chance = random.Random(seed)
    lines = []
    for line in PKGBUILD.split("\n"):
        # Between the elements of an array and within a function as well.
        if chance.random() < 0.3:
            lines += ["", f"  # {comment}"]
        lines.append(line)

    assert verdict("\n".join(lines)) is Verdict.IDENTICAL


@given(seed=st.integers(0, 10_000))
@SETTINGS
def test_indentation_means_nothing(seed: int) -> None:
    chance = random.Random(seed)
    lines = [
        re.sub(r"^ *", lambda _: " \t"[chance.randrange(2)] * chance.randrange(5), line)
        for line in PKGBUILD.split("\n")
    ]

    assert verdict("\n".join(lines)) is Verdict.IDENTICAL


@given(seed=st.integers(0, 10_000))
@SETTINGS
def test_quotes_around_plain_words_mean_nothing(seed: int) -> None:
    chance = random.Random(seed)

    def quoted(match: re.Match[str]) -> str:
        quote = chance.choice(["", "'", '"'])
        return f"{match[1]}{quote}{match[2]}{quote}"

    lines = [
        re.sub(r"(=|[( ])([\w.-]+)(?=[)\n ]|$)", quoted, line) if _PLAIN.match(line) else line
        for line in HEAD.split("\n")
    ]
    head = "\n".join(lines)
    body = re.sub(r"( )(make|build|install|cmake|patch)(?=[ \n])", quoted, BODY)

    assert verdict(head + body) is Verdict.IDENTICAL


@given(seed=st.integers(0, 10_000))
@SETTINGS
def test_the_order_of_independent_assignments_means_nothing(seed: int) -> None:
    chance = random.Random(seed)
    lines = HEAD.split("\n")
    moved = [line for line in lines if line.startswith(_INDEPENDENT)]
    rest = [line for line in lines if not line.startswith(_INDEPENDENT)]
    chance.shuffle(moved)
    at = rest.index("validpgpkeys=('" + "ABCD" * 10 + "')") + 1

    assert verdict("\n".join([*rest[:at], *moved, *rest[at:]]) + BODY) is Verdict.IDENTICAL


@given(command=COMMANDS, seed=st.integers(0, 10_000), new_version=st.booleans())
@SETTINGS
def test_a_command_that_is_put_in_is_major(command: str, seed: int, *, new_version: bool) -> None:
    lines = (PKGBUILD.replace("pkgver=1.2.0", "pkgver=1.3.0") if new_version else PKGBUILD).split(
        "\n"
    )
    # Not within an array, where it would be an element: that is another test's.
    places = [
        at
        for at, line in enumerate(lines)
        if re.match(r"[a-z_]+=|\S.*\(\) \{|  \S|\}", line) and not re.match(r" {8}", line)
    ]
    at = random.Random(seed).choice(places)
    if re.match(r"(?:source|sha256sums)=", lines[at]) or lines[at].endswith("{"):
        at -= 1

    assert verdict("\n".join([*lines[:at], command, *lines[at:]])) is Verdict.MAJOR


@given(command=COMMANDS, name=st.sampled_from(["pkgdesc", "_x", "license", "pkgver", "options"]))
@SETTINGS
def test_a_command_in_an_assignment_is_major(command: str, name: str) -> None:
    assert verdict(f'{HEAD}{name}="$({command})"\n{BODY}') is Verdict.MAJOR


@given(element=st.sampled_from(["x", "$(id)", "https://example.net/x", "SKIP", "a=b"]))
@SETTINGS
def test_an_element_that_is_put_in_is_major(element: str) -> None:
    for line in (
        "source=(",
        "depends=(",
        "sha256sums=(",
        "makedepends=(",
        "arch=(",
        "validpgpkeys=(",
    ):
        assert verdict(PKGBUILD.replace(line, f"{line}{element} ")) is Verdict.MAJOR
