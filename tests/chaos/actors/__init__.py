"""The processes that are done harm to."""
