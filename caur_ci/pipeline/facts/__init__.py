"""What repositories of PKGBUILDs say of their packages, kept fresh for whoever shows it."""

from caur_ci.pipeline.facts.following import FollowedFacts
from caur_ci.pipeline.facts.mirror import Mirror

__all__ = ["FollowedFacts", "Mirror"]
