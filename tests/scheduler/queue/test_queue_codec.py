"""Jobs as they are encoded: the schema and the fast checks say the same."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.errors import InputError
from scheduler.job import JobSpec, OnFailure
from scheduler.queue.codec import (
    MAX_SPEC_SIZE,
    JobEncoder,
    decode_job,
    encode_job,
    job_document,
)
from scheduler.schemas import problem_of
from tests.support.queue import COMMIT, job

_GOOD = job("a", "glibc", "libc.so", provides=("v",), reason="because", on_failure=OnFailure.HOLD)
_TEXTS = st.one_of(
    st.text(max_size=8),
    st.text("abz09@._+-/ \n<>=:,;'\"\\", max_size=8),
    st.sampled_from(["", COMMIT, f"{COMMIT}:17", "x" * 255, "x" * 256, "0", "1", "9999", "10000"]),
    st.sampled_from(["hold", "proceed", "https://mirror.example.org/$repo", "r" * 500, "r" * 501]),
    st.sampled_from(["linux", "lib32-gtk+", "libfoo.so", "a\n", "proceed\n", "01", "2048x", "é"]),
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    field.name: st.lists(_TEXTS, max_size=3).map(tuple)
    if field.name in {"pkgnames", "provides", "depends", "shared_with"}
    else _TEXTS
    for field in dataclasses.fields(JobSpec)
}


def _ends_with_line_break(document: dict[str, Any]) -> bool:
    """Tell what a pattern of a schema overlooks; a reason has no pattern."""
    fields = (value for field, value in document.items() if field != "reason")
    values = (value if isinstance(value, list) else [value] for value in fields)
    return any(value.endswith("\n") for several in values for value in several)


@given(changes=st.fixed_dictionaries({}, optional=_VALUES))
@settings(max_examples=500, deadline=None)
def test_a_job_is_accepted_exactly_when_the_schema_allows_it(changes: dict[str, Any]) -> None:
    spec = dataclasses.replace(_GOOD, **changes)
    document = json.loads(json.dumps(job_document(spec)))
    allowed = not problem_of("job", document) and not _ends_with_line_break(document)
    if allowed:
        assert json.loads(JobEncoder()(spec)) == document
    else:
        with pytest.raises(InputError, match="cannot be accepted"):
            JobEncoder()(spec)


def test_what_was_good_once_in_a_batch_is_good_only_where_it_belongs() -> None:
    encode = JobEncoder()
    encode(job("a", "lib:with+colon"))
    with pytest.raises(InputError):
        encode(job("lib:with+colon"))
    encode(dataclasses.replace(_GOOD, reason="a b"))
    with pytest.raises(InputError):
        encode(job("a b"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pkgbase": "../evil"}, "$.pkgbase"),
        ({"depends": ("fine", "a>=1")}, "$.depends[1]"),
        ({"commit": "abc"}, "$.commit"),
        ({"reason": "r" * 501}, "$.reason"),
        ({"on_failure": "explode"}, "$.on_failure"),
        ({"pkgnames": (None,)}, "$.pkgnames[0]"),
    ],
)
def test_the_reason_names_the_place(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as raised:
        encode_job(dataclasses.replace(_GOOD, **changes))
    assert words in raised.value.message


def test_too_much_of_what_is_good_is_refused() -> None:
    depends = tuple(f"dependency-{number:06}" for number in range(MAX_SPEC_SIZE // 10))
    with pytest.raises(InputError, match="bytes"):
        encode_job(job("a", *depends))


def test_a_job_is_read_as_it_was_written() -> None:
    assert decode_job(encode_job(_GOOD)) == _GOOD
