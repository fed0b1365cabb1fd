"""The queue's public face: all that can be done with it, in one class."""

from __future__ import annotations

from scheduler.queue.building import Building
from scheduler.queue.control import QueueControl
from scheduler.queue.publishing import Publishing
from scheduler.queue.submitting import Submitting


class Queue(Building, Publishing, Submitting, QueueControl):
    """One queue, in one Redis database. Safe to use from several threads.

    `lease` is the number of seconds a claim is held without being renewed.
    Every method raises TemporaryError when Redis is out of reach. A step whose answer got lost
    may be repeated: `submit`, `land`, `finish` and `finish_removal` have their effect once.
    """
