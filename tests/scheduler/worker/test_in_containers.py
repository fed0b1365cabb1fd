"""What builds in containers have beyond others: the script prepare, and users of their own."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from scheduler.diagnosis.lines import read_lines
from scheduler.diagnosis.survey import GoodLog
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.worker.executors.container.executor import ContainerExecutor
from tests.support.containers import need_containers
from tests.support.packages import pkgbuild, srcinfo_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.building import BuildSite, BuildWorld

PREPARE = """\
echo "as $(id -u) in $PWD, which is $BUILDDIR"
export FROM_PREPARE='one $(false) two' HOME=/nowhere
NOT_EXPORTED=x
echo "made by prepare" >made
sed -i 's/^pkgver=.*/pkgver=4/' PKGBUILD
$CAUR_PUSH 'echo "first, as $(id -u)"; export FROM_PUSHED=pushed; touch /usr/share/by-root'
($CAUR_PUSH 'echo "second: $FROM_PUSHED $FROM_PREPARE"')
$CAUR_PUSH 'source /etc/profile'
$CAUR_PUSH 'yes | head -n 1 >/dev/null'
echo "end of prepare"
"""
BUILD = 'env | grep -E "^(FROM_|NOT_EXPORTED|HOME=)" | sort; ls /usr/share/by-root; id -u'
PATCH = "--- a/made\n+++ b/made\n@@ -1 +1 @@\n-made by prepare\n+changed by the patch\n"


@pytest.fixture
def world(site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[BuildWorld]:
    """A worker that builds in containers."""
    settings = need_containers(monkeypatch).settings()
    with (
        ContainerExecutor.opened(settings, site.shared / "containers") as executor,
        site.world(executor=executor) as world,
    ):
        yield world


def test_prepare_sets_the_guest_up(world: BuildWorld) -> None:
    files = {
        "PKGBUILD": pkgbuild("tool", build=f'cat "$startdir/made"; {BUILD}'),
        ".CI/prepare": PREPARE,
        ".CI/interfere.patch": PATCH,
        ".CI/PKGBUILD.append": 'echo "appended, with $FROM_PUSHED"',
        ".CI/on-success.sh": 'echo "after: $FROM_PUSHED $CAUR_OUTCOME"',
        ".CI/config": "CI_PACKAGE_BUMP=1\nBUILDER_NETWORK=false",
    }
    assert world.build(files).state is JobState.LANDED, world.log()
    lines = world.log().splitlines()
    copy = "/home/builder/build/tool"
    assert f"as 0 in {copy}, which is {copy}" in lines
    order = ["end of prepare", "first, as 0", "second: pushed one $(false) two"]
    assert [line for line in lines if line in order] == order
    assert "changed by the patch" in lines
    assert "FROM_PREPARE=one $(false) two" in lines
    assert "FROM_PUSHED=pushed" in lines
    assert "HOME=/home/builder" in lines
    assert "/usr/share/by-root" in lines
    assert not any(line.startswith("NOT_EXPORTED") for line in lines)
    assert "appended, with pushed" in lines
    assert "after: pushed SUCCESS" in lines
    assert world.pkginfo()["pkgver"] == "4-1.1"
    manifest = world.manifest()
    assert manifest.applied == (
        *("prepare", "interfere.patch", "PKGBUILD.append", "pkgrel 1 bumped to 1.1"),
        "on-success.sh",
    )
    assert manifest.executor == "container"
    assert manifest.image
    facts = GoodLog.read(read_lines([world.log().encode()])).facts
    assert facts.origin is not None
    assert (facts.origin.executor, facts.origin.image) == ("container", manifest.image)
    assert facts.installed == {"stand-in": "1-1"}


@pytest.mark.parametrize(
    "script", ["exit $CI_CODE_SKIP", "$CAUR_PUSH 'exit $CI_CODE_SKIP'", "return $CI_CODE_SKIP"]
)
def test_prepare_can_end_the_build_on_purpose(world: BuildWorld, script: str) -> None:
    view = world.build({"PKGBUILD": pkgbuild("tool"), ".CI/prepare": script})
    assert (view.outcome, view.failure) == (Outcome.SKIPPED, None)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("ls /not/there\necho NEVER", "exit code 2"),
        ("$CAUR_PUSH 'ls /not/there'\n$CAUR_PUSH 'echo NEVER'", "exit code 2"),
    ],
)
def test_what_fails_there_fails_the_build(world: BuildWorld, script: str, words: str) -> None:
    view = world.build({"PKGBUILD": pkgbuild("tool"), ".CI/prepare.sh": script})
    assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.INTERFERE)
    assert words in view.reason
    assert "NEVER" not in world.log().splitlines()


def test_sources_are_kept_for_containers_too(world: BuildWorld) -> None:
    # A source that comes from the package's own folder, so that no server is needed.
    agent = "DLAGENTS=('made::/usr/bin/env URL=%u cp /pkgbuilds/tool/data %o')"
    source, sums = "source = kept::made://x", hashlib.sha256(b"data").hexdigest()
    head = f"{agent}\nsource=(kept::made://x)\nsha256sums=({sums})"
    files = {
        "PKGBUILD": pkgbuild("tool", head=head),
        ".SRCINFO": srcinfo_of(pkgbuild("tool"), "tool") + f"{source}\nsha256sums = {sums}\n",
        "data": "data",
        ".CI/config": "BUILDER_CACHE_SOURCES=true",
    }
    for words in ("Downloading kept", "Found kept"):
        view = world.build(files)
        assert view.state is JobState.LANDED, world.log()
        assert words in world.log()
        (claim,) = world.queue.claim_landed("runner-1")
        world.queue.finish(claim, Outcome.SUCCESS)
