"""The table of settings in docs/aur-push.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from caur_ci.config import RepositoryConfig
from caur_ci.config.loading import keys_of

PAGE = Path(__file__).parents[1] / "docs" / "aur-push.md"
ROW = re.compile(r"\| `([A-Z_]+)`(?:, `([A-Z_]+)`)? \| (.*?) \|")


def test_the_settings_exist_and_have_these_defaults() -> None:
    keys, defaults = keys_of(RepositoryConfig), RepositoryConfig()
    rows = [found for line in PAGE.read_text().splitlines() if (found := ROW.match(line))]
    told = {name: row[3].strip("`") for row in rows for name in (row[1], row[2]) if name}

    assert told.keys() >= {"CI_MANAGE_AUR", "CI_AUR_SSH", "CI_AUR_HOST_KEYS"}
    for name, default in told.items():
        value = getattr(defaults, keys[name][0])
        if value:  # others are told in words
            assert default == str(value)
        else:
            assert default in {"false", "those that the AUR publishes", "those of git"}
