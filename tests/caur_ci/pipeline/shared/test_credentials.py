"""Pushing with ACCESS_TOKEN to a git server over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets
from caur_ci.errors import GitError
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, OnCommitResult, on_commit
from tests.support.git import git
from tests.support.git_http import GitHttpServer, git_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.git import Checkout

TOKEN = "glpat-very+secret/token"


@pytest.fixture
def server(checkout: Checkout) -> Iterator[GitHttpServer]:
    git(checkout.remote, "config", "http.receivepack", "true")
    with git_over_http(checkout.remote.parent, TOKEN) as running:
        # As a forge's checkout has it: with a job token in the URL that may not push.
        url = running.url(checkout.remote).replace("://", "://gitlab-ci-token:jobtoken@")
        git(checkout.folder, "remote", "set-url", "origin", url)
        checkout.commit("x", {"a/PKGBUILD": "1\n"})
        yield running


def run(checkout: Checkout, token: str) -> OnCommitResult:
    secrets = Secrets({"ACCESS_TOKEN": token} if token else {})
    return on_commit(OnCommitOptions(repo=checkout.folder, secrets=secrets))


def test_the_access_token_is_used_instead_of_the_job_token(
    checkout: Checkout, server: GitHttpServer
) -> None:
    assert run(checkout, TOKEN).published
    assert checkout.remote_ref("refs/tags/scheduled") == checkout.head()
    assert set(server.users) == {"oauth2"}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("token", ["", "wrong-token"])
def test_a_token_that_may_not_is_a_clear_error_without_it(checkout: Checkout, token: str) -> None:
    with pytest.raises(GitError) as caught:
        run(checkout, token)

    assert "ACCESS_TOKEN" in caught.value.hint
    assert "jobtoken" not in caught.value.message
    assert "wrong-token" not in caught.value.message


@pytest.mark.usefixtures("server")
def test_the_token_is_in_no_argument_environment_or_file_left_behind(
    checkout: Checkout, tmp_path: Path
) -> None:
    spy = tmp_path / "bin"
    spy.mkdir()
    record = tmp_path / "record"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout
    (spy / "git").write_text(
        f'#!/bin/sh\n{{ printf "%s\\n" "$@"; env; }} >> {record}\nexec {real.strip()} "$@"\n'
    )
    (spy / "git").chmod(0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "caur_ci", "on-commit", "--repo", checkout.folder],
        env={
            **os.environ,
            "PATH": f"{spy}:{os.environ['PATH']}",
            "TMPDIR": str(scratch),
            "ACCESS_TOKEN": TOKEN,
        },
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "push" in record.read_text()
    for text in (record.read_text(), done.stdout.decode(), done.stderr.decode()):
        assert TOKEN not in text
        assert "very%2Bsecret" not in text
    assert list(scratch.iterdir()) == []
