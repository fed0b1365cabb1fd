"""The queue of the existing manager, read job by job."""

from __future__ import annotations

import json
from typing import Any

import pytest

from caur_ci.errors import InputError
from scheduler.legacy_queue import LegacyQueue, read_legacy_queue

SHA = "0123456789abcdef" * 2 + "01234567"
OTHER = "f" * 40


def legacy_job(pkgbase: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {
        "pkgbase": pkgbase,
        "target_repo": "chaotic-aur",
        "source_repo": "chaotic-aur",
        "arch": "x86_64",
        "build_class": None,
        "commit": f"{SHA}:4711",
    } | fields


def read(*jobs: object, version: object = 3, commit: str = "") -> LegacyQueue:
    text = json.dumps({"save_queue": jobs, "version": version})
    return read_legacy_queue(text, origin="build-queue", commit=commit)


def test_a_complete_job_keeps_everything_it_says() -> None:
    queue = read(
        legacy_job(
            "qt6-base-git",
            build_class="catbuilder",
            pkgnames=["qt6-base-git", "qt6-base-git-docs", "qt6-base-git"],
            dependencies=["cmake-git", "qt6-base-git-docs", "libfoo.so=3-64", "zlib>=1:1.3"],
            arch_mirror="https://mirror.example/$repo/os/$arch",
        )
    )
    (job,) = queue.jobs
    assert job.identity == "chaotic-aur/x86_64/qt6-base-git"
    assert (job.commit, job.commit_reference) == (SHA, f"{SHA}:4711")
    assert job.build_class == "catbuilder"
    assert job.pkgnames == ("qt6-base-git", "qt6-base-git-docs")
    assert job.depends == ("cmake-git", "libfoo.so", "zlib")
    assert job.arch_mirror == "https://mirror.example/$repo/os/$arch"
    assert queue.refused == ()


def test_what_is_optional_may_be_missing_or_empty() -> None:
    bare = legacy_job("bare", commit=SHA)
    del bare["build_class"]
    nulls = legacy_job(
        "nulls", commit=f"{SHA}:", pkgnames=None, dependencies=None, arch_mirror=None
    )
    jobs = read(bare, nulls).jobs
    assert [(job.pkgnames, job.depends, job.arch_mirror) for job in jobs] == [
        (("bare",), (), ""),
        (("nulls",), (), ""),
    ]
    assert [job.commit_reference for job in jobs] == [SHA, SHA]


@pytest.mark.parametrize(
    ("given", "taken"),
    [(None, "1"), ("", "1"), (0, "1"), (9, "9"), ("9", "9"), ("05", "5"), ("cat", "cat")],
)
def test_build_classes_have_one_form(given: object, taken: str) -> None:
    (job,) = read(legacy_job("a", build_class=given)).jobs
    assert job.build_class == taken


@pytest.mark.parametrize("commit", ["", None])
def test_a_job_without_commit_is_refused_unless_one_is_given(commit: str | None) -> None:
    jobs = (legacy_job("a", commit=commit), legacy_job("b"))

    alone = read(*jobs)
    helped = read(*jobs, commit=OTHER)

    assert [job.pkgbase for job in alone.jobs] == ["b"]
    (refusal,) = alone.refused
    assert refusal.identity == "chaotic-aur/x86_64/a"
    assert refusal.reason == "$.save_queue[0]: it does not say which commit is to be built"
    assert [job.commit for job in helped.jobs] == [OTHER, SHA]
    assert helped.refused == ()


@pytest.mark.parametrize(
    ("job", "path"),
    [
        (legacy_job("$(reboot)"), "$.save_queue[1].pkgbase: "),
        (legacy_job("a", target_repo="../up"), "$.save_queue[1].target_repo: "),
        (legacy_job("a", commit="main"), "$.save_queue[1].commit: "),
        (legacy_job("a", commit=SHA[:12]), "$.save_queue[1].commit: "),
        (legacy_job("a", build_class=-1), "$.save_queue[1].build_class: "),
        (legacy_job("a", build_class='"0"'), "$.save_queue[1].build_class: "),
        (legacy_job("a", pkgnames=["a", "b c"]), "$.save_queue[1].pkgnames[1]: "),
        (legacy_job("a", dependencies=["b", "c d"]), "$.save_queue[1].dependencies[1]: "),
        (legacy_job("a", arch_mirror="javascript:x"), "$.save_queue[1].arch_mirror: "),
        ({"pkgbase": "a"}, "$.save_queue[1]: "),
        ("a", "$.save_queue[1]: "),
        (None, "$.save_queue[1]: "),
    ],
)
def test_a_job_that_does_not_fit_is_refused_alone_with_its_path(job: object, path: str) -> None:
    queue = read(legacy_job("good"), job)
    assert [job.pkgbase for job in queue.jobs] == ["good"]
    (refusal,) = queue.refused
    assert refusal.reason.startswith(path)
    assert refusal.identity


@pytest.mark.parametrize("version", [2, 4, "3", None, True, 3.5])
def test_another_version_is_not_guessed_at(version: object) -> None:
    with pytest.raises(InputError, match=r"build-queue has .*version.* only version 3"):
        read(version=version)


@pytest.mark.parametrize("text", ["[]", "{}", '{"save_queue": {}, "version": 3}', "null", "{"])
def test_something_else_is_named_as_such(text: str) -> None:
    with pytest.raises(InputError, match=r"^build-queue is not "):
        read_legacy_queue(text, origin="build-queue")


def test_the_request_id_follows_from_the_jobs_alone() -> None:
    a, b = legacy_job("a"), legacy_job("b")
    same = read(dict(reversed(a.items())), b)
    ids = [read(a, b), read(b, a), read(a), read(a, b | {"commit": OTHER})]
    assert read(a, b).request_id == same.request_id
    assert len({queue.request_id for queue in ids}) == 4
