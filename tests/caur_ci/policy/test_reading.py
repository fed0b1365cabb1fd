"""`.ci/policy.toml` and what it refers to, right and wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from caur_ci.judge.model import Severity
from caur_ci.policy.model import DAY, Action, Policy
from caur_ci.policy.reading import read_policy

if TYPE_CHECKING:
    from collections.abc import Mapping


def policy_of(text: str | None, **lists: str) -> Policy:
    files: dict[str, bytes] = {
        f".ci/{name.replace('_', '-')}": it.encode() for name, it in lists.items()
    }
    if text is not None:
        files[".ci/policy.toml"] = text.encode()
    return read_policy(files.get)


def test_without_a_file_it_is_as_it_always_was() -> None:
    assert policy_of(None) == policy_of("") == Policy()


def test_all_of_it() -> None:
    policy = policy_of(
        """
        [maintainers]
        trusted = ["alice"]
        [age]
        package = "2 days"
        adoption = "1 week"
        cool-down = "12 hours"
        [adoptions]
        many = 5
        within = "1 day"
        [sources]
        hosts = ["kernel.org", "*.gnome.org"]
        owners = ["github.com/Example"]
        [indicators]
        hosts = ["hosts"]
        accounts = ["accounts"]
        hashes = ["hashes"]
        [severities]
        warning = "hold"
        [codes]
        function-changed = "apply"
        [packages."lib32-a++"]
        trusted = ["bob"]
        hosts = ["example.org"]
        owners = ["gitlab.com/x"]
        cool-down = "0"
        codes = {sum-skipped = "apply"}
        """,
        hosts="# bad ones\nEvil.example  # seen in June\n\n",
        accounts="Mallory\n",
        hashes="A" * 64,
        aur_maintainers="carol # a friend\n#dave\n",
    )

    assert policy.trusted == {"alice", "carol"}
    assert (policy.package_age, policy.adoption_age, policy.cool_down) == (
        2 * DAY,
        7 * DAY,
        DAY / 2,
    )
    assert (policy.many_adoptions, policy.adoptions_within) == (5, DAY)
    assert policy.hosts == ("kernel.org", "*.gnome.org")
    assert policy.owners == ("github.com/example",)
    assert policy.indicators.hosts == {"evil.example"}
    assert policy.indicators.accounts == {"mallory"}
    assert policy.indicators.hashes == {"a" * 64}
    assert policy.severities == {Severity.WARNING: Action.HOLD}
    assert policy.codes == {"function-changed": Action.APPLY}
    assert policy.trusted_for("lib32-a++") == {"alice", "bob", "carol"}
    assert policy.cool_down_of("lib32-a++") == 0
    assert policy.cool_down_of("other") == DAY / 2
    assert policy.of("lib32-a++").codes == {"sum-skipped": Action.APPLY}


WRONG: Mapping[str, str] = {
    "a = ": "is no TOML",
    "maintainer = {}": "'maintainer' is not known here. Did you mean maintainers?",
    "[age]\ncooldown = '1 day'": "age: 'cooldown' is not known here. Did you mean cool-down?",
    "[age]\npackage = 3": "age.package: 3 is not of type 'string'",
    "[age]\npackage = '3 d'": "age.package: '3 d' does not fit",
    "[adoptions]\nmany = 1": "adoptions.many: 1 is less than",
    "[codes]\nfunction-change = 'apply'": "no finding 'function-change'. Did you mean function-",
    "[codes]\nfunction-changed = 'ignore'": "'ignore' does not fit; allowed is one of apply, rev",
    "[codes]\nsum-skipped = 'apply'": "codes.sum-skipped: it is a danger",
    "[severities]\ndanger = 'apply'": "'apply' does not fit; allowed is one of review, hold, alarm",
    "[sources]\nhosts = ['https://x.org']": "sources.hosts.0: 'https://x.org' does not fit: Hosts",
    "[indicators]\nhosts = ['../x']": "indicators.hosts.0: '../x' does not fit",
    "[indicators]\nhosts = ['/etc/hosts']": "indicators.hosts.0: '/etc/hosts' does not fit",
    "[indicators]\nhosts = ['gone']": ".ci/gone, which is not there",
    "[indicators]\nhosts = ['list']": ".ci/list: 'not a host' is none of the hosts",
    "[indicators]\nhashes = ['list']": ".ci/list: 'not a host' is none of the hashes",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_makes_no_sense_is_told(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        policy_of(text, list="not a host\n")

    assert ".ci/" in caught.value.message
    assert WRONG[text] in caught.value.message


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        policy_of("[age]\nx = 1\n[adoptions]\nmany = 0\n[sources]\nhosts = 3\n")

    assert caught.value.message.count(".ci/policy.toml: ") == 3
