"""Questions to git and actions of it.

GitPython finds the repository (`GitRepository.open`); everything else runs git itself, with its
batch commands and NUL bytes between names for what touches thousands of paths.
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
