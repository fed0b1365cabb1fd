"""What a package's nvchecker.toml may say, and what is refused."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.confined import Confined
from caur_ci.errors import InputError
from caur_ci.update.nvchecker_file import Entry, as_toml, check_entry, read_entry
from caur_ci.update.public_web import addresses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GIT = 'source = "git"\ngit = "https://x.org/t.git"\n'


@pytest.fixture(scope="module")
def confined() -> Iterator[Confined]:
    with Confined() as made:
        yield made


def check(
    entry: Entry, *, commands: bool = False, local: bool = False, has_keys: bool = False
) -> None:
    check_entry(entry, commands=commands, local=local, has_keys=has_keys, look_up=addresses_of)


@pytest.mark.parametrize(
    "text",
    [
        f"[tool]\n{GIT}",
        f"[another]\n{GIT}",
        f'[other]\nsource = "pypi"\n[tool]\n{GIT}',
        f'[__config__]\nkeyfile = "/etc/passwd"\n[tool]\n{GIT}',
    ],
)
def test_the_section_of_the_package_counts(text: str) -> None:
    assert read_entry(text, "tool") == ["git", {"git": "https://x.org/t.git"}]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not clear"),
        ("[__config__]\n", "not clear"),
        (f"[a]\n{GIT}[b]\n{GIT}", "it has a, b"),
        ("[tool]\n", "source = None"),
        ("tool = 1\n", "source = None"),
        ('[tool]\nsource = "../cmd"\n', "none that nvchecker knows"),
        ('[tool]\nsource = "os.path"\n', "none that nvchecker knows"),
        ('[tool]\nsource = ["git"]\n', "none that nvchecker knows"),
        ('[tool]\nsource = "git"\ngit = 2026-01-01\n', "no option"),
        ('[tool]\nsource = "git"\ngit = nan\n', "no option"),
        ("[tool\n", "no TOML"),
        ("\0", "no TOML"),
    ],
)
def test_files_that_say_nothing_are_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_entry(text, "tool")


def test_a_file_that_is_too_deep_costs_its_package_only(confined: Confined) -> None:
    with pytest.raises(InputError):
        confined.call(read_entry, f"[tool]\na = {'[' * 30000}", "tool")
    assert confined.call(read_entry, f"[tool]\n{GIT}", "tool")[0] == "git"


@pytest.mark.parametrize(
    ("source", "options", "url"),
    [
        ("git", {"git": "https://x.org/t.git"}, "https://x.org/t.git"),
        ("github", {"github": "a/b", "use_max_tag": True}, "https://github.com/a/b.git"),
        (
            "github",
            {"github": "a/b", "use_max_tag": True, "host": "git.x.org"},
            "https://git.x.org/a/b.git",
        ),
        ("github", {"github": "a/b", "use_max_tag": True, "use_latest_tag": True}, ""),
        ("github", {"github": "a/b", "use_latest_release": True}, ""),
        ("github", {"github": "a/b"}, ""),
        ("gitlab", {"gitlab": "a/b", "use_max_tag": True}, ""),
        ("pypi", {"pypi": "x"}, ""),
    ],
)
def test_who_answers(source: str, options: dict[str, Any], url: str) -> None:
    assert Entry(source, options).repository == url


@pytest.mark.parametrize(
    ("source", "options", "why"),
    [
        ("cmd", {"cmd": "id"}, "may run commands"),
        ("pacman", {"pacman": "x; id"}, "may run commands"),
        ("alpm", {"dbpath": "/"}, "may run commands"),
        ("anything", {}, "may run commands"),
        ("git", {"git": "ext::sh -c id"}, "is not the URL"),
        ("git", {"git": "--upload-pack=id"}, "is not the URL"),
        ("git", {"git": "https://x.org/a;id $(id)"}, "is not the URL"),
        ("git", {"git": 1}, "no URL"),
        ("git", {}, "no URL"),
        ("git", {"git": "https://x.org/a", "use_commit": True}, "no version"),
        ("git", {"git": "https://x.org/a", "sort_version_key": "portage"}, "not known"),
        ("git", {"git": "file:///etc"}, "asked for nothing"),
        ("git", {"git": "git@x.org:a/b"}, "asked for nothing"),
        ("git", {"git": "http://127.0.0.1/a"}, "not public"),
        ("github", {"github": "a/b/../c", "use_max_tag": True}, "no project"),
        ("github", {"github": "a/b", "use_max_tag": True, "host": "localhost"}, "not public"),
        ("regex", {"url": "http://169.254.169.254/x", "regex": "x"}, "not public"),
        ("regex", {"url": "file:///etc/passwd", "regex": "x"}, "asked for nothing"),
        ("regex", {"url": " file:/etc/passwd", "regex": "x"}, "no http"),
        ("gitlab", {"gitlab": "a/b", "host": "localhost"}, "not public"),
        ("gitlab", {"gitlab": "a/b", "host": "localhost:80/x"}, "not public"),
        ("gitlab", {"gitlab": "a/b", "host": "x@y"}, "no host"),
        ("container", {"container": "a", "registry": "[::1]"}, "no host"),
        ("npm", {"registry": "http://10.0.0.1"}, "not public"),
        ("apt", {"mirror": "http://localhost/debian"}, "not public"),
        ("regex", {"url": "https://x.invalid", "proxy": "http://127.0.0.1:1"}, "not public"),
    ],
)
def test_what_asks_for_too_much_is_refused(source: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        check(Entry(source, options))


def test_the_repository_may_allow_it() -> None:
    for source, options in (("cmd", {"cmd": "id"}), ("regex", {"url": "http://127.0.0.1/"})):
        check(Entry(source, options), commands=True, local=True)


def test_tokens_stay_where_they_belong() -> None:
    entry = Entry("github", {"github": "a/b", "host": "x.invalid", "use_latest_release": True})
    check(entry)
    with pytest.raises(InputError, match="another host"):
        check(entry, has_keys=True)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_TEXTS.filter(lambda it: it != "source"), _VALUES, max_size=4))
def test_what_is_written_for_nvchecker_is_what_was_read(options: dict[str, Any]) -> None:
    text = as_toml({"a.b\n": Entry("pypi", options)}, {"http_timeout": 20})

    assert tomllib.loads(text) == {
        "__config__": {"http_timeout": 20},
        "a.b\n": {"source": "pypi", **options},
    }
