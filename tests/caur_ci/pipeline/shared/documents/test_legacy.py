"""`.ci/schedule-params.txt`, a piece of bash that the existing pipelines source."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from caur_ci.config import RepositoryConfig
from caur_ci.pipeline.shared.documents.legacy import (
    not_expressible,
    schedule_params,
)
from caur_ci.request import BuildRequest, PackageRequest

MIRROR = "https://mirror.example.org/arch"


def request(
    *packages: str,
    remove: tuple[str, ...] = (),
    target: str = "target",
    reference: str = "",
    mirror: str = "",
) -> BuildRequest:
    """Return a request for packages, `NAME/CLASS` where they have one."""
    named = (word.partition("/") for word in packages)
    return BuildRequest(
        request_id="1",
        created="",
        source_repo="source",
        target_repo=target,
        commit="c",
        commit_reference=reference,
        arch_mirror=mirror,
        packages=tuple(PackageRequest(pkgbase=n, build_class=c or None) for n, _, c in named),
        remove=remove,
    )


def params(
    asked: BuildRequest,
    config: RepositoryConfig | None = None,
    keep: tuple[str, ...] = ("a", "b"),
    **environ: str,
) -> str:
    return schedule_params(asked, config or RepositoryConfig(), keep=keep, environ=environ)


SCHEDULE = 'declare -a PARAMS_SCHEDULE=([0]="schedule" [1]="--target-repo=target"'
HEAD = f'{SCHEDULE} [2]="--source-repo=source" [3]="--commit" '

REMOVE = 'declare -a PARAMS_AUTOREPOREMOVE=([0]="auto-repo-remove"'


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (request(), ""),
        (request("a"), f'{HEAD}[4]="c" [5]="a")\n'),
        (request("a", "b/3"), f'{HEAD}[4]="c" [5]="a" [6]="b/3")\n'),
        (request("a", reference="c:12"), f'{HEAD}[4]="c:12" [5]="a")\n'),
        (
            request("a", mirror=f"{MIRROR}/$repo/os/$arch"),
            f'{HEAD}[4]="c" [5]="--arch-mirror={MIRROR}/\\$repo/os/\\$arch" [6]="a")\n',
        ),
        (request("a", "x@y", "Big/3", "b"), f'{HEAD}[4]="c" [5]="a" [6]="b")\n'),
        (
            request(remove=("c",)),
            f'{REMOVE} [1]="--target-repo=target" [2]="--commit" [3]="c" [4]="a" [5]="b")\n',
        ),
    ],
)
def test_what_is_asked_for(asked: BuildRequest, expected: str) -> None:
    assert params(asked) == expected


def test_builds_and_removals_are_two_lines() -> None:
    assert [line.split("=")[0] for line in params(request("a", remove=("c",))).splitlines()] == [
        "declare -a PARAMS_SCHEDULE",
        "declare -a PARAMS_AUTOREPOREMOVE",
    ]


def test_each_architecture_has_a_call_of_its_own() -> None:
    asked = replace(
        request("a", remove=("c",)),
        arch="x86_64",
        packages=(
            PackageRequest(pkgbase="a"),
            PackageRequest(pkgbase="a", arch="aarch64"),
            PackageRequest(pkgbase="b"),
        ),
        remove_from=("x86_64", "aarch64"),
    )
    other = 'declare -a PARAMS_SCHEDULE_aarch64=([0]="schedule" [1]="--target-repo=target"'
    gone = '[1]="--target-repo=target" [2]="--arch=aarch64" [3]="--commit" [4]="c" [5]="a"'

    assert params(asked).splitlines() == [
        f'{HEAD}[4]="c" [5]="a" [6]="b")',
        f'{other} [2]="--source-repo=source" [3]="--arch=aarch64" [4]="--commit" [5]="c" [6]="a")',
        f'{REMOVE} [1]="--target-repo=target" [2]="--commit" [3]="c" [4]="a" [5]="b")',
        f'declare -a PARAMS_AUTOREPOREMOVE_aarch64=([0]="auto-repo-remove" {gone} [6]="b")',
    ]


def test_an_empty_list_of_packages_to_keep_is_never_written() -> None:
    assert params(request(remove=("c",)), keep=()) == ""


class TestTunnel:
    """The configuration comes first, then the environment; nothing is better than empty."""

    CONFIG = RepositoryConfig(
        redis_ssh_host="redis.example.org",
        redis_ssh_port=22,
        redis_ssh_user="me",
        redis_port=6380,
    )

    def test_of_the_configuration(self) -> None:
        assert params(request(), self.CONFIG, REDIS_SSH_HOST="other").splitlines() == [
            'declare -x REDIS_SSH_HOST="redis.example.org"',
            'declare -x REDIS_SSH_PORT="22"',
            'declare -x REDIS_SSH_USER="me"',
            'declare -x REDIS_PORT="6380"',
        ]

    def test_of_the_environment(self) -> None:
        found = params(request(), REDIS_SSH_HOST="other", REDIS_PORT="1", REDIS_URL="x")

        assert found.splitlines() == [
            'declare -x REDIS_SSH_HOST="other"',
            'declare -x REDIS_PORT="1"',
        ]


HOSTILE = "$(touch x) `touch x` \"'\\ ${HOME} !! \\$x *"


def test_bash_reads_exactly_what_was_written() -> None:
    text = params(
        request("a", target=HOSTILE, reference=HOSTILE), REDIS_SSH_HOST=HOSTILE, REDIS_SSH_USER="é"
    )

    done = subprocess.run(
        ["bash", "--norc", "-c", 'eval "$0"; printf "%s\\n" "${PARAMS_SCHEDULE[@]}"; env', text],
        capture_output=True,
        text=True,
        check=True,
    )

    lines = done.stdout.splitlines()
    assert lines[:6] == [
        "schedule",
        f"--target-repo={HOSTILE}",
        "--source-repo=source",
        "--commit",
        HOSTILE,
        "a",
    ]
    assert f"REDIS_SSH_HOST={HOSTILE}" in lines
    assert "REDIS_SSH_USER=é" in lines


def test_names_that_it_cannot_carry_are_known() -> None:
    asked = request("a", "Big", "x@y", "c-git", "_d.e+f")

    assert not_expressible(asked) == ["Big", "x@y"]


def test_groups_that_it_cannot_carry_are_told() -> None:
    packages = [PackageRequest(pkgbase=name, group=name[:1]) for name in ("a1", "a2", "b1")]
    asked = replace(request("a"), packages=(*packages, PackageRequest(pkgbase="c")))

    first, second = params(asked).splitlines()

    assert first == "# Not known here, and published one by one: rebuild groups a b"
    assert second == f'{HEAD}[4]="c" [5]="a1" [6]="a2" [7]="b1" [8]="c")'
