"""What cannot be known without running it is said to be unsure, never guessed."""

from __future__ import annotations

import pytest

from caur_ci.pkgbuild import Evaluation, doubts, evaluate, parse
from caur_ci.pkgbuild.values import Array, Unsure

HEAD = "pkgname=tool\npkgver=1\npkgrel=1\narch=(any)\n"

UNSURE = {
    "the output of a program": "x=$(date +%s)",
    "a file": "x=$(< version)",
    "what comes of an unsure value": "y=$(uname -r)\nx=${y%%-*}",
    "both ways of an unsure condition": "if curl -s a >x; then x=1; else x=2; fi",
    "one way of an unsure condition": "x=1\n[[ -f y ]] && x=2",
    "what a loop over unsure words sets": "x=1\nfor i in $(ls); do x=$i; done",
    "what an unsure loop sets": "x=1\nwhile git fetch &>/dev/null; do x=2; done",
    "a default that is unsure": ": ${x:=$(date)}",
    "a default behind an unsure one": ": $(date) ${x:=1}",
    "arithmetic that assigns": "x=1\ny=$(( x++ ))",
    "an index that assigns": "x=1\ny=${z[x++]}",
    "a condition that assigns": "x=1\n[[ -n ${y:-} && -n ${x:=2} ]] || (( x++ ))",
    "read": "read -r x < file",
    "readarray": "readarray -t x < file",
    "let": "x=1\nlet x=x+1",
    "an integer": "declare -i x\nx=1+1",
    "a lower-case variable": "declare -l x\nx=ABC",
    "an associative array": "declare -A x\nx[a]=1",
    "text for an array that may be there": "curl -so x a 1>&2 && x=(1 2)\nx=3",
    "a tilde": "x=~/a",
    "a tilde behind a colon": "x=a:~/b",
    "a variable of the machine": "x=$HOME/a",
    "the folder": "x=$startdir",
    "a random number": "x=$RANDOM",
    "arguments": "x=$1",
    "a process substitution": "x=(<(echo a))",
    "a file name pattern": "x=(*.patch)",
    "an extended pattern": "y=aab\nx=${y//+(a)/b}",
    "given indices": "x=([2]=a [1]=b)",
    "a translated text": 'x=$"hello"',
    "text that is not UTF-8": "y=$'\\xff'\nx=${#y}",
    "case of other than ASCII": "y=straße\nx=${y^^}",
    "a text of words beside an empty array": 'y=()\nx=("$z${y[@]}")',
    "an escape of echo": "x=$(echo -e '\\0101')",
    "a format of printf": "x=$(printf '%x' 12)",
    "a name that goes on in the next line": 'y=1\nx="$y\\\nz"',
    "an operator that goes on in the next line": "y=1\nx=${y:\\\n-2}",
    "an index before the first element": "y=(a)\nx=${y[-5]}",
    "a number of too many digits": "x=$((" + "9" * 5000 + "))",
}

LOST = {
    "eval of what is not known": 'eval "$(curl -s a)"',
    "source": "source ./more",
    "a command by an unsure name": "$(cat name) a",
    "a function of makepkg's": "source_safe ./more",
    "another definition of one": "write_srcinfo_content() { :; }",
    "another definition of a builtin": "printf() { :; }",
    "a builtin by another way": "builtin eval x=2",
    "a trap": "trap 'x=2' DEBUG",
    "shopt": "shopt -s extglob",
    "set": "set -o posix",
    "exec": "exec 3< file",
    "exit": "exit 0",
    "exit in one of two ways": "curl -s a || exit",
    "output": "echo hello",
    "output of a program": "ls",
    "IFS": "IFS=,",
    "a variable that changes bash": "POSIXLY_CORRECT=1",
    "one by default": ": ${POSIXLY_CORRECT:=1}",
    "one by a loop": "for BASH_COMPAT in 42; do :; done",
    "one by printf": "printf -v PRINTSRCINFO 0",
    "a locale": "LC_ALL=C",
    "a variable that is not to be changed": "readonly y=1\ny=2",
    "a failing end": "false",
    "an end that may fail": "[[ -f x ]]",
    "set -u with what is not set": "set -u\ny=$nothing\nset +u",
    "a function that calls itself": "f() { f; }\nf",
    "an endless loop": "while :; do y=1; done",
    "a C loop": "for ((i = 0; i < 2; i++)); do x=$i; done",
    "a syntax error": "if true; then",
    "case that falls through": "case $(curl -s a) in a) x=1 ;& b) x=2 ;; esac",
    "a reference": "y=x\ndeclare -n z=$y\nx=1\nz=2",
    "a function that may be another one": "f() { x=1; }\ncurl -s a >&2 && f() { x=2; }\nf",
    "declare -g beside a local": "f() { local x=1; declare -g x=2; }\nf",
    "a text with such a line": "package() { y='a\n  url=x'; }",
    "a text that will have such a line": "package() { y=$'a\\n  url=x'; }",
    "a command with such a line": "package() { y=$(a\nurl=x); }",
    "a coprocess": "coproc cat",
    "a here-document that makepkg reads": "package() { cat <<E\n  url=x\nE\n}",
}


def _evaluate(text: str, files: tuple[str, ...] | None = ()) -> Evaluation:
    return evaluate(parse((HEAD + text + "\n").encode()), files=files)


@pytest.mark.parametrize("name", UNSURE)
def test_a_value_is_unsure(name: str) -> None:
    # The last line sees to it that the file as a whole is understood.
    evaluation = _evaluate(UNSURE[name] + "\n:", files=("a.patch",))
    value = evaluation.value("x")
    assert isinstance(value, Unsure), value
    assert evaluation.lost is None, evaluation.lost
    assert 5 <= value.line <= 8


@pytest.mark.parametrize("name", LOST)
def test_nothing_is_sure(name: str) -> None:
    evaluation = _evaluate(LOST[name])
    assert evaluation.lost is not None
    assert isinstance(evaluation.value("pkgname"), Unsure)
    assert doubts(evaluation)


@pytest.mark.parametrize(
    "line",
    [
        "depends=($(cat list))",
        "foo && depends=(a); pkgdesc=x$(date)",
        "depends=(a) || true",
        "depends=(a) ls",
        "depends=(a) &",
        "pkgdesc=$outvalue",
        "pkgdesc=$srcdir",
        "pkgdesc='two\nlines'",
        "depends=(${x:=a})",
        "pkgdesc=",
        "pkgdesc=$1",
        "if depends=(a); then :; fi",
    ],
)
def test_a_field_of_a_package_function_is_unsure(line: str) -> None:
    evaluation = _evaluate("pkgdesc=a\nforce=1\npackage() {\n  " + line + "\n}")
    assert evaluation.lost is None
    assert any(doubt.package == "tool" for doubt in doubts(evaluation)), evaluation.overrides


def test_only_what_enters_the_srcinfo_is_doubted() -> None:
    evaluation = _evaluate("_x=$(date)\nbuild() { eval x; }\npackage() { _y=$(date); }")
    assert isinstance(evaluation.value("_x"), Unsure)
    assert doubts(evaluation) == []


def test_a_doubt_names_field_line_and_reason() -> None:
    (doubt,) = doubts(_evaluate("url=a\n_v=$(uname -r)\nsource=(b\n  $_v)"))
    assert str(doubt) == "line 6: source: what uname writes"


def test_what_is_the_same_both_ways_is_sure() -> None:
    evaluation = _evaluate("if [[ -f a ]]; then x=1 y=(b); z=1; else y=(b) x=1; z=2; fi\n:")
    assert evaluation.value("x") == "1"
    assert evaluation.value("y") == Array.of(["b"])
    assert isinstance(evaluation.value("z"), Unsure)


def test_a_later_plain_value_replaces_an_unsure_one() -> None:
    evaluation = _evaluate("x=$(date)\nx=1\ny=($(date))\ny=(a)")
    assert evaluation.value("x") == "1"
    assert evaluation.value("y") == Array.of(["a"])


def test_a_subshell_changes_nothing() -> None:
    evaluation = _evaluate('x=1\n(x=2; eval "$(date)")\nz=$(x=3; echo $x)\necho | x=4\nx=5 &\n:')
    assert evaluation.lost is None or "standard output" in evaluation.lost.reason
    evaluation = _evaluate("x=1\n(x=2)\nz=$(x=3; echo $x)\n: | x=4\n:")
    assert evaluation.value("x") == "1"
    assert evaluation.value("z") == "3"


def test_a_pattern_that_no_file_can_match_stands_for_itself() -> None:
    text = "x=(https://example.org/?a=[b] *.diff)"
    assert _evaluate(text, ("PKGBUILD", "a.patch")).value("x") == Array.of(
        ["https://example.org/?a=[b]", "*.diff"]
    )
    assert isinstance(_evaluate(text, None).value("x"), Unsure)
    assert isinstance(_evaluate(text, ("https:",)).value("x"), Unsure)
    assert isinstance(_evaluate(text, ("a.diff",)).value("x"), Unsure)


def test_values_know_their_lines() -> None:
    evaluation = _evaluate("x=1\n\nx+=2\ny=(\n  a\n)\npackage() {\n  pkgdesc=a\n  depends=(b)\n}")
    assert {name: evaluation.variables[name].line for name in ("pkgname", "x", "y")} == {
        "pkgname": 1,
        "x": 7,
        "y": 8,
    }
    assert {name: field.line for name, field in evaluation.overrides["tool"].items()} == {
        "pkgdesc": 12,
        "depends": 13,
    }
    assert evaluation.functions == {"package": 11}


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("x=$(false)", "1"),
        ("x=$(false)$(true)", "0"),
        ("x=$(false) y=1", "1"),
        ("x=($(false))", "1"),
        ("x[0]=$(false)", "1"),
        ("export x=$(false)", "0"),
        ("f() { return 3; }; f", "3"),
        ("if false; then :; fi", "0"),
        ("case a in b) false ;; esac", "0"),
        ("[[ a == b ]] && :", "1"),
        ("! :", "1"),
        ("false | true", "0"),
        ("(( 0 ))", "1"),
    ],
)
def test_the_exit_code_of_statements(statement: str, status: str) -> None:
    assert _evaluate(f"{statement}\ncode=$?\n").value("code") == status
