"""Who may wave a change through: changes that wait for somebody to look at them."""

from caur_ci.review.request import ReviewHost, ReviewRequest

__all__ = ["ReviewHost", "ReviewRequest"]
