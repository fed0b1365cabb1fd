"""The KEY=VALUE file: what is read, and what a rewrite leaves alone."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.errors import ConfigError, InputError
from caur_ci.keyvalue import KeyValueFile

keys = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", min_size=1, max_size=12)
# Whatever can stand on one line, odd blanks, quotes and non-ASCII included.
values = st.text(
    st.characters(codec="utf-8", exclude_characters="\x7f").filter(
        lambda c: c == "\t" or ord(c) >= 32
    ),
    max_size=40,
)
lines = st.one_of(
    st.sampled_from(["", "# a comment", "   # another", "stray words", "\t"]),
    st.builds("{}={}".format, keys, st.sampled_from(["x", "'a b'", '"q"', "x # why", "1:2-3/4"])),
)


def parse(text: str) -> KeyValueFile:
    return KeyValueFile.parse(text.encode(), origin="file")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("  K = v  ", "v"),
        ("K='v'", "v"),
        ('K="v"', "v"),
        ('K="a b"  # why', "a b"),
        ("K=v # why", "v"),
        ("K= # why", ""),
        ("K=", ""),
        ("K=''", ""),
        ("K=https://x/y.git#branch=z", "https://x/y.git#branch=z"),
        ("K=a b c", "a b c"),
        (r'K="say \"hi\" for \$5 \d"', r'say "hi" for $5 \d'),
        (r"K='\d # no comment'", r"\d # no comment"),
        ("K=it's", "it's"),
        ("K=v\r", "v"),
        ("K=1\nK=2", "2"),
    ],
)
def test_values_are_read_with_and_without_quotes(line: str, value: str) -> None:
    assert parse(line).get("K") == value


@pytest.mark.parametrize("line", ['K="open', "K='open", 'K="a"b', "K='a' b"])
def test_broken_quotes_are_an_error_with_file_and_line(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^file:2: "):
        parse(f"# first\n{line}\n")


def test_lines_that_are_nothing_are_told() -> None:
    assert parse("A=1\nexport B=2\n\n# c\nwords\n").stray_lines() == [2, 5]


def test_a_rewrite_keeps_comments_order_quotes_and_unknown_keys() -> None:
    text = "# head\r\nA = 'one'  # why\r\nUNKNOWN=x\r\nB=2\r\n\r\n# tail"
    file = parse(text)
    file.set("A", "it is one")
    file.set("B", "3")
    file.set("NEW", "n")
    expected = "# head\r\nA = 'it is one'  # why\r\nUNKNOWN=x\r\nB=3\r\n\r\n# tail\nNEW=n\r\n"
    assert file.render().decode() == expected


def test_the_last_assignment_in_force_is_the_one_rewritten() -> None:
    file = parse("A=1\nA=2\n")
    file.set("A", "3")
    assert file.render() == b"A=1\nA=3\n"


def test_removed_keys_go_from_every_line() -> None:
    file = parse("A=1\n# c\nA=2\nB=3\n")
    file.remove("A")
    file.set("B", "4")
    assert file.render() == b"# c\nB=4\n"


@pytest.mark.parametrize("value", ['"', "'", "'a' b", '"a"', " a", "a # b", "\\", "$x"])
@pytest.mark.parametrize("before", ["K=x\n", "K='x'\n", 'K="x"\n', ""])
def test_values_that_need_quotes_get_them(before: str, value: str) -> None:
    file = parse(before)
    file.set("K", value)
    assert KeyValueFile.parse(file.render(), origin="x").get("K") == value


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_values_of_several_lines_are_refused(value: str) -> None:
    with pytest.raises(InputError):
        parse("").set("A", value)


@given(st.binary().filter(lambda data: b'"' not in data and b"'" not in data))
def test_what_is_not_changed_is_written_back_to_the_byte(data: bytes) -> None:
    assert KeyValueFile.parse(data, origin="x").render() == data


@given(st.lists(lines, max_size=8), keys, values)
def test_a_value_that_was_set_is_read_back(before: list[str], key: str, value: str) -> None:
    file = parse("\n".join(before))
    others = {k: a.value for k, a in file.assignments().items() if k != key}
    file.set(key, value)
    again = KeyValueFile.parse(file.render(), origin="x")
    assert again.get(key) == value
    assert {k: a.value for k, a in again.assignments().items() if k != key} == others
    assert again.render() == file.render()


@given(keys.filter(lambda key: not key[0].isdigit()), values)
def test_bash_reads_a_quoted_value_the_same_way(key: str, value: str) -> None:
    file = parse(f'{key}="x"\n')
    file.set(key, value)
    if key in {"UID", "EUID", "PPID", "IFS", "PATH", "_"}:
        return
    script = f'source /dev/stdin; printf %s "${{{key}}}"'
    done = subprocess.run(
        ["bash", "-c", script], input=file.render(), capture_output=True, check=True
    )
    assert done.stdout.decode() == value


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    data = b"\xef\xbb\xbfREPO_NAME=mine\r\n# x\r\n"
    file = KeyValueFile.parse(data, origin="x")

    assert file.get("REPO_NAME") == "mine"
    assert file.stray_lines() == []
    assert file.render() == data
