"""Questions to git and actions of it.

GitPython opens repositories and answers about single commits; what touches thousands of paths
goes through git's own batch commands, with NUL bytes between names.
"""

from caur_ci.git.remote import Credentials, RefUpdate, Remote
from caur_ci.git.repository import CommitMessage, GitRepository, Identity, TreeChange, TreeEntry

__all__ = [
    "CommitMessage",
    "Credentials",
    "GitRepository",
    "Identity",
    "RefUpdate",
    "Remote",
    "TreeChange",
    "TreeEntry",
]
