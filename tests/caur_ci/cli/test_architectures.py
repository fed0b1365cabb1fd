"""A repository with several architectures: what commands ask the queue for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.support.git import Checkout, srcinfo
from tests.support.queue import build_order, claim_all

if TYPE_CHECKING:
    from scheduler.queue import Queue

V3, ARM = "x86_64_v3", "aarch64"
PKGBUILD = "pkgname=x\n"


def for_both(pkgbase: str, *lines: str) -> str:
    text = srcinfo(pkgbase, f"arch = {ARM}", *lines)
    return text.replace("arch = any", "arch = x86_64")


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a repository that is only read, but for its branches."""
    files = {
        ".ci/config": f"BUILD_REPO=source\nREPO_NAME=repo\nCI_ARCHITECTURES=x86_64 {V3} {ARM}\n",
        "app/.SRCINFO": for_both("app", "depends = lib", f"depends_{ARM} = data"),
        "app/.CI/config": f"CI_ARCHITECTURES={V3} {ARM}\n",
        "data/.SRCINFO": srcinfo("data"),
        "lib/.SRCINFO": for_both("lib"),
        "lib/.CI/config": f"CI_ARCHITECTURES=x86_64 {ARM}\n",
        "old/.SRCINFO": srcinfo("old").replace("arch = any", "arch = i686"),
        **{f"{name}/PKGBUILD": PKGBUILD for name in ("app", "data", "lib", "old")},
    }
    checkout = Checkout.create(tmp_path_factory.mktemp("world"))
    checkout.commit("feat: begin", {"README": "nothing yet"})
    checkout.schedule_here()
    checkout.commit("feat: packages", {**files})
    checkout.push()
    return checkout


@pytest.fixture
def checkout(committed: Checkout, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.chdir(committed.folder)
    return committed


ALL = [
    *(f"repo/{arch}/app" for arch in (V3, ARM)),
    "repo/x86_64/data",
    *(f"repo/{arch}/lib" for arch in ("x86_64", ARM)),
]


@pytest.mark.usefixtures("checkout")
def test_what_is_pushed_is_built_for_each_in_order(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["on-commit"], Session()) in {ExitCode.OK, ExitCode.PARTIAL}
    told = capsys.readouterr()
    assert "the package arch=(i686)" in told.out + told.err
    assert f"nothing of x86_64 {V3} {ARM} (CI_ARCHITECTURES): old" in " ".join(told.err.split())
    assert run(["schedule", "--outbox", "--redis", redis_url], Session()) == ExitCode.OK

    waiting = {job.identity: job.waits_for for job in queue.snapshot().waiting}
    assert waiting == {
        f"repo/{V3}/app": ("repo/x86_64/lib",),
        f"repo/{ARM}/app": ("repo/x86_64/data", f"repo/{ARM}/lib"),
    }
    assert sorted(build_order(queue)) == ["app", "app", "data", "lib", "lib"]


class TestByName:
    @pytest.mark.usefixtures("checkout")
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["app", "data", "lib"], ALL),
            (["all"], ALL),  # but the one that is built for nothing
            (["app", "lib", f"--arch={V3}"], [f"repo/{V3}/app", "repo/x86_64/lib"]),
            (["data", f"--arch={ARM}"], ["repo/x86_64/data"]),
        ],
    )
    def test_builds(
        self, queue: Queue, redis_url: str, arguments: list[str], expected: list[str]
    ) -> None:
        assert run(["schedule", "--redis", redis_url, *arguments], Session()) == ExitCode.OK

        snapshot = queue.snapshot()
        jobs = (*snapshot.ready, *snapshot.waiting)
        assert sorted(job.identity for job in jobs) == sorted(expected)
        specs = {claim.spec.pkgbase: claim.spec for claim in claim_all(queue)}
        assert "data" not in specs or specs["data"].shared_with == (V3, ARM)

    @pytest.mark.usefixtures("checkout")
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["app", "--arch=x86_64"], "app: it is not built for x86_64"),
            (["old"], "old: nothing to build for"),
        ],
    )
    def test_what_is_built_for_nothing_is_refused(
        self,
        queue: Queue,
        redis_url: str,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        words: str,
    ) -> None:
        assert run(["schedule", "--redis", redis_url, *arguments], Session()) == ExitCode.FAILED
        assert words in capsys.readouterr().err
        assert queue.snapshot().ready == ()

    @pytest.mark.usefixtures("checkout")
    def test_removals(self, queue: Queue, redis_url: str) -> None:
        command = ["auto-repo-remove", "--target-repo=repo", "--redis", redis_url, "--remove=old"]
        assert run(command, Session()) == ExitCode.OK

        scopes = [removal.scope for removal in queue.removals()]
        assert scopes == [f"repo/{arch}" for arch in ("x86_64", V3, ARM)]

    @pytest.mark.usefixtures("checkout")
    def test_the_order(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["deptree", "--order", "app", f"--arch={ARM}"], Session()) == ExitCode.OK
        assert "data lib" in capsys.readouterr().out
        assert run(["deptree", "--order", "app", f"--arch={V3}"], Session()) == ExitCode.OK
        assert "data" not in capsys.readouterr().out
