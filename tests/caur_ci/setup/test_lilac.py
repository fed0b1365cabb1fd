"""Whatever lilac's files hold, they are read without being run, and end in an answer."""

from __future__ import annotations

import tomllib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.config import load_package_config
from caur_ci.errors import InputError
from caur_ci.setup.lilac import convert

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@settings(max_examples=50)
@given(st.dictionaries(st.from_regex(r"\A[a-z_]{1,12}\Z"), SCALARS, max_size=5))
def test_sections_of_nvchecker_say_what_lilac_says(keys: dict[str, object]) -> None:
    import yaml  # noqa: PLC0415

    entry = {**keys, "source": "github"}
    text = yaml.safe_dump({"update_on": [entry]}, allow_unicode=True)

    converted = convert("pkg", text.encode(), None)

    section = tomllib.loads(converted.nvchecker)["pkg"]
    own = {"alias", "manual", "lilac_throttle"}
    read = yaml.safe_load(text)["update_on"][0]
    assert section == {k: "pkg" if v is None else v for k, v in read.items() if k not in own}
    lines = "".join(f"{key}={value}\n" for key, value in converted.config.items())
    assert not list(load_package_config(lines.encode(), origin="x").warnings)


@settings(max_examples=100)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_end_in_an_answer(lilac_yaml: bytes, lilac_py: bytes) -> None:
    with suppress(InputError):
        assert convert("pkg", lilac_yaml, lilac_py).config


@pytest.mark.parametrize("code", ["import os\nos.system('touch ran')", "(" * 5000])
def test_nothing_is_run(code: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    converted = convert("pkg", b"", code.encode())

    assert converted.left_out or converted.config
