"""The catalogue of findings, and the page that shows it."""

from __future__ import annotations

import re

from caur_ci.validation.catalogue import CATALOGUE, RULES, finding
from caur_ci.validation.catalogue_page import PAGE, with_catalogue


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_catalogue(page) == page, "run `python -m caur_ci.validation.catalogue_page`"


def test_codes_are_words_with_hyphens_and_each_is_there_once() -> None:
    codes = [rule.code for rules in CATALOGUE.values() for rule in rules]

    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", code) for code in codes)
    assert len(codes) == len(set(codes)) == len(RULES)


def test_every_rule_says_what_to_do() -> None:
    for rule in RULES.values():
        assert rule.sentence, rule.code
        assert rule.remedy.endswith("."), rule.code


def test_what_comes_from_outside_is_cut_and_on_one_line() -> None:
    found = finding("link-outside", file="x\udcff\x1b[31m", what=f"{{what}}\n\x1b[2J{'y' * 9000}")

    assert "\n" not in found.message
    assert "\x1b" not in str(found)
    assert len(found.message) < 500
    assert "{what} y" in found.message
    str(found).encode()
