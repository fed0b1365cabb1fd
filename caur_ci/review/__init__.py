"""Review requests, and the interface of forges that open them as merge or pull requests."""

from caur_ci.review.request import ReviewHost, ReviewRequest

__all__ = ["ReviewHost", "ReviewRequest"]
