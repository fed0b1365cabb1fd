"""The catalogue of findings, and the page that shows it."""

from __future__ import annotations

import re
from string import Formatter

from caur_ci.judge.catalogue import CATALOGUE, RULES, finding
from caur_ci.judge.catalogue_page import PAGE, with_catalogue


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_catalogue(page) == page, "run `python -m caur_ci.judge.catalogue_page`"


def test_codes_are_words_with_hyphens_and_each_is_there_once() -> None:
    codes = [rule.code for rules in CATALOGUE.values() for rule in rules]

    assert all(re.fullmatch(r"[a-z]+(?:-[a-z]+)*", code) for code in codes)
    assert len(codes) == len(set(codes)) == len(RULES)


def test_sentences_take_nothing_but_what_they_are_about() -> None:
    for rule in RULES.values():
        names = {name for _, name, _, _ in Formatter().parse(rule.sentence) if name is not None}
        assert names <= {"what"}, rule.code
        assert rule.example, rule.code


def test_what_comes_from_outside_is_cut_and_on_one_line() -> None:
    found = finding("eval-used", file="x\udcff", old="a\nb", new="c" * 9000, what="{x}\n\udcff")

    assert found.old == "a b"
    assert len(found.new) == 300
    assert found.message.endswith("{x} ?")
    str(found).encode()
