"""Notifications: what happens in the queue is told to chats and mailboxes, through Apprise."""

from scheduler.notifications.noticing import OUTBOX, Noticer
from scheduler.notifications.sending import NoteSender

__all__ = ["OUTBOX", "NoteSender", "Noticer"]
