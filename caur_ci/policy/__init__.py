"""Whom and what a repository trusts (`.ci/policy.toml`), and what follows from it for a change."""

from __future__ import annotations

from caur_ci.policy.deciding import Decided, action_of, decide
from caur_ci.policy.model import Action, Policy
from caur_ci.policy.reading import PolicyFiles, policy_at, policy_in, policy_on_disk, read_policy
from caur_ci.policy.rules import trust_finding
from caur_ci.policy.vouching import Vouched

__all__ = [
    "Action",
    "Decided",
    "Policy",
    "PolicyFiles",
    "Vouched",
    "action_of",
    "decide",
    "policy_at",
    "policy_in",
    "policy_on_disk",
    "read_policy",
    "trust_finding",
]
