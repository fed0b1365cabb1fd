"""Review requests: merge and pull requests of forges, and what people say about them."""

from caur_ci.review.choosing import ForgeChoice, choose_forge
from caur_ci.review.commands import Command, Misunderstood, Verb, commands_in
from caur_ci.review.comments import Comment, Comments, Place, PlaceKind
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
    "Command",
    "Comment",
    "Comments",
    "FollowUp",
    "ForgeChoice",
    "ForgeError",
    "Heard",
    "Misunderstood",
    "Place",
    "PlaceKind",
    "ReviewDesk",
    "ReviewForge",
    "ReviewPoint",
    "ReviewRequest",
    "Said",
    "Verb",
    "Word",
    "choose_forge",
    "commands_in",
    "has_danger",
    "upstream_pages",
]
