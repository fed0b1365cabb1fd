"""Makes small programs of bash that do nothing but assign, for comparison with bash itself."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = ("a", "b", "c")
ARRAYS = ("l", "m")

_PLAIN = st.text("abxyz019._-/:@+,= \té§", min_size=0, max_size=6)
_UNQUOTED = st.text("abxyz019._-/:@+,=é", min_size=1, max_size=5).filter(
    lambda text: not text.startswith(("#", "="))
)
_name = st.sampled_from(NAMES)
_array = st.sampled_from(ARRAYS)
_small = st.integers(-3, 6)


def _pattern_text() -> st.SearchStrategy[str]:
    piece = st.one_of(
        st.text("abxyz01._-", min_size=1, max_size=2),
        st.sampled_from(["*", "?", "[a-c]", "[!x]", "[^0-9]", "[._-]", r"\*", "'*'", '"."', r"\/"]),
        st.sampled_from(["$a", '"$b"', "[[:digit:]]", "[[:alpha:]]"]),
    )
    return st.lists(piece, min_size=1, max_size=3).map("".join)


def _replacement() -> st.SearchStrategy[str]:
    piece = st.one_of(
        st.text("abxyz01._-", max_size=3),
        st.sampled_from(["&", r"\&", '"&"', "'q'", "$b", '"$c"', r"\n", r"\/", " "]),
    )
    return st.lists(piece, max_size=3).map("".join)


def _subject() -> st.SearchStrategy[str]:
    return st.one_of(
        _name,
        st.builds("{}[{}]".format, _array, st.integers(0, 2)),
        st.builds("{}[@]".format, _array),
        st.builds("{}[*]".format, _array),
    )


def _expansion() -> st.SearchStrategy[str]:
    number = st.one_of(_small.map(str), st.just("${#a}"), st.just("1+1"))
    return st.one_of(
        _name.map("${}".format),
        _subject().map("${{{}}}".format),
        _subject().map("${{#{}}}".format),
        st.builds(
            "${{{}{}{}}}".format,
            _subject(),
            st.sampled_from(["#", "##", "%", "%%"]),
            _pattern_text(),
        ),
        st.builds(
            "${{{}{}{}/{}}}".format,
            _subject(),
            st.sampled_from(["/", "//", "/#", "/%"]),
            _pattern_text(),
            _replacement(),
        ),
        st.builds(
            "${{{}{}{}}}".format,
            st.one_of(_subject(), st.just("unset")),
            st.sampled_from([":-", "-", ":+", "+"]),
            st.one_of(
                _UNQUOTED, st.just("$b"), st.just("'x y'"), st.just('"x  y"'), st.just("x  y")
            ),
        ),
        st.builds("${{{}: {}}}".format, _name, number),
        st.builds("${{{}: {}:{}}}".format, _name, number, st.integers(0, 4)),
        st.builds("${{{}[@]: {}:{}}}".format, _array, st.integers(0, 3), st.integers(0, 3)),
        st.builds("${{{}{}}}".format, _subject(), st.sampled_from(["^", "^^", ",", ",,"])),
        st.builds("${{!{}[@]}}".format, _array),
        st.builds(
            "$(( {} {} {} ))".format,
            _small,
            st.sampled_from(["+", "-", "*", "<", "==", "&&", "|"]),
            _small,
        ),
        st.builds("$(echo {})".format, _UNQUOTED),
        st.builds("$(printf '%s-' \"${}\" x)".format, _name),
    )


def _quoted(text: str) -> str:
    return '"' + text + '"'


def words(*, braces: bool = True) -> st.SearchStrategy[str]:
    """Return words of bash, quoted in every way."""
    pieces = [
        _UNQUOTED,
        _PLAIN.map("'{}'".format),
        _PLAIN.map(_quoted),
        _expansion(),
        st.lists(st.one_of(_PLAIN, _expansion()), max_size=3).map("".join).map(_quoted),
        st.sampled_from(
            [r"\ ", r"\$", r"\\", r"\a", r"$'\t'", r"$'\x41b'", r"$'it\'s'", '""', "''"]
        ),
    ]
    if braces:
        pieces.append(
            st.sampled_from(
                ["{a,b}", "{1..3}", "x{,y}", "{c..a}", "{01..03}", "{$a,q}", "{a", "b}"]
            )
        )
    return st.lists(st.one_of(pieces), min_size=1, max_size=4).map("".join)


def _statement() -> st.SearchStrategy[str]:
    assigned = words(braces=False)
    listed = st.lists(words(), max_size=4).map(" ".join)
    simple = st.one_of(
        st.builds("{}={}".format, _name, assigned),
        st.builds("{}+={}".format, _name, assigned),
        st.builds("{}=({})".format, _array, listed),
        st.builds("{}+=({})".format, _array, listed),
        st.builds("{}[{}]={}".format, _array, st.integers(0, 4), assigned),
        st.builds(": ${{{}:={}}}".format, st.sampled_from([*NAMES, "d"]), _UNQUOTED),
        st.builds("printf -v {} '%s.%s' {} x".format, _name, words(braces=False)),
        st.builds("unset {}".format, _name),
    )
    condition = st.one_of(
        st.builds("[[ ${} == {} ]]".format, _name, _pattern_text()),
        st.builds("[[ -n ${} && ${} != {} ]]".format, _name, _name, _UNQUOTED),
        st.builds('[ "${}" = {} ]'.format, _name, _UNQUOTED),
        st.builds('[ -z "${}" ]'.format, _name),
        st.builds("(( ${{#{}[@]}} > {} ))".format, _array, _small),
    )
    return st.one_of(
        simple,
        st.builds("if {}; then {}; else {}; fi".format, condition, simple, simple),
        st.builds("{} && {}".format, condition, simple),
        st.builds("{} || {}".format, condition, simple),
        st.builds("for i in {}; do b+=$i; done".format, listed.filter(bool)),
        st.builds(
            "case ${} in {}) {} ;; *) {} ;; esac".format, _name, _pattern_text(), simple, simple
        ),
        st.builds("f() {{ local a={}; b=$1; {}; }}; f {}".format, assigned, simple, listed),
    )


programs = st.lists(_statement(), min_size=1, max_size=4).map("\n".join)
