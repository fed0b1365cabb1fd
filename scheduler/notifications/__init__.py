"""Tells people, in their chats, what was published and what failed."""
