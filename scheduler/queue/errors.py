"""What the queue raises."""

from __future__ import annotations

from caur_ci.errors import CaurError


class StaleClaimError(CaurError):
    """The claim is no longer held: its lease ran out, or the job went to somebody else.

    What was said with it had no effect. The holder stops its work on the job at once.
    """


class ProtocolError(CaurError):
    """This program and the queue are of different versions; nothing was handed out or taken."""


class DrainedError(CaurError):
    """The worker was asked to end: it gets no more jobs. Told once; the worker is forgotten."""
