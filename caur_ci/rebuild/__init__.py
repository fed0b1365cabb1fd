"""Which published packages do not work any more since a library or an interpreter has gone.

What packages need tells the index of the target repository (`caur_ci.linkage`), what there is tell
the file lists of databases. What was there once and is not any more is *lost*; packages that need
something lost are broken. What nobody was ever seen to offer says nothing: programs load libraries
in ways of their own.
"""

from caur_ci.rebuild.detection import BrokenPackage, LostNeed, find_broken, lost_ahead
from caur_ci.rebuild.groups import rebuild_groups
from caur_ci.rebuild.looking import RebuildLook, RebuildLooker
from caur_ci.rebuild.offers import Offer, Offers, collect_offers
from caur_ci.rebuild.plan import PastBuild, RebuildPlan, plan_rebuild
from caur_ci.rebuild.rules import RebuildRules
from caur_ci.rebuild.state import Loss, RebuildState

__all__ = [
    "BrokenPackage",
    "Loss",
    "LostNeed",
    "Offer",
    "Offers",
    "PastBuild",
    "RebuildLook",
    "RebuildLooker",
    "RebuildPlan",
    "RebuildRules",
    "RebuildState",
    "collect_offers",
    "find_broken",
    "lost_ahead",
    "plan_rebuild",
    "rebuild_groups",
]
