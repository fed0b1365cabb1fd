"""Review requests: merge and pull requests of forges, and what people say about them."""

from caur_ci.review.choosing import ForgeChoice, choose_forge
from caur_ci.review.desk import FollowUp, Heard, ReviewDesk
from caur_ci.review.forge import ForgeError, ReviewForge
from caur_ci.review.request import (
    BRANCH_PREFIX,
    ChangeText,
    ReviewPoint,
    ReviewRequest,
    has_danger,
)
from caur_ci.review.upstream import upstream_pages
from caur_ci.review.words import Said, Word

__all__ = [
    "BRANCH_PREFIX",
    "ChangeText",
    "FollowUp",
    "ForgeChoice",
    "ForgeError",
    "Heard",
    "ReviewDesk",
    "ReviewForge",
    "ReviewPoint",
    "ReviewRequest",
    "Said",
    "Word",
    "choose_forge",
    "has_danger",
    "upstream_pages",
]
